"""The covariance of the noise in an image, as an operator that is never written out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    trace, trace_of_square : tr C and tr C^2
    probes : (count, seed) -> pairs of images w and u with E[u w^T] = C, so that E[u . J w] = tr(C J); w is as strong
        as the noise, so that what a denoiser does to it is what it does to noise
    """

    times: Callable[[FloatArray], FloatArray]
    trace: float
    trace_of_square: float
    probes: Callable[[int, int], Iterator[tuple[FloatArray, FloatArray]]]


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

    return Covariance(lambda image: exact * image, float(np.sum(variance)), float(np.sum(np.square(variance))), probes)


def _stationary(noise: StationaryNoise, noisy: FloatArray) -> Covariance:
    space = noisy.shape[1:]
    axes = tuple(range(1, noisy.ndim))
    power = noise.spectrum(space)
    if not power.any():
        raise InvalidParameter("the noise is 0 everywhere; the risk is that of the noise that is left, give some")

    def times(image: FloatArray) -> FloatArray:
        spread = np.fft.ifftn(power * np.fft.fftn(image.astype(np.float64), axes=axes), axes=axes).real
        return spread.astype(image.dtype)

    def probes(count: int, seed: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        # Not the stream of default_rng(seed), with which the caller may have made the image noisy.
        rng = np.random.default_rng((seed, count, noisy.size))
        for _ in range(count):
            probe = noise.sample(np.zeros_like(noisy), rng)
            yield probe, probe

    channels = noisy.shape[0]
    return Covariance(times, channels * float(np.sum(power)), channels * float(np.sum(np.square(power))), probes)
