"""How a diffusion time is cut into steps: explicit, fast explicit, or semi-implicit.

u_t = A(u) u is stepped with A held for the time of a *cycle*:

* explicit: one step u + tau A u a cycle, tau within :func:`stability_bound`. Every new pixel is a mean of old ones with
  weights >= 0, so the range of the image is never left. A pixel depends on few others: tiles equal the whole.
* fast-explicit (FED): a cycle of n explicit steps of different sizes, some beyond the bound, stable together; n steps
  cover the time of about (n + 1) / 3 n steps at the bound. The range may be left by a little.
* semi-implicit (AOS): the mean over the axes of (1 - D tau A_axis)^-1 u, stable for any step and within the range;
  large steps lose isotropy. For scalar conductivities only.

All three are of first order in the time of a cycle.

References
----------
Weickert, ter Haar Romeny & Viergever 1998, IEEE TIP 7, 398, doi:10.1109/83.661190 (AOS).
Grewenig, Weickert & Bruhn 2010, DAGM, 533, doi:10.1007/978-3-642-15986-2_54 (FED).
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from noiseless.argument_checks import positive
from noiseless.errors import InvalidParameter

EXPLICIT, FAST_EXPLICIT, SEMI_IMPLICIT = "explicit", "fast-explicit", "semi-implicit"

STEPPINGS: Mapping[str, float] = {EXPLICIT: 0.8, FAST_EXPLICIT: 4.0, SEMI_IMPLICIT: 4.0}
"""The schemes, and the time of a cycle in units of the stability bound where none is asked for.

At the bound itself an explicit step would change the sign of the finest checkerboard, and not make it fade."""

_PART_OF_BOUND = 0.95  # for the steps within a cycle, where the largest eigenvalue should fade too
_MOST_CYCLES = 100_000


class Cycle(NamedTuple):
    """A time for which the conductivity is held: its steps, and the contrast then, as a part of the first one."""

    steps: tuple[float, ...]
    contrast_factor: float


def stability_bound(spacing: tuple[float, ...]) -> float:
    """The largest stable explicit step for conductivities up to 1: 1 / (2 * sum_i 1 / h_i^2).

    1/4 for square pixels, 1/6 for cubic voxels, in the unit of ``spacing`` squared.
    """
    return 1.0 / (2.0 * sum(size**-2 for size in spacing))


def check_step_size(step_size: float, spacing: tuple[float, ...], stepping: str = EXPLICIT) -> None:
    """Refuse a step that grows instead of smoothing.

    Raises
    ------
    InvalidParameter : the step is not positive, or explicit and beyond the bound.
    """
    positive("step_size", step_size, "it is a time, in the unit of the spacing squared")
    bound = stability_bound(spacing)
    # The bound itself may be written as a rounded decimal, so a last-digit excess is no error.
    if stepping == EXPLICIT and step_size > bound * (1.0 + 1e-9):
        raise InvalidParameter(
            f"step_size is {step_size:g}; explicit diffusion with spacing {spacing} is stable only up to "
            f"1/(2*sum(1/h^2)) = {bound:g}; take a smaller step, or the stepping {FAST_EXPLICIT!r}"
        )


def cycles_for(
    time: float,
    stepping: str,
    step_size: float | None,
    spacing: tuple[float, ...],
    cooling: float,
    steps_a_cycle: int = 1,
) -> list[Cycle]:
    """Cut ``time`` into cycles of equal length.

    Parameters
    ----------
    time : float > 0, in the unit of ``spacing`` squared
    stepping : a name in ``STEPPINGS``
    step_size : the most that a cycle, or an explicit step, may take; None takes that of ``STEPPINGS``.
    spacing : size of a pixel along each spatial axis
    cooling : rate at which the contrast falls, per unit of time: exp(-cooling * t)
    steps_a_cycle : for explicit steps, how many keep one conductivity

    Raises
    ------
    InvalidParameter : more than 100 000 cycles.
    """
    bound = stability_bound(spacing)
    length = STEPPINGS[stepping] * bound if step_size is None else step_size
    if stepping == EXPLICIT:
        length *= steps_a_cycle
    count = math.ceil(time / length * (1.0 - 1e-9))
    if count > _MOST_CYCLES:
        raise InvalidParameter(
            f"a time of {time:g} takes {count} cycles of {length:g}, more than {_MOST_CYCLES}; "
            "take a shorter time or a longer step_size"
        )
    length = time / count
    if stepping == EXPLICIT:
        explicit_step = min(STEPPINGS[EXPLICIT] * bound if step_size is None else step_size, bound)
        number = math.ceil(length / explicit_step * (1.0 - 1e-9))
        steps = (length / number,) * number
    elif stepping == FAST_EXPLICIT:
        steps = fast_explicit_steps(length, _PART_OF_BOUND * bound)
    else:
        steps = (length,)
    return [Cycle(steps, math.exp(-cooling * length * done)) for done in range(count)]


def fast_explicit_steps(time: float, bound: float) -> tuple[float, ...]:
    """The steps of one cycle of fast explicit diffusion that takes ``time``.

    tau_i = time / T(n) * bound / (2 cos^2(pi (2 i + 1) / (4 n + 2))),  T(n) = bound (n^2 + n) / 3,  i = 0 ... n - 1

    for the least n with T(n) >= time. One step within the bound where that is enough. In an order in which partial
    products stay small: a large step, then one that damps what it raised.
    """
    number = max(1, math.ceil(-0.5 + 0.5 * math.sqrt(1.0 + 12.0 * time / bound) - 1e-9))
    shares = [0.5 / math.cos(math.pi * (2 * i + 1) / (4 * number + 2)) ** 2 for i in range(number)]
    steps = [time / math.fsum(shares) * share for share in shares]
    return tuple(_leja_ordered(steps))


def _leja_ordered(steps: list[float]) -> list[float]:
    """Each next root 1 / step is the one whose product of distances to those before it is largest."""
    left = sorted(steps, reverse=True)
    ordered = [left.pop()]
    while left:
        best = max(left, key=lambda step: sum(math.log(abs(1.0 / step - 1.0 / used)) for used in ordered))
        left.remove(best)
        ordered.append(best)
    return ordered
