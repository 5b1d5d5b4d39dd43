"""noiseless: image denoising by diffusion and score matching.

The public names are those of ``__init__.pyi``; each is imported when it is first used, so that ``import noiseless``
and ``noiseless --help`` load neither an engine nor a format.
"""

from importlib import import_module
from typing import Any

from noiseless.version import __version__

_ROOMS = ("noise", "diffusion", "classical", "score", "generation", "restoration", "files", "streams", "batches")

_PUBLIC = {
    "Denoiser": "denoiser",
    "LocalDenoiser": "denoiser",
    "Image": "image",
    "from_array": "image",
    "estimate_noise": "noise",
    "denoise": "restoration",
    "restore": "restoration",
    "restore_image": "restoration",
    "Recipe": "restoration",
    "Restored": "restoration",
    "Adapted": "restoration",
    "adapt": "restoration",
    "Tuned": "restoration",
    "tune": "restoration",
    "METHODS": "restoration",
    "PRESETS": "restoration",
    "TemporalDenoiser": "restoration",
    "psnr": "restoration",
    "ssim": "restoration",
    "read": "files",
    "write": "files",
    "Stream": "streams",
    "NoiselessError": "errors",
    "InvalidImage": "errors",
    "InvalidParameter": "errors",
    "NeedsWholeImage": "errors",
    "UnknownName": "errors",
    "UnreadableFile": "errors",
    "UnwritableFile": "errors",
    "UnsupportedFormat": "errors",
    "MissingExtra": "errors",
    "IncompatibleCheckpoint": "errors",
    "Diverged": "errors",
}

__all__ = ["__version__", *_ROOMS, *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"noiseless.{name}")
    if name in _PUBLIC:
        value = getattr(import_module(f"noiseless.{_PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'noiseless' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
