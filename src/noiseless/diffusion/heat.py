"""Linear image diffusion: heat, which blurs the picture everywhere alike."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from array_api_compat import array_namespace, is_numpy_array
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, shown, whole
from noiseless.denoiser import Array, Sigma
from noiseless.diffusion import scalar
from noiseless.diffusion.arguments import channel_sigmas, check_image, check_spacing, spacing_of
from noiseless.diffusion.cosine import (
    cosine_transform,
    inverse_cosine_transform,
    laplacian_eigenvalues,
    like,
    scale_modes,
)
from noiseless.diffusion.evolution import State, with_channels
from noiseless.diffusion.scalar import ScalarScheme
from noiseless.diffusion.stepping import Cycle, check_step_size
from noiseless.diffusion.stopping import least_risk_times
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

_KERNEL = Lazy("noiseless.diffusion.kernels.scalar:diffuse")
_STEPS_OF_A_TRANSFORM = 70
_PLAIN_STEPS_OF_A_TRANSFORM = 4
# Two cosine transforms take as long as so many steps, compiled or plain (benchmarks/diffusion_speed.py).


@dataclass(frozen=True)
class Heat:
    """Linear image diffusion u_t = Laplacian u, exact for any time, with a Neumann boundary.

    A cosine mode decays by exactly exp(-t lambda), lambda being its eigenvalue under the Laplacian of the grid
    (:func:`~noiseless.diffusion.cosine.laplacian_eigenvalues`); the cost is less than that of two cosine
    transforms, whatever the time. The mean is kept and the range of the image is never left. It blurs edges as it
    removes noise: the simplest filter, and the prior that the others improve on.

    Parameters
    ----------
    time : float >= 0, one a spatial axis, or None
        In the unit of ``spacing`` squared; the blur has standard deviation sqrt(2 * time). A longer time removes more.
        None finds the time of least risk for each channel (:func:`~noiseless.diffusion.stopping.least_risk_times`)
        from the image and sigma; D(a y, a sigma) = a D(y, sigma) holds then, and for a given time too.
    spacing : size of a pixel along each spatial axis; empty means 1.

    Notes
    -----
    sigma may differ by channel, not by pixel. A channel whose sigma is 0 is returned as it is, even when ``time``
    is given. The transform is global, so there is no finite reach: tiles would differ from the whole.

    Raises
    ------
    InvalidParameter : ``time`` or ``spacing`` or, when called, ``sigma`` is out of its range.
    InvalidImage : when called with something that is no finite (C, *space) float32 or float64 array.
    """

    time: float | tuple[float, ...] | None = None
    spacing: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_spacing(self.spacing)
        if self.time is not None:
            _check_time(self.time)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        return next(self._at((1.0,), noisy, sigma)).image

    def states(self, noisy: Array, sigma: Sigma, /, *, most: int = 20) -> Iterator[State]:
        """The image at time 0 and at ``most`` equal parts of the whole time; the last is what calling gives.

        The time of a state is that of its slowest axis and channel.
        """
        most = whole("most", most, 1, "show at least one state")
        return self._at([part / most for part in range(most + 1)], noisy, sigma)

    def _at(self, parts: Iterable[float], noisy: Array, sigma: Sigma) -> Iterator[State]:
        """The image at some parts of the whole time."""
        check_image(noisy)
        spacing = spacing_of(noisy, self.spacing)
        sigmas = channel_sigmas(noisy, sigma)
        channels = [channel for channel, level in enumerate(sigmas) if level > 0.0]
        if not channels:
            return (State(0.0, with_channels(noisy, channels, None)) for _ in parts)
        changed = noisy if len(channels) == noisy.shape[0] else noisy[channels, ...]
        if self.time is None:
            found = least_risk_times(cosine_transform(changed), tuple(sigmas[channel] for channel in channels), spacing)
            times = np.repeat(np.array(found)[:, np.newaxis], len(spacing), axis=1)
        else:
            times = np.array([_times_of(self.time, spacing)] * len(channels))

        def at(part: float) -> State:
            if part == 0.0:
                return State(0.0, with_channels(noisy, channels, None))
            diffused = _diffused(changed, part * times, spacing)
            return State(part * float(times.max()), with_channels(noisy, channels, diffused))

        return map(at, parts)


def heat_flow(image: Array, time: float | tuple[float, ...], *, spacing: tuple[float, ...] = ()) -> Array:
    """The image after linear diffusion for ``time``, all channels alike: the semigroup behind :class:`Heat`.

    heat_flow(heat_flow(u, s), t) = heat_flow(u, s + t), to rounding.

    Parameters
    ----------
    image : (C, *space) float32 or float64 array of NumPy or torch
    time : float >= 0, in the unit of ``spacing`` squared, or one a spatial axis. A longer time blurs more.
    spacing : size of a pixel along each spatial axis; empty means 1.

    Raises
    ------
    InvalidParameter : ``time`` or ``spacing`` is out of its range.
    InvalidImage : the array is no finite (C, *space) float32 or float64 image.
    """
    check_spacing(spacing)
    _check_time(time)
    check_image(image)
    spacing = spacing_of(image, spacing)
    times = np.array([_times_of(time, spacing)] * int(image.shape[0]))
    return _diffused(image, times, spacing)


def heat_steps(
    image: Array, step_size: float, steps: int, *, spacing: tuple[float, ...] = (), threads: int = 0
) -> Array:
    """The image after explicit steps u + step_size * Laplacian u, by the cheaper of two ways that agree to rounding.

    Few steps are made one after the other, many as one polynomial (1 - step_size * lambda)^steps of the eigenvalues.
    It tends to :func:`heat_flow` of the same time as the steps get smaller.

    Parameters
    ----------
    image : (C, *space) float32 or float64 array of NumPy or torch
    step_size : time of a step, within the stability bound 1 / (2 * sum_i 1 / h_i^2)
    steps : int >= 0
    spacing : size of a pixel along each spatial axis; empty means 1.
    threads : CPU threads for NumPy arrays; 0 lets it use all cores.

    Raises
    ------
    InvalidParameter : ``step_size``, ``steps`` or ``spacing`` is out of its range.
    InvalidImage : the array is no finite (C, *space) float32 or float64 image.
    """
    check_spacing(spacing)
    check_image(image)
    spacing = spacing_of(image, spacing)
    check_step_size(step_size, spacing)
    steps = whole("steps", steps, 0, "it is a number of steps")
    if steps == 0:
        return array_namespace(image).asarray(image, copy=True)
    if steps > (_STEPS_OF_A_TRANSFORM if is_numpy_array(image) else _PLAIN_STEPS_OF_A_TRANSFORM):
        eigenvalues = [laplacian_eigenvalues(n, h) for n, h in zip(image.shape[1:], spacing, strict=True)]
        kept = [like(step_size * along, image) for along in eigenvalues]
        factor = 1.0 - reduce(lambda total, along: total[..., None] + along, kept)
        return inverse_cosine_transform(cosine_transform(image) * _power(factor, steps))
    scheme = ScalarScheme(spacing, "homogeneous", (1.0,) * int(image.shape[0]), (0.0,) * len(spacing), 0)
    cycles = [Cycle((step_size,), 1.0)] * steps
    if is_numpy_array(image):
        return load(_KERNEL)(image, scheme, cycles, None, threads)
    return scalar.diffuse(image, scheme, cycles, None)


def _diffused(image: Array, times: NDArray[np.float64], spacing: tuple[float, ...]) -> Array:
    """The image after the (channels, axes) diffusion times."""
    factors = []
    for axis, size in enumerate(spacing, start=1):
        decay = np.exp(-times[:, axis - 1, np.newaxis] * laplacian_eigenvalues(image.shape[axis], size))
        factors.append(like(decay, image))
    return scale_modes(image, factors)


def _power(base: Array, exponent: int) -> Array:
    """base^exponent by repeated squaring, ten times as fast as a power of real numbers."""
    result = None
    while exponent:
        if exponent % 2:
            result = base if result is None else result * base
        exponent //= 2
        base = base * base if exponent else base
    return result


def _times_of(time: float | tuple[float, ...], spacing: tuple[float, ...]) -> tuple[float, ...]:
    """One time a spatial axis."""
    if not isinstance(time, tuple):
        return (time,) * len(spacing)
    if len(time) != len(spacing):
        raise InvalidParameter(
            f"time has {len(time)} entries; give one, or one for each of {len(spacing)} spatial axes"
        )
    return time


def _check_time(time: float | tuple[float, ...]) -> None:
    for value in time if isinstance(time, tuple) else (time,):
        try:
            not_negative("time", value, "")
        except InvalidParameter:
            raise InvalidParameter(
                f"time is {shown(value)}; a diffusion time is finite and >= 0, in the unit of the spacing squared"
            ) from None
