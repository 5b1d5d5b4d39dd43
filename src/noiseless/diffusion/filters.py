"""The table of diffusion filters. A new one is a frozen dataclass and a line here; the law tests then run on it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from noiseless.denoiser import Denoiser
from noiseless.diffusion.anisotropic import CoherenceEnhancing, EdgeEnhancing, MeanCurvature
from noiseless.diffusion.heat import Heat
from noiseless.diffusion.isotropic import Charbonnier, PeronaMalik, TotalVariation
from noiseless.errors import InvalidParameter
from noiseless.names import lookup

FILTERS: Mapping[str, type[Denoiser]] = {
    "heat": Heat,
    "perona-malik": PeronaMalik,
    "charbonnier": Charbonnier,
    "total-variation": TotalVariation,
    "edge-enhancing": EdgeEnhancing,
    "coherence-enhancing": CoherenceEnhancing,
    "mean-curvature": MeanCurvature,
}


def filter_named(name: str, /, **parameters: Any) -> Denoiser:
    """The image-diffusion filter called ``name``, with those of its fields that differ from the default.

    Raises
    ------
    UnknownName : there is no such filter; the message suggests the nearest.
    InvalidParameter : the filter has no such field, or its value is out of range.
    """
    kind = lookup(FILTERS, name, kind="diffusion filter")
    known = [field.name for field in fields(kind)]
    for parameter in parameters:
        if parameter not in known:
            raise InvalidParameter(f"{name} has no parameter {parameter!r}; it has {', '.join(known)}")
    built: Denoiser = kind(**parameters)
    return built
