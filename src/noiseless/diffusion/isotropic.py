"""Isotropic image diffusion as denoisers: linear heat, and Perona-Malik. Both blur the picture, one less at edges."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace, is_numpy_array

from noiseless.denoiser import Array, Sigma
from noiseless.diffusion.arguments import channel_sigmas, check_image, check_spacing, spacing_of
from noiseless.diffusion.conductivity import CONDUCTIVITIES
from noiseless.diffusion.cosine import cosine_transform, inverse_cosine_transform, laplacian_eigenvalues, like
from noiseless.diffusion.stepping import (
    ExplicitScheme,
    check_step_size,
    explicit_diffusion,
    smoothing_for,
    smoothing_passes,
    stability_bound,
)
from noiseless.diffusion.stopping import least_risk_times
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load, lookup

_KERNEL = Lazy("noiseless.diffusion.kernels:explicit_diffusion")
_LEAST_CONTRAST = 1e-30  # its reciprocal must be a float32
_STEP_PART_OF_BOUND = 0.8  # at the bound itself, the finest checkerboard would change sign and not fade


@dataclass(frozen=True)
class Heat:
    """Linear image diffusion u_t = Laplacian u, exact for any time, with a Neumann boundary.

    A cosine mode decays by exactly exp(-t lambda), lambda being its eigenvalue under the Laplacian of the grid
    (:func:`~noiseless.diffusion.cosine.laplacian_eigenvalues`); the cost is two cosine transforms, whatever the time.
    The mean is kept and the range of the image is never left. It blurs edges as it removes noise: the simplest
    filter, and the prior that :class:`PeronaMalik` improves on.

    Parameters
    ----------
    time : float >= 0 or None
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

    time: float | None = None
    spacing: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_spacing(self.spacing)
        if self.time is not None:
            _check_time(self.time)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        check_image(noisy)
        spacing = spacing_of(noisy, self.spacing)

        def diffuse(image: Array, sigmas: tuple[float, ...]) -> Array:
            coefficients = cosine_transform(image)
            given = None if self.time is None else (self.time,) * len(sigmas)
            times = given or least_risk_times(coefficients, sigmas, spacing)
            return inverse_cosine_transform(_decayed(coefficients, times, spacing))

        return _noisy_channels(diffuse, noisy, channel_sigmas(noisy, sigma))


def heat_flow(image: Array, time: float, *, spacing: tuple[float, ...] = ()) -> Array:
    """The image after linear diffusion for ``time``, all channels alike: the semigroup behind :class:`Heat`.

    heat_flow(heat_flow(u, s), t) = heat_flow(u, s + t), to rounding.

    Parameters
    ----------
    image : (C, *space) float32 or float64 array of NumPy or torch
    time : float >= 0, in the unit of ``spacing`` squared. A longer time blurs more.
    spacing : size of a pixel along each spatial axis; empty means 1.

    Raises
    ------
    InvalidParameter : ``time`` or ``spacing`` is out of its range.
    InvalidImage : the array is no finite (C, *space) float32 or float64 image.
    """
    check_spacing(spacing)
    _check_time(time)
    check_image(image)
    times = (time,) * int(image.shape[0])
    return inverse_cosine_transform(_decayed(cosine_transform(image), times, spacing_of(image, spacing)))


@dataclass(frozen=True)
class PeronaMalik:
    """Nonlinear image diffusion u_t = div(g(|grad v|^2 / contrast^2) grad u), v = u smoothed a little (Catte).

    Differences well below the contrast diffuse as heat, those above it hardly: noise goes, edges stay. The channels
    of a colour image share one conductivity, from their joint gradient, so edges stay aligned. The mean is kept and
    the range of the image is never left. NumPy arrays run through a compiled kernel, torch tensors on their device.

    Parameters
    ----------
    contrast_per_sigma : float > 0
        The contrast of a gray image in units of sigma per finest pixel. A larger one smooths stronger edges.
    contrast : float > 0 or None
        The contrast itself, in units of the image per unit of ``spacing``, for all channels; it overrides
        ``contrast_per_sigma``, and D(a y, a sigma) = a D(y, sigma) is then lost.
    conductivity : a name in ``CONDUCTIVITIES``: "rational", "exponential", "charbonnier", "homogeneous".
    steps : int >= 1
        How many explicit steps. More steps remove more; the time is steps * step_size.
    step_size : float or None
        In the unit of ``spacing`` squared. None is 0.8 of the stability bound 1 / (2 * sum_i 1 / h_i^2):
        0.2 for square pixels, 0.133 for cubic voxels.
    presmoothing : float >= 0
        Standard deviation, in units of the finest pixel, of the smoothing before gradients are measured. Without
        it noise passes for edges and the equation is ill-posed.
    spacing : size of a pixel along each spatial axis; empty means 1.

    Notes
    -----
    How sigma rules: the contrast follows sigma, and the number of steps is a constant, as everything else here is:

        contrast = contrast_per_sigma * sigma / finest pixel * C^(-1/5) * (2 / D)^(1/2)

    for C channels in D dimensions. More noise widens the range of differences that diffuse, so the same steps remove
    more. More channels or neighbours average the noise sooner; the two exponents, fitted, make up for that. The best
    number of steps for each sigma would give 0.1 dB more, but would tie the result to the units of the image; one
    that followed the contrast of the whole image would make tiles differ from the whole.
    Tuned by ``benchmarks/diffusion_tuning.py`` for sigma 5 to 50 of 255.

    sigma may differ by channel, not by pixel. Channels whose sigma is 0 are returned as they are and guide no other.

    Raises
    ------
    InvalidParameter : a parameter or, when called, ``sigma`` is out of its range; a step beyond the bound.
    InvalidImage : when called with something that is no finite (C, *space) float32 or float64 array.
    UnknownName : there is no such conductivity.

    References
    ----------
    Perona & Malik 1990, IEEE PAMI 12, 629, doi:10.1109/34.56205.
    Catte, Lions, Morel & Coll 1992, SIAM J. Numer. Anal. 29, 182, doi:10.1137/0729012.
    """

    contrast_per_sigma: float = 0.25
    contrast: float | None = None
    conductivity: str = "rational"
    steps: int = 34
    step_size: float | None = None
    presmoothing: float = 0.5
    spacing: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_spacing(self.spacing)
        lookup(CONDUCTIVITIES, self.conductivity, kind="conductivity")
        for name, value in (("contrast_per_sigma", self.contrast_per_sigma), ("contrast", self.contrast)):
            if value is not None and not (math.isfinite(value) and value > 0.0):
                raise InvalidParameter(f"{name} is {value:g}; a contrast is finite and > 0, usually 0.25 sigma a pixel")
        if self.steps < 1:
            raise InvalidParameter(f"steps is {self.steps}; take at least 1 step, or sigma 0 to leave the image as is")
        if not 0.0 <= self.presmoothing <= 10.0:
            raise InvalidParameter(
                f"presmoothing is {self.presmoothing:g}; it is a standard deviation from 0 to 10 pixels, usually 0.5"
            )
        if self.step_size is not None:
            check_step_size(self.step_size, self.spacing or (1.0, 1.0))

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        check_image(noisy)
        spacing = spacing_of(noisy, self.spacing)
        run = load(_KERNEL) if is_numpy_array(noisy) else explicit_diffusion

        def diffuse(image: Array, sigmas: tuple[float, ...]) -> Array:
            return run(image, self._scheme(sigmas, spacing))

        return _noisy_channels(diffuse, noisy, channel_sigmas(noisy, sigma))

    def reach(self, sigma: float, /) -> int:
        """How far, in pixels along each axis, an output pixel looks: one a step, and one a pass of the smoothing."""
        return self.steps * (1 + smoothing_passes(self.presmoothing)) if sigma > 0.0 else 0

    def _scheme(self, sigmas: tuple[float, ...], spacing: tuple[float, ...]) -> ExplicitScheme:
        step_size = _STEP_PART_OF_BOUND * stability_bound(spacing) if self.step_size is None else self.step_size
        check_step_size(step_size, spacing)
        per_sigma = self.contrast_per_sigma / min(spacing) * len(sigmas) ** -0.2 * (2.0 / len(spacing)) ** 0.5
        contrasts = (per_sigma * sigma if self.contrast is None else self.contrast for sigma in sigmas)
        weights, passes = smoothing_for(self.presmoothing, spacing)
        return ExplicitScheme(
            steps=self.steps,
            step_size=step_size,
            spacing=spacing,
            conductivity=self.conductivity,
            contrasts=tuple(max(contrast, _LEAST_CONTRAST) for contrast in contrasts),
            smoothing_weights=weights,
            smoothing_passes=passes,
        )


def _noisy_channels(
    diffuse: Callable[[Array, tuple[float, ...]], Array], noisy: Array, sigmas: tuple[float, ...]
) -> Array:
    """``diffuse`` on the channels that have noise; the others as they are, in a new array."""
    with_noise = [channel for channel, sigma in enumerate(sigmas) if sigma > 0.0]
    if len(with_noise) == len(sigmas):
        return diffuse(noisy, sigmas)
    result = array_namespace(noisy).asarray(noisy, copy=True)
    if with_noise:
        part = noisy[with_noise, ...]
        result[with_noise, ...] = diffuse(part, tuple(sigmas[channel] for channel in with_noise))
    return result


def _decayed(coefficients: Array, times: tuple[float, ...], spacing: tuple[float, ...]) -> Array:
    """Cosine coefficients of each channel after its own diffusion time; a product of one factor an axis."""
    times_of_channels = np.array(times)[:, np.newaxis]
    for axis, size in enumerate(spacing, start=1):
        decay = np.exp(-times_of_channels * laplacian_eigenvalues(coefficients.shape[axis], size))
        shape = tuple(n if i in (0, axis) else 1 for i, n in enumerate(coefficients.shape))
        coefficients = coefficients * like(decay.reshape(shape), coefficients)
    return coefficients


def _check_time(time: float) -> None:
    if not (math.isfinite(time) and time >= 0.0):
        raise InvalidParameter(
            f"time is {time:g}; a diffusion time is finite and >= 0, in the unit of the spacing squared"
        )
