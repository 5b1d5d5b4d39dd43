"""Step 1: say what the noise is, make noisy images from clean ones, and measure the noise of an image."""

from .estimation import NoiseEstimate, estimate_image_noise, estimate_noise, estimate_sigma_per_channel
from .gaussian import Gaussian
from .model import NoiseModel
from .notation import NOISE_MODELS, parse_noise

__all__ = [
    "NOISE_MODELS",
    "Gaussian",
    "NoiseEstimate",
    "NoiseModel",
    "estimate_image_noise",
    "estimate_noise",
    "estimate_sigma_per_channel",
    "parse_noise",
]
