"""Reading the noise of an image from that image alone: how strong, of which kind, and how far to trust it."""

from .blind import KINDS, estimate_image_noise, estimate_noise, estimate_sigma_map, estimate_sigma_per_channel
from .colour_noise import measure_colour_noise
from .evidence import Evidence, evidence_of
from .noise_estimate import NoiseEstimate

__all__ = [
    "KINDS",
    "Evidence",
    "NoiseEstimate",
    "estimate_image_noise",
    "estimate_noise",
    "estimate_sigma_map",
    "estimate_sigma_per_channel",
    "evidence_of",
    "measure_colour_noise",
]
