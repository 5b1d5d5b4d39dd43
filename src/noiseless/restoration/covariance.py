"""The covariance of the noise in an image, as an operator that is never written out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidParameter
from noiseless.generation import sign_probes
from noiseless.image import FloatArray
from noiseless.noise import Gaussian, NoiseModel, Poisson, PoissonGaussian, StationaryNoise

# Part of the mean variance below which no probe goes, so that a dark pixel, whose variance is estimated as 0 or less,
# is moved all the same.
_FLOOR = 0.01


@dataclass(frozen=True, eq=False)
class Covariance:
    """C of noise n ~ (0, C), on images (channels, *space).

    Parameters
    ----------
    times : image -> C image
    power, square : (channels, *space) or (channels, 1...): the mean of |n|^2 at every frequency, and of C^2 likewise
    draw : (count, seed) -> pairs of images w and u with E[u w^T] = C, so that E[u . J w] = tr(C J); w is as strong
        as the noise, so that what a denoiser does to it is what it does to noise
    """

    times: Callable[[FloatArray], FloatArray]
    power: NDArray[np.float64]
    square: NDArray[np.float64]
    draw: Callable[[int, int], Iterator[tuple[FloatArray, FloatArray]]]

    def probes(self, count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """``draw``, once the count is checked.

        Raises
        ------
        InvalidParameter : the count is below 1.
        """
        if count < 1:
            raise InvalidParameter(f"probes is {count}; the divergence needs one or more, usually 4")
        return self.draw(count, seed)


def covariance_of(noise: NoiseModel, noisy: FloatArray) -> Covariance:
    """The covariance of the noise in ``noisy``, (C, *space); from the noisy values where it depends on the clean ones.

    Raises
    ------
    InvalidParameter : the noise is of a kind for which there is none, or it is 0 everywhere.
    """
    if isinstance(noise, Gaussian):
        return _diagonal(np.broadcast_to(np.square(noise.sigma, dtype=np.float64), noisy.shape), noisy)
    if isinstance(noise, Poisson | PoissonGaussian):
        read = noise.sigma if isinstance(noise, PoissonGaussian) else 0.0
        dark = noise.offset if isinstance(noise, PoissonGaussian) else 0.0
        # Below the dark level it is negative: only so is its mean that of the clean image.
        return _diagonal(noise.gain * (noisy.astype(np.float64) - dark) + read**2, noisy)
    if isinstance(noise, StationaryNoise):
        return _stationary(noise, noisy)
    raise InvalidParameter(
        f"the risk is not known for {type(noise).__name__}; it is for Gaussian noise, white, of a map or correlated, "
        "and for Poisson with or without read noise"
    )


def _diagonal(variance: Any, noisy: FloatArray) -> Covariance:
    mean = float(np.mean(np.maximum(variance, 0.0)))
    if not mean > 0.0:
        raise InvalidParameter("the noise is 0 everywhere; the risk is that of the noise that is left, give some")
    exact = np.asarray(variance, dtype=noisy.dtype)
    strength = np.sqrt(np.maximum(variance, _FLOOR * mean)).astype(noisy.dtype)
    ratio = exact / strength**2

    def probes(count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        for probe in sign_probes(noisy, strength, count, seed):
            yield probe, ratio * probe

    axes = tuple(range(1, noisy.ndim))
    power, square = (np.mean(values, axis=axes, keepdims=True) for values in (variance, np.square(variance)))
    return Covariance(lambda image: exact * image, power, square, probes)


def _stationary(noise: StationaryNoise, noisy: FloatArray) -> Covariance:
    space = noisy.shape[1:]
    axes = tuple(range(1, noisy.ndim))
    # The image is a part of a noise that goes on beyond it. On a grid of twice its size none of it wraps around.
    doubled = tuple(2 * length for length in space)
    spectrum = noise.spectrum(doubled)
    if not spectrum.any():
        raise InvalidParameter("the noise is 0 everywhere; the risk is that of the noise that is left, give some")

    def times(image: FloatArray) -> FloatArray:
        spread = np.fft.ifftn(spectrum * np.fft.fftn(image.astype(np.float64), doubled, axes), axes=axes).real
        return spread[(slice(None), *map(slice, space))].astype(image.dtype)

    def probes(count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        # Not the stream of default_rng(seed), with which the caller may have made the image noisy.
        rng = np.random.default_rng((seed, count, noisy.size))
        for _ in range(count):
            probe = noise.sample(np.zeros_like(noisy), rng)
            yield probe, probe

    power = np.broadcast_to(_seen_in_part(spectrum, space), noisy.shape)
    return Covariance(times, power, np.square(power), probes)


def _seen_in_part(spectrum: NDArray[np.float64], space: tuple[int, ...]) -> NDArray[np.float64]:
    """The mean of |FFT n|^2 / N over ``space``, for noise of a spectrum on twice that grid.

    The transform of a part sees each correlation as often as two of its pixels are that far apart, a triangle.
    """
    correlation = np.fft.ifftn(spectrum).real
    for axis, length in enumerate(space):
        apart = np.abs(np.fft.fftfreq(2 * length, 1 / (2 * length)))
        correlation = correlation * np.expand_dims(1.0 - apart / length, [*range(axis), *range(axis + 1, len(space))])
    # Every other frequency of the doubled grid is one of the part's.
    return np.fft.fftn(correlation).real[tuple(slice(None, None, 2) for _ in space)]
