"""Noise levels for density diffusion: from the sigma of an observation down to zero.

This is the diffusion that acts on the *distribution* of images (adding N(0, sigma^2) noise to every image), whose
time samplers run backwards. It does not blur pictures; the filters of this room do that.

A schedule is a tuple of ``steps + 1`` Python floats, strictly decreasing, ``sigma_max`` first and 0.0 last. Python
floats, because a NumPy float64 scalar would turn float32 images into float64 in silence.
"""

import itertools
import math
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias

from noiseless.argument_checks import is_number, positive, shown, whole
from noiseless.errors import InvalidParameter

Sigmas: TypeAlias = tuple[float, ...]


def karras(steps: int, *, sigma_max: float, sigma_min: float, rho: float = 7.0) -> Sigmas:
    """Levels evenly spaced in sigma^(1/rho), then zero.

    sigma_i = (sigma_max^(1/rho) + i / (steps - 1) * (sigma_min^(1/rho) - sigma_max^(1/rho)))^rho

    Parameters
    ----------
    steps : int >= 1. One step is ``(sigma_max, 0.0)``: the posterior mean.
    sigma_max, sigma_min : floats in the units of the image, ``0 < sigma_min < sigma_max``.
    rho : float > 0. A larger rho spends more of the steps near ``sigma_min``; 1 is :func:`linear`.

    Raises
    ------
    InvalidParameter : a parameter is out of its range.

    References
    ----------
    Karras, Aittala, Aila & Laine 2022, equation 5, arXiv:2206.00364.
    """
    positive("rho", rho, "usually 7")
    _check_ends(sigma_max, sigma_min)
    start, stop = sigma_max ** (1.0 / rho) if sigma_max > 0.0 else 0.0, max(sigma_min, 0.0) ** (1.0 / rho)
    return _schedule(steps, sigma_max, sigma_min, lambda part: (start + part * (stop - start)) ** rho)


def geometric(steps: int, *, sigma_max: float, sigma_min: float) -> Sigmas:
    """Levels with a constant ratio, then zero: sigma_i = sigma_max * (sigma_min / sigma_max)^(i / (steps - 1)).

    Parameters
    ----------
    steps : int >= 1. One step is ``(sigma_max, 0.0)``.
    sigma_max, sigma_min : floats in the units of the image, ``0 < sigma_min < sigma_max``.

    Raises
    ------
    InvalidParameter : a parameter is out of its range.

    References
    ----------
    Song & Ermon 2019, arXiv:1907.05600.
    """
    return _schedule(steps, sigma_max, sigma_min, lambda part: sigma_max * (sigma_min / sigma_max) ** part)


def linear(steps: int, *, sigma_max: float, sigma_min: float) -> Sigmas:
    """Levels with a constant difference, then zero: sigma_i = sigma_max + i / (steps - 1) * (sigma_min - sigma_max).

    Parameters
    ----------
    steps : int >= 1. One step is ``(sigma_max, 0.0)``.
    sigma_max, sigma_min : floats in the units of the image, ``0 < sigma_min < sigma_max``.

    Raises
    ------
    InvalidParameter : a parameter is out of its range.
    """
    return _schedule(steps, sigma_max, sigma_min, lambda part: sigma_max + part * (sigma_min - sigma_max))


def cosine(steps: int, *, sigma_max: float, sigma_min: float, spread: float | None = None) -> Sigmas:
    """Levels evenly spaced in the angle arctan(sigma / spread), then zero: sigma_i = spread * tan(angle_i).

    The angle is the time of a process that turns images into noise of equal strength, cos(angle) x + sin(angle) n.

    Parameters
    ----------
    steps : int >= 1. One step is ``(sigma_max, 0.0)``.
    sigma_max, sigma_min : floats in the units of the image, ``0 < sigma_min < sigma_max``.
    spread : float > 0, the standard deviation of the clean images, in the same units. A smaller one spends more of the
        steps at high levels. None is ``sigma_max``.

    Raises
    ------
    InvalidParameter : a parameter is out of its range.

    References
    ----------
    Nichol & Dhariwal 2021, arXiv:2102.09672, equation 17.
    """
    if spread is not None:
        positive("spread", spread, "it is the standard deviation of clean images")
    _check_ends(sigma_max, sigma_min)
    width = sigma_max if spread is None else spread
    start, stop = math.atan2(sigma_max, width), math.atan2(sigma_min, width)
    return _schedule(steps, sigma_max, sigma_min, lambda part: width * math.tan(start + part * (stop - start)))


SCHEDULES: Mapping[str, Callable[..., Sigmas]] = {
    "karras": karras,
    "geometric": geometric,
    "linear": linear,
    "cosine": cosine,
}


def _check_ends(sigma_max: float, sigma_min: float) -> None:
    numbers = is_number(sigma_min) and is_number(sigma_max)
    if not (numbers and 0.0 < sigma_min < sigma_max <= sys.float_info.max):
        raise InvalidParameter(
            f"sigma_min is {shown(sigma_min)} and sigma_max is {shown(sigma_max)}; "
            "a schedule needs 0 < sigma_min < sigma_max, both finite, in the units of the image"
        )


def _schedule(steps: int, sigma_max: float, sigma_min: float, level: Callable[[float], float]) -> Sigmas:
    steps = whole("steps", steps, 1, "a schedule has at least one step")
    _check_ends(sigma_max, sigma_min)
    between = (float(level(i / (steps - 1))) for i in range(1, steps - 1))
    ends = (float(sigma_min), 0.0) if steps > 1 else (0.0,)
    sigmas = (float(sigma_max), *between, *ends)
    if any(after >= before for before, after in itertools.pairwise(sigmas)):
        raise InvalidParameter(
            f"{steps} steps between {sigma_max:g} and {sigma_min:g} are too close to be told apart as floats; "
            "use fewer steps or a wider range"
        )
    return sigmas
