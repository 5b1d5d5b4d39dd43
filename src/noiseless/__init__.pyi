from noiseless import diffusion, files, generation, noise, restoration, score
from noiseless.denoiser import Denoiser, LocalDenoiser
from noiseless.errors import (
    Diverged,
    IncompatibleCheckpoint,
    InvalidImage,
    InvalidParameter,
    MissingExtra,
    NoiselessError,
    UnknownName,
    UnreadableFile,
    UnsupportedFormat,
    UnwritableFile,
)
from noiseless.files import read, write
from noiseless.image import Image, from_array
from noiseless.noise import estimate_noise
from noiseless.restoration import (
    METHODS,
    PRESETS,
    Recipe,
    Restored,
    Tuned,
    denoise,
    psnr,
    restore,
    restore_image,
    ssim,
    tune,
)
from noiseless.version import __version__

__all__ = [
    "METHODS",
    "PRESETS",
    "Denoiser",
    "Diverged",
    "Image",
    "IncompatibleCheckpoint",
    "InvalidImage",
    "InvalidParameter",
    "LocalDenoiser",
    "MissingExtra",
    "NoiselessError",
    "Recipe",
    "Restored",
    "Tuned",
    "UnknownName",
    "UnreadableFile",
    "UnsupportedFormat",
    "UnwritableFile",
    "__version__",
    "denoise",
    "diffusion",
    "estimate_noise",
    "files",
    "from_array",
    "generation",
    "noise",
    "psnr",
    "read",
    "restoration",
    "restore",
    "restore_image",
    "score",
    "ssim",
    "tune",
    "write",
]
