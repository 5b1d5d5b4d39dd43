"""Noise on noise: impulses over a noisy image, rounding of it, and sums of independent stationary noises.

Three compositions have a law that can be stated, and there is one class for each; :func:`compose` picks it. Others can
be imagined and sampled, but little could be said about them, so they are refused.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.names import Lazy, load

from .correlated import spectral_log_likelihood
from .gaussian import Gaussian
from .impulse import HotPixels, RandomImpulses, SaltAndPepper
from .model import ImpulsiveNoise, NoiseModel, PixelwiseNoise, StationaryNoise
from .quantisation import Quantisation

# The laws of counts need SciPy in part, so their module is asked for only where there may be one.
_POISSON = Lazy("noiseless.noise.poisson:Poisson")
_POISSON_GAUSSIAN = Lazy("noiseless.noise.poisson:PoissonGaussian")

PANEL, MOST_PANELS = 0.5, 200
# A step is integrated by Gauss-Legendre with 8 nodes a panel. A panel is at most half a standard deviation wide: over
# it, 8 nodes are exact for a Gaussian to 1e-15. Where the step has more than 200 panels, only rounding is left.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class WithImpulses:
    """Impulses over an image that is noisy already: they replace pixels of ``background.sample(clean)``.

    p(noisy | clean) = (1 - density) p_background(noisy | clean) + density q(noisy), q the law of the replaced values.

    Parameters
    ----------
    background : the noise of the pixels that are not replaced; any model without impulses.
    impulses : ``SaltAndPepper``, ``RandomImpulses`` or ``HotPixels``.

    Raises
    ------
    InvalidParameter : ``impulses`` is no such model, or ``background`` is, or is no model of noise.
    """

    background: NoiseModel
    impulses: SaltAndPepper | RandomImpulses | HotPixels

    def __post_init__(self) -> None:
        if not isinstance(self.impulses, SaltAndPepper | RandomImpulses | HotPixels):
            raise InvalidParameter(
                f"{type(self.impulses).__name__} replaces no pixels; use SaltAndPepper, RandomImpulses or HotPixels"
            )
        if not isinstance(self.background, NoiseModel) or isinstance(self.background, ImpulsiveNoise):
            raise InvalidParameter(
                f"{type(self.background).__name__} cannot lie under impulses; use a noise model without impulses"
            )

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """The background's noise, then the impulses; of the shape and dtype of ``clean``.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype, or has too few axes for one of the two.
        """
        return self.impulses.sample(self.background.sample(clean, rng), rng)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The law of total expectation; the mean of impulses is linear in the pixel that they may replace."""
        return self.impulses.mean(self.background.mean(clean))

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The law of total variance: that of the impulses at the background's mean, and its own in the kept share."""
        kept = 1 - self.impulses.density
        return np.asarray(self.impulses.variance(self.background.mean(clean)) + kept * self.background.variance(clean))

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The log of the mixture, exact, summed over the pixels; see ``noise.impulse`` for the measure.

        Raises
        ------
        InvalidImage : the two images differ in shape, or have too few axes.
        InvalidParameter : the pixels of the background depend on each other, and the mixture has no closed form.
        """
        log_kept, discrete = _log_of_each_pixel(self.background, noisy, clean)
        return float(self.impulses.log_mixture(noisy, log_kept, kept_is_discrete=discrete).sum())

    def detect(self, noisy: NDArray[Any]) -> NDArray[np.bool_]:
        """Which pixels were replaced, as ``impulses.detect`` sees it: the local scale that it measures holds the noise.

        Raises
        ------
        InvalidImage : there are fewer than two spatial axes.
        """
        return self.impulses.detect(noisy)


@dataclass(frozen=True)
class Quantised:
    """A noisy image rounded to steps, as in an 8-bit file: noisy = step * round(background.sample(clean) / step).

    Parameters
    ----------
    background : the noise before rounding; any model but one that rounds. Where it is weaker than about half a step,
        the moments below are no longer close, as :class:`Quantisation` says.
    quantisation : the rounding.

    Raises
    ------
    InvalidParameter : ``quantisation`` is no :class:`Quantisation`, or ``background`` no model of noise, or rounded.
    """

    background: NoiseModel
    quantisation: Quantisation

    def __post_init__(self) -> None:
        if not isinstance(self.quantisation, Quantisation):
            raise InvalidParameter(f"{type(self.quantisation).__name__} does not round; use Quantisation")
        if not isinstance(self.background, NoiseModel) or isinstance(self.background, Quantisation | Quantised):
            raise InvalidParameter(
                f"{type(self.background).__name__} cannot be rounded (again); use a noise model that does not round"
            )

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """The background's noise, rounded; of the shape and dtype of ``clean``.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype, or has too few axes for the background.
        """
        return self.quantisation.sample(self.background.sample(clean, rng), rng)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """That of the background: rounding of spread values has no bias."""
        return self.background.mean(clean)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """That of the background and step^2 / 12."""
        return np.asarray(self.background.variance(clean) + self.quantisation.variance(clean))

    def log_mass(self, noisy: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
        """The log of P(noisy | clean) for each pixel: the background's density over the step; -inf off the steps.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        InvalidParameter : the background's pixels depend on each other or are counts, or its standard deviation is
            somewhere below a hundredth of the step.
        """
        step = self.quantisation.step
        centre = noisy.astype(np.float64)
        nearest = np.round(centre / step) * step
        on_step = np.abs(centre - nearest) <= np.finfo(noisy.dtype).eps * np.abs(centre)
        exact = clean.astype(np.float64)
        least = float(np.sqrt(self.background.variance(exact).min()))
        if least * PANEL * MOST_PANELS < step:
            raise InvalidParameter(
                f"the noise before rounding has a standard deviation of {least:g}, too little for steps of {step:g}; "
                "use Quantisation alone"
            )
        panels = int(np.ceil(step / (PANEL * least)))
        edges = (np.arange(panels) + 0.5) / panels - 0.5
        places = np.add.outer(edges, _NODES / (2 * panels)).ravel() * step
        weights = np.tile(np.log(_WEIGHTS * step / (2 * panels)), panels)
        mass = np.full(noisy.shape, -np.inf)
        for place, weight in zip(places, weights, strict=True):
            log_density, discrete = _log_of_each_pixel(self.background, nearest + place, exact)
            if discrete:
                raise InvalidParameter("counts are whole before rounding; give PoissonGaussian with a sigma above 0")
            mass = np.logaddexp(mass, log_density + weight)
        return np.where(on_step, mass, -np.inf)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_mass` over all pixels, with its errors."""
        return float(self.log_mass(noisy, clean).sum())


@dataclass(frozen=True)
class Sum:
    """The sum of two independent noises that are Gaussian and stationary; it is so itself.

    Parameters
    ----------
    first, second : ``Gaussian`` of one sigma, ``Correlated``, ``Stripes``, or a ``Sum``.

    Raises
    ------
    InvalidParameter : one of them is not stationary: its strength depends on the image or on the place.
    """

    first: NoiseModel
    second: NoiseModel

    def __post_init__(self) -> None:
        for part in (self.first, self.second):
            if not _is_stationary(part):
                raise InvalidParameter(
                    f"{type(part).__name__} is not stationary; sums take Gaussian of one sigma, Correlated and Stripes"
                )

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """``clean`` and both noises, of its shape and dtype.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype, or has too few axes for one of the two.
        """
        return self.second.sample(self.first.sample(clean, rng), rng)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``: neither noise has a bias."""
        return clean

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The sum of the variances, the same at every pixel."""
        return np.asarray(self.first.variance(clean) + self.second.variance(clean))

    def spectrum(self, space: tuple[int, ...]) -> NDArray[np.float64]:
        """The sum of the spectra: power at every frequency of ``numpy.fft.fftn`` over ``space``.

        Raises
        ------
        InvalidImage : ``space`` has too few axes for one of the two.
        """
        return _spectrum(self.first, space) + _spectrum(self.second, space)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """That of Gaussian noise with the spectrum of the sum, on a periodic grid; see ``Correlated``.

        Exact without correlated noise, and as good as that of ``Correlated`` with it.

        Raises
        ------
        InvalidImage : the two images differ in shape, or have too few axes for one of the two.
        InvalidParameter : there are frequencies without power, and so no density.
        """
        return spectral_log_likelihood(noisy, clean, self.spectrum(noisy.shape[1:]))


def compose(first: NoiseModel, second: NoiseModel) -> NoiseModel:
    """The noise that ``second`` makes of the output of ``first``.

    Impulses replace pixels of it (:class:`WithImpulses`), rounding rounds it (:class:`Quantised`), and stationary
    noise is added to stationary noise (:class:`Sum`).

    Raises
    ------
    InvalidParameter : the two have no such law together; the message says what can be combined.
    """
    if isinstance(second, SaltAndPepper | RandomImpulses | HotPixels):
        return WithImpulses(first, second)
    if isinstance(second, Quantisation):
        return Quantised(first, second)
    if _is_stationary(first) and _is_stationary(second):
        return Sum(first, second)
    raise InvalidParameter(
        f"{type(second).__name__} cannot follow {type(first).__name__}; after any noise can come impulses or rounding, "
        "and Gaussian (of one sigma), Correlated and Stripes can be added to each other"
    )


def _is_stationary(noise: NoiseModel) -> bool:
    if isinstance(noise, Gaussian):
        return np.ndim(noise.sigma) == 0
    return isinstance(noise, StationaryNoise)


def _spectrum(noise: NoiseModel, space: tuple[int, ...]) -> NDArray[np.float64]:
    if isinstance(noise, StationaryNoise):
        return noise.spectrum(space)
    assert isinstance(noise, Gaussian)  # the only other kind that __post_init__ lets in
    return np.full(space, float(noise.sigma) ** 2)


def _log_of_each_pixel(noise: NoiseModel, noisy: NDArray[Any], clean: NDArray[Any]) -> tuple[NDArray[np.float64], bool]:
    """The log of the density of each pixel, or of its probability; and which of the two it is."""
    if noisy.shape != clean.shape:
        raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
    if isinstance(noise, Quantised):
        return noise.log_mass(noisy, clean), True
    if isinstance(noise, PixelwiseNoise):
        return noise.log_density(noisy, clean), _is_discrete(noise)
    raise InvalidParameter(
        f"the pixels of {type(noise).__name__} noise depend on each other, so there is no likelihood of what was made "
        "of them; use a pixelwise model, such as Gaussian or PoissonGaussian"
    )


def _is_discrete(noise: PixelwiseNoise) -> bool:
    """Whether single values have a probability: pure counts."""
    if isinstance(noise, Gaussian | Quantisation):
        return False
    if isinstance(noise, load(_POISSON_GAUSSIAN)):
        return bool(getattr(noise, "sigma", 0.0) == 0)
    return isinstance(noise, load(_POISSON))
