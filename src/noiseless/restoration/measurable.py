"""Whether the error can be measured without the clean image, so that something may be chosen by it."""

from noiseless.errors import InvalidParameter
from noiseless.image import Image
from noiseless.noise import (
    Gaussian,
    NoiseEstimate,
    NoiseModel,
    Quantised,
    StabilisableNoise,
    StationaryNoise,
    WithImpulses,
    estimate_image_noise,
)


def check_measurable(noise: NoiseModel, image: Image, *, told: bool) -> NoiseEstimate | None:
    """Refuse noise by whose risk a choice would be fooled.

    Parameters
    ----------
    noise : what is to be removed
    image : the noisy one
    told : whether the caller named the noise. White noise is then looked at once more: of noise that neighbours share,
        the risk of white noise says that the best is to leave it in.

    Returns
    -------
    NoiseEstimate : what the image says of white noise that was told; None where there was nothing to look at.

    Raises
    ------
    InvalidParameter : the risk is not known for noise of this kind, or the noise is not white as it was said to be.
    """
    law = noise.background if isinstance(noise, WithImpulses | Quantised) else noise
    if not isinstance(law, Gaussian | StabilisableNoise | StationaryNoise):
        raise InvalidParameter(
            f"the error under {type(law).__name__} noise cannot be measured without the clean image, so nothing can be "
            "chosen by it; use method score"
        )
    if not (told and isinstance(law, Gaussian)):
        return None
    found = estimate_image_noise(image)
    if isinstance(found.model, StationaryNoise):
        raise InvalidParameter(
            "the noise is not white, neighbours share it, and the error measured as if it were would mislead; leave "
            "sigma out, or give its law: noise='correlated:sigma=..,width=..'"
        )
    return found
