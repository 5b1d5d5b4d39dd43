"""From a noisy observation to an image drawn back: the dial between posterior mean and probability flow."""

from dataclasses import dataclass

from noiseless.denoiser import Array, Denoiser, Sigma
from noiseless.diffusion.schedule import karras
from noiseless.errors import InvalidParameter
from noiseless.generation.randomness import normal_from_seed
from noiseless.generation.sampler import Sampler, sample

# The last noise level before 0, as a share of the first. Below a hundredth of the noise the flow has nothing left
# to move: the remaining change is of the second order in that share.
LAST_LEVEL = 0.01


@dataclass(frozen=True)
class ProbabilityFlow:
    """A denoiser that follows the probability flow from the observation, at its own sigma, down to 0.

    One step is the wrapped denoiser itself: the posterior mean, the best PSNR. More steps move toward a typical
    image of the posterior: sharper, and further from the clean one on average. Sigma may be a map; the flow then
    runs in the share of it that is left.

    Parameters
    ----------
    denoiser : the estimate of E[x | y] in each step
    sampler : see :data:`noiseless.generation.SAMPLERS`
    steps : >= 1
    seed : for samplers that draw noise

    Raises
    ------
    InvalidParameter : steps is below 1.
    """

    denoiser: Denoiser
    sampler: Sampler
    steps: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InvalidParameter(f"steps is {self.steps}; use 1 for the posterior mean, more for the flow")

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        def denoise_share(image: Array, share: float) -> Array:
            return self.denoiser(image, share * sigma)

        shares = karras(self.steps, sigma_max=1.0, sigma_min=LAST_LEVEL)
        return sample(self.sampler, denoise_share, noisy, shares, normal_from_seed(self.seed))
