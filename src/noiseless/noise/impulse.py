"""Noise that replaces pixels: salt and pepper, random values, and the hot pixels of a sensor.

Every law here is a mixture: with probability ``density`` a pixel is replaced, otherwise it keeps the value it has.
Kept and replaced values live on different sets (a point, two points, an interval), so log-likelihoods are logarithms
of densities with respect to Lebesgue measure *plus* a unit mass at every point that has a probability of its own. At
such a point only masses count: against them a density is nothing. ``noise.composition`` lays impulses over other
noise by the same rule, through ``log_mixture``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import number
from noiseless.errors import InvalidImage, InvalidParameter

from .outliers import misfits, misplaced_extremes


@dataclass(frozen=True)
class SaltAndPepper:
    """A share of the pixels is replaced by one of two values, each as likely as the other.

    P(noisy = low) = P(noisy = high) = density / 2, P(noisy = clean) = 1 - density. Channels are independent.

    Parameters
    ----------
    density : 0 to 1. The share of replaced pixels; more is worse.
    low, high : the two values, in the units of the image; 0 and 255 are those of 8 bits. low < high.

    Raises
    ------
    InvalidParameter : density is not in [0, 1], or low is not below high, or one is not finite.
    """

    density: float
    low: float = 0.0
    high: float = 255.0

    def __post_init__(self) -> None:
        _check(self)

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """``clean`` with replaced pixels; a new array of its shape and dtype.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        _check_floating(clean)
        chance = rng.random(clean.shape)
        noisy = np.where(chance < self.density, clean.dtype.type(self.high), clean)
        noisy[chance < self.density / 2] = self.low
        return noisy

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """(1 - density) clean + density (low + high) / 2."""
        return _mean(self, clean)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """Within and between: density ((high - low) / 2)^2 + density (1 - density) (clean - (low + high) / 2)^2."""
        return _variance(self, clean, ((self.high - self.low) / 2) ** 2)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
        """The log of P(noisy | clean) for each pixel: a probability, not a density; -inf off the three values.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """
        return self.log_mixture(noisy, _log_untouched(noisy, clean), kept_is_discrete=True)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels."""
        return float(self.log_density(noisy, clean).sum())

    def log_mixture(
        self, noisy: NDArray[Any], log_kept: NDArray[np.float64], *, kept_is_discrete: bool
    ) -> NDArray[np.float64]:
        """The log-density of each pixel, given that of the value it would have kept; see the module for the measure."""
        with np.errstate(divide="ignore"):
            half = np.log(self.density / 2)
        number = noisy.dtype.type
        log_replaced = np.where((noisy == number(self.low)) | (noisy == number(self.high)), half, -np.inf)
        return _mixed(log_kept, log_replaced, self.density, kept=kept_is_discrete, replaced=True)

    def detect(self, noisy: NDArray[Any]) -> NDArray[np.bool_]:
        """The pixels that are ``low`` or ``high`` and do not fit in with their neighbours.

        The neighbours are those that are not extreme, and as many extreme ones as are beyond what ``density`` explains
        (a white sky is white), in the smallest square that holds enough of them. An extreme pixel belongs to the image
        if it is near their mean: within 0.7 local standard deviations, and within more where the image has extreme
        pixels of its own, as clipped noise has. Replaced pixels that had the value already are not found.

        Raises
        ------
        InvalidImage : there are fewer than two spatial axes.
        """
        _check_plane(noisy)
        return misplaced_extremes(noisy, self.density, self.low, self.high)


@dataclass(frozen=True)
class RandomImpulses:
    """A share of the pixels is replaced by a value that is uniform between two bounds.

    Noisy = clean with probability 1 - density, else uniform on [low, high]. Channels are independent.

    Parameters
    ----------
    density : 0 to 1. The share of replaced pixels; more is worse.
    low, high : the bounds, in the units of the image. low < high.

    Raises
    ------
    InvalidParameter : density is not in [0, 1], or low is not below high, or one is not finite.
    """

    density: float
    low: float = 0.0
    high: float = 255.0

    def __post_init__(self) -> None:
        _check(self)

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """``clean`` with replaced pixels; a new array of its shape and dtype.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        _check_floating(clean)
        replaced = rng.random(clean.shape) < self.density
        noisy = clean.copy()
        noisy[replaced] = rng.uniform(self.low, self.high, np.count_nonzero(replaced))
        return noisy

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """(1 - density) clean + density (low + high) / 2."""
        return _mean(self, clean)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """Within and between: density (high - low)^2 / 12 + density (1 - density) (clean - (low + high) / 2)^2."""
        return _variance(self, clean, (self.high - self.low) ** 2 / 12)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
        """The log of a mass, 1 - density, where noisy is clean; elsewhere in the bounds log(density / (high - low)).

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """
        return self.log_mixture(noisy, _log_untouched(noisy, clean), kept_is_discrete=True)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels."""
        return float(self.log_density(noisy, clean).sum())

    def log_mixture(
        self, noisy: NDArray[Any], log_kept: NDArray[np.float64], *, kept_is_discrete: bool
    ) -> NDArray[np.float64]:
        """The log-density of each pixel, given that of the value it would have kept; see the module for the measure."""
        log_replaced = np.where(_within(noisy, self.low, self.high), _log_uniform(self), -np.inf)
        return _mixed(log_kept, log_replaced, self.density, kept=kept_is_discrete, replaced=False)

    def detect(self, noisy: NDArray[Any]) -> NDArray[np.bool_]:
        """The pixels that differ from their most similar neighbours by more than the local texture and noise do.

        r, the mean difference to the four most similar of eight neighbours, is taken to have an exponential tail in
        kept pixels, with the local scale s: a pixel is called replaced where that is the likelier of the two,
        r > 0.35 s log((1 - density) / density * (high - low) / s). Two passes: the second without the first's finds.

        Raises
        ------
        InvalidImage : there are fewer than two spatial axes.
        """
        _check_plane(noisy)
        found, _ = misfits(noisy, self.density, self.low, self.high)
        return found


@dataclass(frozen=True)
class HotPixels:
    """Defective pixels of a sensor: bright, whatever the scene.

    A defect replaces a pixel by a value uniform on [low, high]. It is a property of the place: in a volume or a video
    (C, Z, Y, X) it sits at the same (C, Y, X), with the same value, in every plane Z. Channels are independent, since
    the colours of a sensor have photosites of their own.

    Parameters
    ----------
    density : 0 to 1. The share of defective pixels; sensors have 0.0001 to 0.01.
    low, high : bounds of the stuck value, in the units of the image; by default the upper half of 8 bits. low < high.

    Raises
    ------
    InvalidParameter : density is not in [0, 1], or low is not below high, or one is not finite.
    """

    density: float
    low: float = 127.5
    high: float = 255.0

    def __post_init__(self) -> None:
        _check(self)

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """``clean`` with its defects; a new array of its shape and dtype.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype, or has fewer than two spatial axes.
        """
        _check_floating(clean)
        _check_plane(clean)
        sites = (clean.shape[0], *(1,) * (clean.ndim - 3), *clean.shape[-2:])
        defective = rng.random(sites) < self.density
        stuck = rng.uniform(self.low, self.high, sites).astype(clean.dtype)
        return np.where(defective, stuck, clean)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """(1 - density) clean + density (low + high) / 2."""
        return _mean(self, clean)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """Within and between: density (high - low)^2 / 12 + density (1 - density) (clean - (low + high) / 2)^2."""
        return _variance(self, clean, (self.high - self.low) ** 2 / 12)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum over sites: log(1 - density), a mass, where no plane differs from ``clean``; else that of a defect.

        The density of a defect is density / (high - low), along the line on which all planes have one value. There is
        no ``log_density`` of a pixel: the planes of a volume are not independent.

        Raises
        ------
        InvalidImage : the two images differ in shape, or have fewer than two spatial axes.
        """
        return float(self.log_mixture(noisy, _log_untouched(noisy, clean), kept_is_discrete=True).sum())

    def log_mixture(
        self, noisy: NDArray[Any], log_kept: NDArray[np.float64], *, kept_is_discrete: bool
    ) -> NDArray[np.float64]:
        """The log-density of each site (C, Y, X), given that of each pixel's value if it were kept."""
        _check_plane(noisy)
        planes = noisy.reshape(noisy.shape[0], -1, *noisy.shape[-2:])
        stuck = (planes == planes[:, :1]).all(axis=1) & _within(planes[:, 0], self.low, self.high)
        log_replaced = np.where(stuck, _log_uniform(self), -np.inf)
        log_site = log_kept.reshape(planes.shape).sum(axis=1)
        # The line on which several planes have one value is a null set to continuous noise.
        null_set = planes.shape[1] > 1 and not kept_is_discrete
        return _mixed(log_site, log_replaced, self.density, kept=kept_is_discrete, replaced=null_set)

    def detect(self, noisy: NDArray[Any]) -> NDArray[np.bool_]:
        """The pixels that exceed their neighbours as :class:`RandomImpulses` do; in a volume, in most of its planes.

        Raises
        ------
        InvalidImage : there are fewer than two spatial axes.
        """
        _check_plane(noisy)
        found, median = misfits(noisy, self.density, self.low, self.high)
        planes = (found & (noisy > median)).reshape(noisy.shape[0], -1, *noisy.shape[-2:])
        most = 2 * np.count_nonzero(planes, axis=1, keepdims=True) > planes.shape[1]
        return np.broadcast_to(most, planes.shape).reshape(noisy.shape).copy()


def _mean(impulses: SaltAndPepper | RandomImpulses | HotPixels, clean: NDArray[Any]) -> NDArray[Any]:
    """E[noisy]: a share ``density`` of the pixels has the mean (low + high) / 2."""
    number = clean.dtype.type
    mixed: NDArray[Any] = clean + number(impulses.density) * (number((impulses.low + impulses.high) / 2) - clean)
    return mixed


def _variance(impulses: SaltAndPepper | RandomImpulses | HotPixels, clean: NDArray[Any], within: float) -> NDArray[Any]:
    """The law of total variance: within the replaced values, and between their mean and ``clean``."""
    density, middle = impulses.density, (impulses.low + impulses.high) / 2
    distance = clean.astype(np.result_type(clean.dtype, np.float32)) - clean.dtype.type(middle)
    number = distance.dtype.type
    return np.asarray(number(density * within) + number(density * (1 - density)) * distance**2)


def _mixed(
    log_kept: NDArray[np.float64], log_replaced: NDArray[np.float64], density: float, *, kept: bool, replaced: bool
) -> NDArray[np.float64]:
    """The log of (1 - density) p + density q; q has its factor already. ``kept``, ``replaced`` say which are masses."""
    with np.errstate(divide="ignore"):
        log_kept = log_kept + np.log1p(-density)
    if kept == replaced:
        return np.asarray(np.logaddexp(log_kept, log_replaced))
    mass, smooth = (log_kept, log_replaced) if kept else (log_replaced, log_kept)
    return np.where(mass > -np.inf, mass, smooth)


def _log_untouched(noisy: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
    if noisy.shape != clean.shape:
        raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
    return np.where(noisy == clean, 0.0, -np.inf)


def _log_uniform(impulses: "RandomImpulses | HotPixels") -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(impulses.density / (impulses.high - impulses.low)))


def _within(values: NDArray[Any], low: float, high: float) -> NDArray[np.bool_]:
    # The bounds are rounded as the values were: float32 values of a float64 draw may lie half a step outside.
    number = values.dtype.type
    return np.asarray((values >= number(low)) & (values <= number(high)))


def _check(impulses: SaltAndPepper | RandomImpulses | HotPixels) -> None:
    for name in ("density", "low", "high"):
        remedy = "give the share of replaced pixels" if name == "density" else "give a value in image units"
        object.__setattr__(impulses, name, number(name, getattr(impulses, name), remedy))
    density, low, high = impulses.density, impulses.low, impulses.high
    if not 0 <= density <= 1:
        raise InvalidParameter(f"density is {density:g}; it must be from 0 to 1: give the share of replaced pixels")
    if not low < high:
        raise InvalidParameter(f"low is {low:g} and high is {high:g}; give finite values in image units, low < high")


def _check_floating(clean: NDArray[Any]) -> None:
    if clean.dtype.kind != "f":
        raise InvalidImage(f"noise needs a floating-point image, not {clean.dtype}; convert it with astype first")


def _check_plane(image: NDArray[Any]) -> None:
    if image.ndim < 3:
        raise InvalidImage(f"impulses need an image (C, *space) with a plane (Y, X), not one of shape {image.shape}")
