"""From a noisy observation to images drawn back: the dial from the posterior mean over the flow to samples."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import array_api_compat

from noiseless.argument_checks import whole
from noiseless.denoiser import Array, Denoiser, Sigma
from noiseless.diffusion.schedule import Sigmas, karras
from noiseless.errors import InvalidParameter
from noiseless.generation.data_step import filtered
from noiseless.generation.plug_and_play import PlugAndPlay
from noiseless.generation.randomness import Normal, normal_from_seed, seed_of_sample
from noiseless.generation.sampler import Sampler, State, trajectory

# The last noise level before 0, as a share of the first. Below a hundredth of the noise the flow has nothing left
# to move: the remaining change is of the second order in that share.
LAST_LEVEL = 0.01


@dataclass(frozen=True)
class ProbabilityFlow:
    """A denoiser that follows a sampler from the observation, at its own sigma, down to 0.

    One step is the wrapped denoiser itself: the posterior mean, the best PSNR. More steps move toward a typical
    image of the posterior: sharper, and further from the clean one on average. Sigma may be a map; the flow then
    runs in the share of it that is left.

    Parameters
    ----------
    denoiser : the estimate of E[x | y] in each step
    sampler : see :data:`noiseless.generation.SAMPLERS`; a random one makes this a draw of the posterior.
    steps : >= 1
    seed : for samplers that draw noise
    schedule : of the shares, see :data:`noiseless.diffusion.SCHEDULES`

    Raises
    ------
    InvalidParameter : steps is below 1.
    """

    denoiser: Denoiser
    sampler: Sampler
    steps: int
    seed: int = 0
    schedule: Callable[..., Sigmas] = karras

    def __post_init__(self) -> None:
        whole("steps", self.steps, 1, "use 1 for the posterior mean, more for the flow")

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        *_, final = self.states(noisy, sigma, normal_from_seed(self.seed))
        return final.image

    def states(self, noisy: Array, sigma: Sigma, normal: Normal) -> Iterator[State]:
        """The states on the way, their ``sigma`` a share of the one that was given: 1 at the start, 0 at the end."""

        def denoise_share(image: Array, share: float) -> Array:
            return self.denoiser(image, share * sigma)

        def noise_of_the_image(like: Array) -> Array:
            return sigma * normal(like)

        return self._followed(denoise_share, noisy, noise_of_the_image)

    def correlated(self, noisy: Array, spectrum: Array, /) -> Array:
        """The same for stationary Gaussian noise of a known spectrum, by plug-and-play at every level.

        The noise keeps its spectrum on the way and loses its strength: x_s = x + s n, n of that spectrum, s from 1 to
        0, and the observation is where it starts. ``spectrum`` is that of
        :class:`~noiseless.generation.StationaryData`.
        """
        xp = array_api_compat.array_namespace(noisy)
        remove, normal = PlugAndPlay(self.denoiser), normal_from_seed(self.seed)

        def denoise_share(image: Array, share: float) -> Array:
            return remove(image, share**2 * spectrum)

        def noise_of_the_image(like: Array) -> Array:
            return filtered(normal(like), xp.sqrt(spectrum))

        *_, final = self._followed(denoise_share, noisy, noise_of_the_image)
        return final.image

    def _followed(self, denoise_share: Denoiser, noisy: Array, noise_of_the_image: Normal) -> Iterator[State]:
        shares = self.schedule(self.steps, sigma_max=1.0, sigma_min=LAST_LEVEL)
        return trajectory(self.sampler, denoise_share, noisy, shares, noise_of_the_image)


@dataclass(frozen=True)
class PosteriorSamples:
    """Images that may have been the clean one, as likely as the denoiser thinks them.

    For white Gaussian noise the reverse process, begun at the observation at its own sigma, draws from p(x | y); see
    :mod:`noiseless.generation.stochastic`. Too few steps draw too little spread: of the standard deviation of Gaussian
    posteriors, 10 ancestral steps give 0.7 to 0.8, 20 give 0.84 to 0.89, 50 about 0.95.

    Parameters
    ----------
    denoiser : the estimate of E[x | y] in each step
    sampler : a random one
    steps : >= 2; denoiser calls for each image, times those of the sampler in a step
    seed : the same seed gives the same images, on every device

    Raises
    ------
    InvalidParameter : steps is below 2, or the sampler draws no noise.
    """

    denoiser: Denoiser
    sampler: Sampler
    steps: int
    seed: int = 0

    def __post_init__(self) -> None:
        if whole("steps", self.steps, 1, "use 10 or more") < 2:
            raise InvalidParameter(
                f"steps is {self.steps}: one step is the posterior mean, the same in every sample; use 10 or more"
            )
        if not self.sampler.random:
            raise InvalidParameter(
                f"{type(self.sampler).__name__} draws no noise, so all samples would be the same; use Ancestral"
            )

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Iterator[Array]:
        """One image after another, without end; the n-th is the same however many are taken."""
        return (self.drawer(number)(noisy, sigma) for number in itertools.count())

    def drawer(self, number: int) -> ProbabilityFlow:
        """What makes the sample of that number of a noisy image, as a function of it and its sigma."""
        return ProbabilityFlow(self.denoiser, self.sampler, self.steps, seed_of_sample(self.seed, number))


def mean_and_spread(samples: list[Array]) -> tuple[Array, Array]:
    """The mean of at least two samples and, pixel by pixel, the estimate of their standard deviation (n - 1).

    Raises
    ------
    InvalidParameter : there are fewer than two.
    """
    if len(samples) < 2:
        raise InvalidParameter(f"there are {len(samples)} samples; a spread needs two or more")
    xp = array_api_compat.array_namespace(samples[0])
    stacked = xp.stack(samples)
    return xp.mean(stacked, axis=0), xp.std(stacked, axis=0, correction=1)
