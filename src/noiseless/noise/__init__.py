"""Step 1: say what the noise is, make noisy images from clean ones, and measure the noise of an image."""

from .camera import Camera
from .composition import Quantised, Sum, WithImpulses, compose
from .correlated import Correlated, gaussian_kernel, ramp_kernel
from .estimation import (
    KINDS,
    Evidence,
    NoiseEstimate,
    estimate_image_noise,
    estimate_noise,
    estimate_sigma_map,
    estimate_sigma_per_channel,
    evidence_of,
    measure_colour_noise,
)
from .gaussian import Gaussian
from .impulse import HotPixels, RandomImpulses, SaltAndPepper
from .model import ImpulsiveNoise, NoiseModel, PixelwiseNoise, StabilisableNoise, StationaryNoise
from .notation import NOISE_MODELS, notation_of, parse_noise
from .poisson import Poisson, PoissonGaussian
from .quantisation import Quantisation
from .rician import NonCentralChi, Rician
from .speckle import AmplitudeSpeckle, Speckle
from .srgb_photons import SrgbPhotons
from .stripes import Stripes

__all__ = [
    "KINDS",
    "NOISE_MODELS",
    "AmplitudeSpeckle",
    "Camera",
    "Correlated",
    "Evidence",
    "Gaussian",
    "HotPixels",
    "ImpulsiveNoise",
    "NoiseEstimate",
    "NoiseModel",
    "NonCentralChi",
    "PixelwiseNoise",
    "Poisson",
    "PoissonGaussian",
    "Quantisation",
    "Quantised",
    "RandomImpulses",
    "Rician",
    "SaltAndPepper",
    "Speckle",
    "SrgbPhotons",
    "StabilisableNoise",
    "StationaryNoise",
    "Stripes",
    "Sum",
    "WithImpulses",
    "compose",
    "estimate_image_noise",
    "estimate_noise",
    "estimate_sigma_map",
    "estimate_sigma_per_channel",
    "evidence_of",
    "gaussian_kernel",
    "measure_colour_noise",
    "notation_of",
    "parse_noise",
    "ramp_kernel",
]
