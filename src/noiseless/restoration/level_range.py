"""Images whose contrast is hundreds of times their noise, as in computed tomography: one range of levels at a time.

Networks learned from photographs, whose noise is not below 0.5 of 255 levels. Where contrast is more than that, bone
beside brain, they err beside the edges by as much as the noise and more, in stripes and grids. So such an image is
given to the network in ranges of levels, what is beyond a range cut off at its ends, and each pixel is made of the
results of the ranges that it lies in, with weights that fall to 0 towards their ends: hats over a row of nodes,

    x = sum over k of hat_k(y) (y + D(y_k) - y_k),   y_k = y cut off a margin beyond the nodes k - 1 and k + 1.

The phantom of a head (range 1; waves of 0.01 in the brain) with noise of 1/500, 1/1000 and 1/2000 has an error of 0.90,
1.39 and 1.99 sigma from the network, and of 0.38, 0.46 and 0.49 in this way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import array_api_compat

from noiseless.denoiser import Array, LocalDenoiser, Sigma
from noiseless.progress import counting_once
from noiseless.sigma_map import sigma_array

USUAL_CONTRAST = 256.0
"""Up to so many sigma between the least and the greatest level a network sees the image as it is."""

APART = 16.0
"""Nodes are at least so many sigma apart, and margins are as wide: ranges of 64 sigma and more."""

SHARE = 1 / 12
"""Or so many of the pixels, whichever is more: levels that few pixels have share a range, and there are about a dozen
calls of the network at most. Gaps wider than the usual contrast have a node at either side: without these the errors
above are 0.62, 0.90 and 1.10."""

LEAST_SHARE = 1 / 500
"""Pixels of ranges with less of the image, those on the edges mostly, stay as they are: a call of the network each."""

SAMPLED = 65_536


@dataclass(frozen=True)
class ByLevels:
    """A network for images of any contrast, over their noise.

    Parameters
    ----------
    denoiser : for gray images (1, *space); others are given to it as they are
    nodes : levels of the ranges; empty: chosen from each image, where its contrast asks for it
    used : for each node whether enough of the image is near it; empty: seen from each image
    """

    denoiser: LocalDenoiser
    nodes: tuple[float, ...] = ()
    used: tuple[bool, ...] = ()

    def reach(self, sigma: float, /) -> int:
        """Of the denoiser: with given nodes a pixel depends on no other level."""
        return self.denoiser.reach(sigma)

    def with_nodes_of(self, sample: Array, sigma: Sigma, /) -> "ByLevels":
        """The same for all parts of an image of which ``sample`` shows the levels."""
        nodes = nodes_of(sample, sigma) or (0.0,)
        xp = array_api_compat.array_namespace(sample)
        hats = (_hat(sample, *ends, xp) for ends in _ranges(nodes))
        return ByLevels(self.denoiser, nodes, tuple(float(xp.mean(hat)) >= LEAST_SHARE for hat in hats))

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        nodes = self.nodes or (nodes_of(noisy, sigma) if noisy.shape[0] == 1 else ())
        if len(nodes) < 2:
            return self.denoiser(noisy, sigma)
        xp = array_api_compat.array_namespace(noisy)
        margin = APART * _level(sigma, noisy, xp)
        clean = xp.zeros_like(noisy)
        for number, (low, middle, high) in enumerate(_ranges(nodes)):
            weight = _hat(noisy, low, middle, high, xp)
            share = float(xp.mean(weight))
            if not (self.used[number] and share > 0.0 if self.used else share >= LEAST_SHARE):
                clean = clean + weight * noisy
                continue
            start = low - margin
            part = xp.clip(noisy, start, high + margin) - start
            with counting_once(len(nodes)):
                denoised = self.denoiser(part, sigma)
            clean = clean + weight * (noisy + denoised - part)
        return clean


def nodes_of(noisy: Array, sigma: Sigma) -> tuple[float, ...]:
    """The levels between which ranges lie, from the least to the greatest; none where one range is enough."""
    xp = array_api_compat.array_namespace(noisy)
    values = xp.reshape(noisy, (-1,))
    low, high = float(xp.min(values)), float(xp.max(values))
    level = _level(sigma, noisy, xp)
    if not level or high - low <= USUAL_CONTRAST * level:
        return ()
    sample = xp.sort(values[:: max(1, values.shape[0] // SAMPLED)])
    count = int(sample.shape[0])
    nodes, place = [low], 0
    while True:
        place = min(place + max(1, round(SHARE * count)), count - 1)
        following = max(nodes[-1] + APART * level, float(sample[place]))
        if following >= high - APART * level:
            return _guarded((*nodes, max(high, nodes[-1] + APART * level)), APART * level, USUAL_CONTRAST * level)
        nodes.append(following)
        place = int(xp.sum(xp.astype(sample <= following, xp.int64)))


def _ranges(nodes: tuple[float, ...]) -> Iterator[tuple[float, float, float]]:
    """The node before, the node, and the one behind it; at the ends the node itself stands for what is not there."""
    return zip((nodes[0], *nodes[:-1]), nodes, (*nodes[1:], nodes[-1]), strict=True)


def _guarded(nodes: tuple[float, ...], apart: float, wide: float) -> tuple[float, ...]:
    """With a node at either side of a wide gap, so that no range reaches over it but the one of what is in it."""
    guarded = [nodes[0]]
    for low, high in pairwise(nodes):
        if high - low > wide:
            guarded += [low + apart, high - apart]
        guarded.append(high)
    return tuple(guarded)


def _hat(noisy: Array, low: float, middle: float, high: float, xp: Any) -> Array:
    """1 at the middle node, 0 at its neighbours; 1 beyond the middle where there is no neighbour."""
    rising = (noisy - low) / (middle - low) if middle > low else xp.ones_like(noisy)
    falling = (high - noisy) / (high - middle) if high > middle else xp.ones_like(noisy)
    return xp.clip(xp.minimum(rising, falling), 0.0, 1.0)


def _level(sigma: Sigma, noisy: Array, xp: Any) -> float:
    """One number for sigma: the root of its mean square."""
    if isinstance(sigma, int | float):
        return float(sigma)
    return float(xp.sqrt(xp.mean(sigma_array(sigma, noisy, xp) ** 2)))
