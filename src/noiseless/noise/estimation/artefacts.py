"""What a channel went through before it came here: JPEG blocks, resampling; and is its noise only texture?

Each question has one statistic, whose values for photographs without the artefact stand beside its threshold.

* JPEG cuts the image into blocks of 8x8 pixels, and rounds their cosine coefficients: in these blocks, and in no others
  of the same size, most of the highest coefficients vanish. Where that was coarse, differences of neighbours across a
  border of blocks are larger than the two beside them, in every eighth column and row, and nowhere else.
* Interpolation makes a pixel that lies between two old ones smoother than one that lies on an old one. The size of
  second differences then has a period along the axis, which is a peak in the spectrum of its profile (Gallagher). When
  the image is enlarged by a whole factor there is no such peak, yet the highest frequencies are empty.
* Texture and noise: noise has the same energy in all patches and texture has not, and the spectrum of texture falls.

References
----------
Gallagher 2005, Canadian Conference on Computer and Robot Vision, 65, doi:10.1109/CRV.2005.33: second differences.
Popescu & Farid 2005, IEEE TSP 53, 758, doi:10.1109/TSP.2004.839932: traces of resampling.
Fan & de Queiroz 2003, IEEE TIP 12, 230, doi:10.1109/TIP.2002.807361: recognising JPEG by its grid.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .correlation import Correlation

BLOCK = 8
HIGHEST, BASE = 3, 1e-3
# The coefficients looked at are those with both frequencies among the 3 highest; added to their squares, for the
# logarithm, is this part of the mean.

GRID_SCORE, GRID_DEPTH = 4.5, 0.15
# Standard deviations, and nats, by which the log power on the grid lies below that on the 49 others that share no
# border with it. CID22val, noise of 0, 5 and 25: after JPEG of quality 50 to 95 at least 6.9 and 0.24, at the true
# offset in all, and without JPEG at most 5.3 and 0.13; shots of PolyU at least 5.0 and 0.9.

BORDER_SCORE = 4.5
# Standard errors by which the borders stand out, on the axis where they do less. 41 photographs of CID22 (PNG) with
# noise of 0, 2, 5, 15 and 50: median 1.3 to 1.8, at most 3.5. JPEG of quality 80 and less: at least 4.8, median 11;
# of 90: median 12 clean, 4 with noise of 5. The shots of PolyU: 13 and more.

HALFWAY = 1.5
# The highest of three phases is above the mean of seven by chance; this makes up for it.

PERIOD_SCORE = 14.0
# The peak over the median of its 41 neighbours, on the axis where it is less. CID22 (with noise of 0, 5, 25), BSD400,
# PolyU: median 6.5 to 7.7, at most 10.8; halved or shrunk to 0.7: the same, this is not seen. Enlarged 1.2 to 3 times
# (not twice), linear or cubic: median 120 to 500 clean, at least 380 where noise of 10 was enlarged along.

LOWEST, AROUND = 0.1, 20
# Cycles a pixel below which the image itself makes peaks; half of the neighbours whose median is the floor.

EMPTY = 0.006
# Power above 0.85 of the Nyquist frequency over that at 0.4 to 0.5, rounding taken off both. CID22: at least 0.011,
# BSD400 and PolyU 0.03; enlarged twice: median 0.001 (cubic), 0.002 (linear).

ROUNDING = 3.0
# So many times the power of rounding, step^2 / 12, is empty as well; where the middle has 30 times as much.

LARGEST, GRID_SIDE = 1024, 256
# Pixels a side that are looked at, from the middle of a larger image; and for the grid.

TEXTURE = (-2.26, 1.39, 3.25)
# The logistic regression, both answers as likely, of "sigma is more than 1.8 times too high" on the logarithms of
# growth and of ``low``: 847 measurements of clean photographs (CID22, BSD400, train/photos) and of the same with white
# or blurred noise of 5 to 50. Above one half: 86 % of the former, 1 % of white noise, 14 % of correlated noise.


@dataclass(frozen=True)
class JpegGrid:
    """Whether there is a grid of 8x8 blocks, where the first whole block begins (y, x), and how clear it is.

    ``depth`` is by how many nats the high frequencies on the grid are weaker than on others, ``score`` the same in
    standard deviations of the others. ``visible``: the borders of blocks stand out, so JPEG was coarser than the noise.
    """

    found: bool
    offset: tuple[int, int]
    score: float
    depth: float
    visible: bool


@dataclass(frozen=True)
class Resampling:
    """Whether the channel was interpolated: ``periodic`` by its second differences, ``empty`` by its top frequencies.

    ``frequency`` is that of the peak along X in cycles a pixel (1/s or its alias for an enlargement by s), ``score``
    its height; ``top`` the power of the highest frequencies over that of the middle ones.
    """

    periodic: bool
    empty: bool
    frequency: float
    score: float
    top: float

    @property
    def found(self) -> bool:
        """Whether either says so. A photograph that is out of focus everywhere has empty top frequencies too."""
        return self.periodic or self.empty


def jpeg_grid(channel: NDArray[Any]) -> JpegGrid:
    """The grid of 8x8 blocks in which JPEG rounded a channel (Y, X) or (Z, Y, X), if there is one.

    For each of the 64 grids, the mean logarithm of the squared coefficients of high frequency, over the blocks on that
    grid. JPEG has made most of them vanish on its own grid; every other block crosses a border and has all frequencies.
    The logarithm does not mind edges. An image that was cropped after JPEG is found as well; one that was resampled,
    strongly denoised, or had noise of 5 grey levels added is not. Planes of less than 64 pixels across are never told.
    """
    planes = _middle(channel, GRID_SIDE)
    if min(planes.shape[1:]) < 8 * BLOCK:
        return JpegGrid(found=False, offset=(0, 0), score=0.0, depth=0.0, visible=False)
    level = _high_frequencies(planes)
    y, x = (int(index) for index in np.unravel_index(np.argmin(level), level.shape))
    others = np.delete(np.delete(level, y, 0), x, 1)
    typical = float(np.median(others))
    spread = 1.4826 * float(np.median(np.abs(others - typical)))
    depth = typical - float(level[y, x])
    score = depth / spread if spread > 0.0 else 0.0
    # Enlargement by 2 or 4 makes several grids equally weak.
    alone = float(others.min()) - float(level[y, x]) > depth / 2
    found = score > GRID_SCORE and depth > GRID_DEPTH and alone
    whole = _middle(channel, LARGEST)
    visible = found and min(_border_score(whole.swapaxes(-1, -2)), _border_score(whole)) > BORDER_SCORE
    return JpegGrid(found, (y, x), score, depth, visible)


def resampled(channel: NDArray[Any], step: float = 0.0) -> Resampling:
    """Whether a channel (Y, X) or (Z, Y, X) was enlarged by interpolation, its noise included.

    Parameters
    ----------
    step : the spacing of the stored values, 0 where they are continuous: rounding fills the top frequencies again.
    """
    planes = _middle(channel, LARGEST)
    if min(planes.shape[1:]) < 8 * BLOCK:
        return Resampling(periodic=False, empty=False, frequency=0.0, score=0.0, top=1.0)
    (across, frequency), (down, _) = _periodicity(planes), _periodicity(planes.swapaxes(-1, -2))
    score = min(across, down)
    top, middle = _top_and_middle(planes)
    rounding = step**2 / 12.0
    share = max(top - rounding, 0.0) / max(middle - rounding, _TINY)
    empty = middle > 30 * rounding and middle > 0.0 and (share < EMPTY or top < ROUNDING * rounding)
    return Resampling(score > PERIOD_SCORE, bool(empty), frequency, score, float(share))


def texture_only(correlation: Correlation) -> float:
    """The probability, 0 to 1, that the sigma measured is mostly texture: that it is 1.8 times too high or more.

    From how unequal the energy of calm patches is (``growth``) and how much the spectrum falls (``low``). White noise
    has neither. Correlated noise falls as texture does, and a lawn is as stationary as noise: where the two meet
    nothing in one image can tell them apart, and the answer is near one half. Noise that went through JPEG is stronger
    beside texture than in flat blocks, and is taken for it (47 of 50 shots of PolyU): ask ``jpeg_grid`` first.
    """
    constant, growth, low = TEXTURE
    exponent = constant + growth * np.log(np.clip(correlation.growth, 0.03, 10.0))
    exponent += low * np.log(np.clip(correlation.low, 0.5, 4.0))
    return float(1.0 / (1.0 + np.exp(-exponent)))


def _middle(channel: NDArray[Any], largest: int) -> NDArray[np.float32]:
    """The middle of at most eight planes, as (Z, Y, X)."""
    volume = channel.reshape((-1, *channel.shape[-2:]))
    volume = volume[:: max(1, -(-len(volume) // 8))]
    # The crop begins at a multiple of the block, so that the offset of the grid stays.
    y, x = (max(0, (length - largest) // 2) // BLOCK * BLOCK for length in volume.shape[1:])
    return volume[:, y : y + largest, x : x + largest].astype(np.float32, copy=False)


def _high_frequencies(planes: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean log power of the high frequencies on each of the 64 grids of blocks, (8, 8)."""
    rows, columns = (length // BLOCK for length in (planes.shape[1] - BLOCK + 1, planes.shape[2] - BLOCK + 1))
    level = np.zeros((len(planes), rows * BLOCK, columns * BLOCK), np.float32)
    for across in _waves(planes, level.shape[2]):
        for wave in _waves(across.swapaxes(1, 2), level.shape[1]):
            power = np.square(wave.swapaxes(1, 2))
            level += np.log(power + np.float32(BASE * power.mean() + _TINY))
    level /= HIGHEST**2
    return np.asarray(level.reshape(-1, rows, BLOCK, columns, BLOCK).mean(axis=(0, 1, 3), dtype=np.float64))


def _waves(planes: NDArray[np.float32], count: int) -> Iterator[NDArray[np.float32]]:
    """The coefficients of the highest frequencies along the last axis, of blocks that begin at the first ``count``."""
    x = np.arange(BLOCK) + 0.5
    for frequency in range(BLOCK - HIGHEST, BLOCK):
        wave = (np.cos(np.pi * frequency * x / BLOCK) / 2).astype(np.float32)  # orthonormal: sqrt(2 / 8) = 1 / 2
        yield np.asarray(sum(weight * planes[..., i : i + count] for i, weight in enumerate(wave)))


def _border_score(planes: NDArray[np.float32]) -> float:
    """By how many standard errors differences along X stand out in one phase of eight.

    For every position between two pixels, the mean over all lines of sign(|d| - mean of the two |d| beside it), d the
    difference of the two. Signs do not mind edges, nor the strength of the noise.
    """
    size = np.abs(np.diff(planes, axis=-1))
    signs = np.sign(2.0 * size[..., 1:-1] - size[..., :-2] - size[..., 2:])
    profile = signs.mean(axis=(0, 1), dtype=np.float64)
    profile = profile[: len(profile) // BLOCK * BLOCK].reshape(-1, BLOCK)
    phase = int(np.argmax(profile.mean(axis=0)))
    others = np.delete(profile, phase, axis=1)
    error = float(others.std()) / len(profile) ** 0.5
    border = float(profile[:, phase].mean())
    # An image enlarged 2 or 4 times has that period, of which 8 is a multiple: half a block away must differ as well.
    halfway = float(profile[:, [(phase + step) % BLOCK for step in (2, 4, 6)]].mean(axis=0).max())
    excess = min(border - float(others.mean()), HALFWAY * (border - halfway))
    return excess / error if error > 0 else 0.0


def _periodicity(planes: NDArray[np.float32]) -> tuple[float, float]:
    """Of the mean size of second differences along X: the highest peak of its spectrum over the floor, and where."""
    size = np.abs(np.diff(planes, n=2, axis=-1))
    limit = 4.0 * (float(np.median(size[..., ::3, ::3])) + 0.3 * float(size.mean(dtype=np.float64)))
    profile = np.minimum(size, np.float32(limit)).mean(axis=(0, 1), dtype=np.float64)
    if limit == 0.0:
        return 0.0, 0.0
    # Additive: a floor of rounding must not let single quiet columns take over the logarithm.
    profile = np.log(profile + 1e-3 * limit)
    profile = (profile - profile.mean()) * np.hanning(len(profile))
    power = np.square(np.abs(np.fft.rfft(profile)))
    frequency = np.arange(len(power)) / len(profile)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(power, AROUND, mode="reflect"), 2 * AROUND + 1)
    height = power / np.maximum(np.median(around, axis=-1), _TINY)
    # JPEG makes peaks at all multiples of 1/8 alike, as wide as the window of Hann: what is above the first counts.
    multiple = np.round(frequency * BLOCK)
    of_blocks = np.abs(frequency * BLOCK - multiple) <= 2.5 * BLOCK / len(profile)
    first = of_blocks & (multiple == 1)
    height[of_blocks] /= max(1.0, float(height[first].max(initial=0.0)))
    height[(frequency <= LOWEST) | first] = 0.0
    best = int(np.argmax(height))
    return float(height[best]), float(frequency[best])


def _top_and_middle(planes: NDArray[np.float32]) -> tuple[float, float]:
    """Power density above 0.85 of the Nyquist frequency of either axis, and between 0.4 and 0.5 of it."""
    window = np.hanning(planes.shape[1])[:, np.newaxis] * np.hanning(planes.shape[2])
    centred = (planes - planes.mean(axis=(1, 2), keepdims=True)) * window.astype(np.float32)
    power = np.square(np.abs(np.fft.rfft2(centred))).mean(axis=0) / np.square(window).sum()
    y = 2.0 * np.abs(np.fft.fftfreq(planes.shape[1]))[:, np.newaxis]
    highest = np.maximum(y, 2.0 * np.fft.rfftfreq(planes.shape[2]))
    return float(power[highest > 0.85].mean()), float(power[(highest > 0.4) & (highest < 0.5)].mean())


_TINY = float(np.finfo(np.float32).tiny)
