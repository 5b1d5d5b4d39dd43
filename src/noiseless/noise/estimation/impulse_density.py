"""Are there impulses among the pixels of one channel, how many, and which pixels are they?

An impulse is a pixel that its neighbours do not explain. So are highlights, stars and text, which is what the rules
here are about: impulses fall independently, hence they stand alone, while what belongs to the image comes in groups.
Two kinds are looked for:

* **extremes** (salt and pepper): pixels that have exactly the smallest or the largest value, and are far from the
  other pixels around them. Clipped noise piles up at the same values, but never far from its surroundings.
* **misfits** (random values, hot pixels): pixels far from the median of their neighbours, measured by how far the
  neighbours themselves are from theirs.

Either density is the number of finds over the number of pixels at which an impulse would have been found.

References
----------
Garnett, Huegerich, Chui & He 2005, IEEE TIP 14, 1747, doi:10.1109/TIP.2005.857261: rank-ordered differences.
Hwang & Haddad 1995, IEEE TIP 4, 499, doi:10.1109/83.370679: extremes of a window that are impulses.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

REACH = 2
# Surroundings are squares of 5x5 pixels: at a density of 0.5 a dozen of them are no impulses.

FEWEST = 3
# Fewer than three pixels that are no impulses say nothing of the surroundings.

FAR, FLOOR = 4.0, 0.75
# An extreme is an impulse when it is 4 standard deviations from its surroundings: Gaussian noise that was clipped is
# as far in 3e-5 of the pixels. The deviation of two dozen pixels scatters by 15 %, so that 3/4 of the typical one of
# the whole image is the least that is believed; without this, clipped noise of 50 grey levels was called impulses.

ODD_ONE_OUT, QUARTILE, BUSIEST = 5.0, 1.49, 6.0
# A misfit differs from its four nearest neighbours in value by 5 times what the pixels around do (white Gaussian noise
# in 4e-4 of the pixels, by simulation). That is at least 1.49 times the lower quartile over the image, which is the
# median of white noise and holds up to a density of one half, and at most 6 times as much.

OUTLYING, TIGHTER, DENSE = (4.5, 4.5, 4.5), (2.5, 3.0, 3.5, 4.5), 0.08
# The finds are then left out, and a pixel is one that is 4.5 standard deviations from the others around it: the
# deviation shrinks as more are found. Where the first finds are dense, it begins with fewer deviations.

BEYOND, FAR_BEYOND, EXTREMES_BEYOND = 1.25, 0.3, 0.2
# Of impulses many are further out than 1.25 times the bound; tails of Gaussian, clipped and Poisson noise end there.

LEAST_DENSITY = 0.0012
# Photographs show more finds that stand alone in fewer than 1 % of the cases: see benchmarks/noise_recognition.py.

CROWDED, ALONE = 1.6, 0.35
# Finds are no impulses when they have more than 1.6 times as many finds among their eight neighbours as independent
# ones would, and 0.35 more. Text and glints have 1 to 5 more.

TYPICAL_OF = 16_384
# So many pixels tell what is typical of an image to about 1 %.

BAND = 32
# Rows that are looked at together: a dozen images of a band fit into the cache of a core.


@dataclass(frozen=True, eq=False)
class Impulses:
    """The impulses of one channel. ``kind`` is "none", "salt-and-pepper" or "random".

    ``density`` is their share of the pixels, 0 where there are none; ``low`` and ``high`` are the two values, or the
    bounds of random ones, in the units of the channel; ``salt`` is the part of them that is brighter than its
    surroundings (hot pixels: nearly 1). ``mask`` has the shape of the channel, and is True where a pixel is one; it is
    False everywhere for "none".
    """

    kind: str
    density: float
    low: float
    high: float
    salt: float
    mask: NDArray[np.bool_]


def measure_impulses(channel: NDArray[Any]) -> Impulses:
    """The impulses of one channel, (Y, X) or (Z, Y, X): their kind, density and places; volumes plane by plane.

    Impulses that happen to fit in with their surroundings are counted in ``density``, but cannot be in ``mask``. Salt
    and pepper is measured to 5 % from a density of 0.002 to 0.5; random values to 10 % from 0.002 to 0.2, 15 % too low
    at 0.35, and not recognised from 0.4 on, where most squares of nine pixels hold too many. Beside noise of 20 (of
    255) a third of the random values stand out; beside noise of 50 hardly any do.
    """
    volume = channel.reshape((-1, *channel.shape[-2:])).astype(np.float32, copy=False)
    low, high = float(volume.min()), float(volume.max())
    nothing = Impulses("none", 0.0, low, high, 0.0, np.zeros(channel.shape, bool))
    if min(volume.shape[1:]) < 2 * REACH + 1 or low == high:
        return nothing
    extreme = (volume == low) | (volume == high)
    if np.count_nonzero(extreme) >= LEAST_DENSITY / 2 * extreme.size:
        found = _extremes(volume, extreme, low, high)
        if found is not None:
            return _impulses(found, volume, "salt-and-pepper", channel.shape)
    found = _misfits(volume)
    return nothing if found is None else _impulses(found, volume, "random", channel.shape)


@dataclass(frozen=True, eq=False)
class _Found:
    mask: NDArray[np.bool_]
    density: float
    above: NDArray[np.bool_]  # which pixels are brighter than their surroundings


def _impulses(found: _Found, volume: NDArray[np.float32], kind: str, shape: tuple[int, ...]) -> Impulses:
    values = volume[found.mask]
    salt = float(np.mean(found.above[found.mask]))
    return Impulses(kind, found.density, float(values.min()), float(values.max()), salt, found.mask.reshape(shape))


def _extremes(volume: NDArray[np.float32], extreme: NDArray[np.bool_], low: float, high: float) -> _Found | None:
    """Salt and pepper, or None. Each of the two values is judged by itself: there may be salt only."""
    mean, scale, count = _surroundings(volume, ~extreme)
    known = count >= FEWEST
    # Half a step of rounding is no spread: low counts of photons are next to 0 and yet far from it in deviations.
    scale = np.maximum(scale, np.float32(0.6 * _step(volume[~extreme])))
    mask = np.zeros(volume.shape, bool)
    density = 0.0
    for value in (low, high):
        away = np.abs(mean - np.float32(value))
        open_to = known & (away > FAR * scale)
        alike = volume == np.float32(value)
        finds = open_to & alike
        share = float(finds.sum()) / max(1.0, float(open_to.sum()))
        if np.count_nonzero(open_to) < 0.01 * volume.size or share < LEAST_DENSITY / 2:
            continue
        beyond = np.mean(away[finds] > BEYOND * FAR * scale[finds])
        if beyond < EXTREMES_BEYOND or _crowded(finds, open_to, share):
            continue
        # Where impulses are common, less surprise is needed: the normal tail beyond this is under a tenth of them.
        mask |= known & alike & (away > min(FAR, float(np.sqrt(2 * np.log(5 / share)))) * scale)
        density += share
    if density < LEAST_DENSITY:
        return None
    # Extremes with nothing but extremes around them are impulses as well where these are dense.
    mask |= extreme & ~known & (density > 0.3)
    return _Found(mask, min(density, 1.0), volume == np.float32(high))


def _step(values: NDArray[np.float32]) -> float:
    """The least spacing of values of which there are few, 0 where there are many."""
    different = np.unique(_some(values, 4096))
    return float(np.diff(different).min()) if 1 < len(different) <= 256 else 0.0


def _misfits(volume: NDArray[np.float32]) -> _Found | None:
    """Random-valued impulses or hot pixels, or None."""
    oddness = _oddness(volume)
    typical = np.float32(QUARTILE * np.quantile(_some(oddness, TYPICAL_OF), 0.25))
    mask = oddness > ODD_ONE_OUT * typical
    around = _median_of_nine([each[mask] for each in _around(oddness, 2)])
    mask[mask] = oddness[mask] > ODD_ONE_OUT * np.clip(around, typical, BUSIEST * typical)
    if mask.mean() < LEAST_DENSITY / 4:
        return None
    step = _step(volume)
    for outlying in TIGHTER if mask.mean() > DENSE else OUTLYING:
        mean, spread, count = _surroundings(volume, ~mask)
        known = count >= FEWEST
        bound = outlying * np.maximum(spread, np.float32(step))
        away = np.abs(volume - mean)
        mask = known & (away > bound)
    if not mask.any() or np.mean(away[mask] > BEYOND * bound[mask]) < FAR_BEYOND:
        return None
    # A value uniform between the bounds of those found is further away than ``bound`` with the probability 1 - missed.
    least, most = np.quantile(volume[mask], (0.02, 0.98))
    missed = (np.minimum(mean + bound, most) - np.maximum(mean - bound, least)) / max(most - least, _TINY)
    seen = np.where(known, 1.0 - np.clip(missed, 0.0, 1.0), 0.0)
    total = float(seen.sum(dtype=np.float64))
    density = float(mask.sum()) / max(total, 1.0)
    if total < 0.05 * volume.size or not LEAST_DENSITY <= density <= 1.0:
        return None
    if _crowded(mask, known, float(mask.mean())):
        return None
    return _Found(mask, density, volume > mean)


def _oddness(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sum of the differences to the four neighbours, of eight, that are nearest in value.

    Of two sorted fours, a and b, the least four of all eight are min(a_i, b_(3 - i)).
    """
    oddness = np.empty_like(volume)
    nine = _around(volume)
    for top in range(0, volume.shape[1], BAND):  # in bands that stay in the cache
        rows = slice(top, top + BAND)
        neighbours = [image[:, rows] for image in nine]
        centre = neighbours.pop(4)
        distances = [np.abs(neighbour - centre) for neighbour in neighbours]
        first, second = _sorted_four(distances[:4]), _sorted_four(distances[4:])
        oddness[:, rows] = sum(np.minimum(a, b) for a, b in zip(first, second[::-1], strict=True))
    return oddness


def _sorted_four(four: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    four = list(four)
    for low, high in ((0, 1), (2, 3), (0, 2), (1, 3), (1, 2)):
        four[low], four[high] = np.minimum(four[low], four[high]), np.maximum(four[low], four[high])
    return four


def _crowded(finds: NDArray[np.bool_], open_to: NDArray[np.bool_], share: float) -> bool:
    """Whether finds keep each other company: impulses have share * (open pixels among the eight) neighbours."""
    beside = _sum_around(finds, 1) - finds
    room = _sum_around(open_to, 1) - open_to
    expected = share * float(room[finds].mean())
    return float(beside[finds].mean()) > CROWDED * expected + ALONE


def _surroundings(
    volume: NDArray[np.float32], trusted: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Mean, standard deviation and number of the trusted pixels in the square around each."""
    count = _sum_around(trusted, REACH)
    safe = np.maximum(count, 1)
    centre = np.float32(volume.mean(dtype=np.float64))  # spares float32 its digits
    values = np.where(trusted, volume - centre, np.float32(0))
    mean = _sum_around(values, REACH) / safe
    square = _sum_around(values * values, REACH) / safe
    spread = np.sqrt(np.maximum(square - mean * mean, np.float32(1e-6) * square))
    return mean + centre, np.maximum(spread, np.float32(FLOOR * np.median(_some(spread, TYPICAL_OF)))), count


def _some(values: NDArray[Any], wanted: int) -> NDArray[Any]:
    """At least ``wanted`` of the values, evenly spread, if there are as many."""
    return values.reshape(-1)[:: max(1, values.size // wanted)]


def _sum_around(values: NDArray[Any], reach: int) -> NDArray[np.float32]:
    """Sums over squares of 2 reach + 1 pixels; the image goes on beyond its border as its mirror image."""
    total = values.astype(np.float32)
    for axis in (-1, -2):
        width = [(0, 0)] * total.ndim
        width[axis] = (reach, reach)
        padded = np.pad(total, width, mode="reflect")
        length = total.shape[axis]
        total = sum((_slice(padded, axis, i, length) for i in range(1, 2 * reach + 1)), _slice(padded, axis, 0, length))
    return np.asarray(total)


def _slice(values: NDArray[Any], axis: int, start: int, length: int) -> NDArray[Any]:
    index: list[Any] = [slice(None)] * values.ndim
    index[axis] = slice(start, start + length)
    return np.asarray(values[tuple(index)])


def _around(values: NDArray[np.float32], apart: int = 1) -> list[NDArray[np.float32]]:
    """The nine pixels at distances of -apart, 0 and apart on both axes of the plane, each as an image."""
    padded = np.pad(values, [(0, 0), (apart, apart), (apart, apart)], mode="reflect")
    _, height, width = values.shape
    return [padded[:, y : y + height, x : x + width] for y in (0, apart, 2 * apart) for x in (0, apart, 2 * apart)]


def _median_of_nine(nine: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The median of nine images, pixel by pixel: sort each three, then the median of what lies in the middle.

    It is the median of the largest minimum, the median of medians, and the smallest maximum of the three.
    """
    sorted_threes = [_sorted(*nine[i : i + 3]) for i in (0, 3, 6)]
    lows, middles, highs = zip(*sorted_threes, strict=True)
    largest_low = np.maximum(np.maximum(lows[0], lows[1]), lows[2])
    smallest_high = np.minimum(np.minimum(highs[0], highs[1]), highs[2])
    return _sorted(largest_low, _sorted(*middles)[1], smallest_high)[1]


def _sorted(
    first: NDArray[np.float32], second: NDArray[np.float32], third: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    less, more = np.minimum(first, second), np.maximum(first, second)
    middle = np.minimum(more, third)
    return np.minimum(less, middle), np.maximum(less, middle), np.maximum(more, third)


_TINY = float(np.finfo(np.float32).tiny)
