"""Noise that is known by its simulation alone: stabilised by its variance, met by the spectrum of its samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Denoiser
from noiseless.generation import PlugAndPlay
from noiseless.noise import NoiseModel

Pixels = NDArray[np.floating[Any]]

LEVELS = 65
# Levels at which the variance is asked for; between them it is taken to be straight.

PATCH, MARGIN = 24, 8
# Side of the constant images of which the moments are asked, and how much of them the border may spoil.

SAMPLE, LAGS = 256, 8
# Side of the constant image whose noise tells the correlation, up to 8 pixels away.


def remove_simulated(noise: NoiseModel, denoiser: Denoiser, noisy: Pixels, strength: float = 1.0) -> Pixels:
    """Remove noise whose strength follows the level and whose neighbours are correlated alike everywhere.

    The standard deviation s_c(v) of each channel on constant images of level v gives the map f_c = integral dv / s_c,
    after which the noise has sigma 1 everywhere. Its spectrum is that of a sample on a constant image of middle level;
    half-quadratic splitting does the rest. The correlation between channels is not used.

    Parameters
    ----------
    noise : any model; its parameters are in the units of ``noisy``
    denoiser : for white Gaussian noise
    noisy : (C, *space) float array
    strength : factor on the noise that is removed
    """
    levels, means, deviations = _moments(noise, noisy)
    if not deviations.any():
        return noisy.copy()
    steps = (1.0 / deviations[:, 1:] + 1.0 / deviations[:, :-1]) / 2 * np.diff(levels)
    curves = np.concatenate([np.zeros((len(noisy), 1)), np.cumsum(steps, axis=1)], axis=1)
    # Equal ranges for all channels, so that gray stays gray for a network that knows colours.
    spans = curves[:, -1] / curves[:, -1].mean()
    stabilised = np.stack([_mapped(*each) for each in zip(noisy, means, curves / spans[:, np.newaxis], strict=True)])
    spectrum = _spectrum(noise, noisy) / np.square(spans).reshape(-1, *[1] * (noisy.ndim - 1)) * strength**2
    denoised = PlugAndPlay(denoiser)(stabilised.astype(np.float32), spectrum)
    back = zip(denoised, curves / spans[:, np.newaxis], strict=True)
    return np.stack([_mapped(channel, curve, levels) for channel, curve in back]).astype(noisy.dtype)


def _moments(noise: NoiseModel, noisy: Pixels) -> tuple[NDArray[np.float64], ...]:
    """Clean levels (L,), and for each channel (C, L) the mean noisy value and the standard deviation."""
    low, high = (float(value) for value in np.percentile(noisy, [0.1, 99.9]))
    levels = np.linspace(low, max(high, low + 1e-6 * max(abs(low), 1.0)), LEVELS)
    shape = (len(noisy), *[1] * (noisy.ndim - 3), PATCH, PATCH)
    inner = (..., slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    axes = tuple(range(1, noisy.ndim))
    means, deviations = np.empty((len(noisy), LEVELS)), np.empty((len(noisy), LEVELS))
    for index, level in enumerate(levels):
        flat = np.full(shape, level)
        means[:, index] = noise.mean(flat)[inner].mean(axis=axes)
        deviations[:, index] = np.sqrt(noise.variance(flat)[inner].mean(axis=axes))
    # Means must rise to be turned round; deviations must not vanish to be divided by.
    means = np.maximum.accumulate(means + 1e-9 * (levels - low), axis=1)
    return levels, means, np.maximum(deviations, 1e-3 * deviations.max())


def _mapped(values: Pixels, points: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """Straight between the points, and on beyond them with the slope of the last two."""
    result = np.interp(values, points, onto)
    for end, beside, outside in ((0, 1, values < points[0]), (-1, -2, values > points[-1])):
        if outside.any():
            slope = (onto[end] - onto[beside]) / (points[end] - points[beside])
            result = np.where(outside, onto[end] + slope * (values - points[end]), result)
    return np.asarray(result, dtype=np.float64)


def _spectrum(noise: NoiseModel, noisy: Pixels) -> NDArray[np.float64]:
    """The power of the noise of each channel over the grid of ``noisy``, (C, *space), of mean 1."""
    space = noisy.shape[1:]
    flat = np.full((len(noisy), *[1] * (len(space) - 2), SAMPLE, SAMPLE), float(np.median(noisy)))
    change = noise.sample(flat, np.random.default_rng(0))
    change = change.reshape(len(noisy), -1, SAMPLE, SAMPLE).mean(axis=1)
    change -= change.mean(axis=(1, 2), keepdims=True)
    covariance = np.fft.ifft2(np.abs(np.fft.fft2(change)) ** 2).real
    lags = np.arange(-LAGS, LAGS + 1)
    # A taper makes what is cut off beyond the last lag fade, and keeps the spectrum from ringing below 0.
    taper = np.cos(np.pi * lags / (2 * LAGS + 2)) ** 2
    kernel = np.zeros((len(noisy), *space[-2:]))
    for row, down in zip(lags, taper, strict=True):
        for column, across in zip(lags, taper, strict=True):
            kernel[:, row % space[-2], column % space[-1]] += down * across * covariance[:, row, column]
    power = np.maximum(np.fft.fft2(kernel).real, 0.0)
    power /= power.mean(axis=(1, 2), keepdims=True)
    return np.broadcast_to(power.reshape(len(noisy), *[1] * (len(space) - 2), *space[-2:]), noisy.shape).copy()
