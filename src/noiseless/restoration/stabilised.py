"""Noise whose strength follows the signal: made white by a map of each pixel, denoised, and taken back without bias."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Denoiser
from noiseless.generation import PlugAndPlay
from noiseless.noise import (
    AmplitudeSpeckle,
    NonCentralChi,
    Poisson,
    PoissonGaussian,
    Rician,
    Speckle,
    StabilisableNoise,
    StationaryNoise,
)
from noiseless.restoration.blocks import block_means, interpolated

Pixels = NDArray[np.floating]

FAINT = 7.0
"""Standard deviations of noise between black and white. With fewer, one pass has less signal than any network was
trained on (75 of 255 is 3.4), and its estimate is refined in several passes."""

TRUSTS = (1.0, 0.75, 0.5, 0.25)
"""The weight of the observation in each pass; the rest is the estimate of the pass before."""

LITTLE_AIR, AIR_BINS = 100, 16
"""Fewer pixels than this below the mean of air are none; the histogram of air has so many bins to four deviations."""

DARKEST = 0.003
"""Logarithms of speckle begin at this part of the bright end. What is darker shows as black, and would be all that a
denoiser sees on the logarithmic scale (0.003 to 0.03 are alike from 4 looks on; for one look 0.01 costs 0.6 dB)."""


def remove_stabilised(noise: StabilisableNoise, denoiser: Denoiser, noisy: Pixels, strength: float = 1.0) -> Pixels:
    """Stabilise, denoise at sigma 1, invert without bias.

    Where the model also says a spectrum, that is the spectrum of the stabilised noise.

    Parameters
    ----------
    noise : its parameters are in the units of ``noisy``
    denoiser : for white Gaussian noise
    noisy : (C, *space) float array
    strength : factor on the noise that is removed
    """
    if isinstance(noise, Speckle | AmplitudeSpeckle):
        darkest = DARKEST * np.percentile(noisy, 99)
        if darkest <= 0.0:
            return noisy.copy()  # an image without light has no noise that multiplies
        noisy = np.maximum(noisy, darkest).astype(noisy.dtype)
    stabilised = noise.stabilise(noisy)
    # Denoisers do not look at the scale of an image, but networks expect black near zero.
    black = np.percentile(stabilised, 1).astype(stabilised.dtype)
    if isinstance(noise, StationaryNoise):
        denoised = PlugAndPlay(denoiser)(stabilised - black, noise.spectrum(noisy.shape[1:]) * strength**2)
    else:
        denoised = denoiser(stabilised - black, strength)
    return noise.unstabilise(denoised + black)


def remove_magnitude_noise(
    noise: Rician | NonCentralChi, denoiser: Denoiser, noisy: Pixels, strength: float = 1.0
) -> Pixels:
    """As :func:`remove_stabilised`; air comes out as 0 and not as the rectified rest of its noise.

    At amplitude 0 the inverse is a square root: what noise is left above the least stabilised mean becomes positive
    amplitude, what is left below it becomes 0, and the mean of air is 0.14 sigma. But nothing save noise lies below
    that mean, and the noise above it is as much: the mirrored histogram tells which share of the pixels at each value
    is air (a local false discovery rate, Efron 2004), and the estimate is multiplied by the other share. Where there
    is no air nothing changes.

    References
    ----------
    Efron 2004, J. Am. Stat. Assoc. 99, 96, doi:10.1198/016214504000000089.
    """
    stabilised = noise.stabilise(noisy)
    black = np.percentile(stabilised, 1).astype(stabilised.dtype)
    denoised = denoiser(stabilised - black, strength) + black
    clean = noise.unstabilise(denoised)
    excess = denoised - _least_mean(noise, denoised)
    below = -excess[excess < 0]
    if below.size < LITTLE_AIR:
        return clean
    reach = 4.0 * float(np.sqrt(np.mean(np.square(below, dtype=np.float64))))
    bins = np.linspace(0.0, reach, AIR_BINS + 1)
    above, mirrored = (np.histogram(values, bins)[0] for values in (excess[excess >= 0], below))
    air = np.minimum.accumulate(np.minimum(1.0, mirrored / np.maximum(above, 1)))
    share = np.interp(excess, (bins[1:] + bins[:-1]) / 2, air, left=1.0, right=0.0)
    return np.asarray(clean * (1.0 - share), dtype=noisy.dtype)


def _least_mean(noise: StabilisableNoise, like: Pixels) -> float:
    """The stabilised mean of clean value 0: the highest that leads back to 0, by bisection."""
    low, high = 0.0, float(like.max())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if noise.unstabilise(np.array([middle]))[0] <= 0.0 else (low, middle)
    return low


def remove_photon_noise(
    noise: Poisson | PoissonGaussian, denoiser: Denoiser, noisy: Pixels, strength: float = 1.0
) -> Pixels:
    """As :func:`remove_stabilised`; at low counts in passes, from coarse to fine and from noise to estimate.

    If x' estimates the image x, then m = t y + (1 - t) x' has the mean x and the variance t^2 times that of y: m / t^2
    is photon noise again, of an image 1 / t^2 times as bright. So the stabilisation is better, and what the denoiser
    sees is less noisy, in each pass. The first passes see sums of 2x2 or 4x4 pixels, with 4 or 16 times the counts.

    References
    ----------
    Azzari & Foi 2016, IEEE Signal Process. Lett. 23, 1086, doi:10.1109/LSP.2016.2580600.
    """
    model = PoissonGaussian(noise.gain, getattr(noise, "sigma", 0.0))
    signal = noisy - noise.offset
    stabilised = model.stabilise(signal)
    low, high = np.percentile(stabilised, [0.5, 99.5])
    if high - low >= FAINT:
        return remove_stabilised(model, denoiser, signal, strength) + noise.offset
    # The noise itself spans about 4 of these; what is left tells how many sums bring the signal up to FAINT.
    blocks = 2 if high - low >= FAINT / 1.4 else 4
    estimate = np.zeros_like(signal)
    for index, trust in enumerate(TRUSTS):
        block = max(1, blocks >> index)
        mixed = (trust * signal + (1.0 - trust) * estimate) / trust**2
        coarse = block**2 * block_means(mixed, block)
        law = replace(model, sigma=model.sigma * block / trust)
        denoised = remove_stabilised(law, denoiser, coarse, max(strength, 1.0))
        estimate = interpolated(denoised / block**2, block, noisy.shape) * trust**2
    # The passes smooth by themselves, so less than all of the noise is removed by going part of the way.
    return np.asarray(signal + min(strength, 1.0) * (estimate - signal) + noise.offset)
