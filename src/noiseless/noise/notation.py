"""The table of noise models, and the words of a command line for them: ``poisson-gaussian:gain=0.5,sigma=2``."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from noiseless.argument_checks import word
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, lookup

from .camera import Camera
from .composition import Quantised, Sum, WithImpulses, compose
from .correlated import Correlated, gaussian_kernel, width_of_gaussian
from .gaussian import Gaussian
from .impulse import HotPixels, RandomImpulses, SaltAndPepper
from .model import NoiseModel
from .quantisation import Quantisation
from .stripes import Stripes

NOISE_MODELS: Mapping[str, Any] = {
    "gaussian": Gaussian,
    "poisson": Lazy("noiseless.noise.poisson:Poisson"),
    "poisson-gaussian": Lazy("noiseless.noise.poisson:PoissonGaussian"),
    "rician": Lazy("noiseless.noise.rician:Rician"),
    "non-central-chi": Lazy("noiseless.noise.rician:NonCentralChi"),
    "speckle": Lazy("noiseless.noise.speckle:Speckle"),
    "amplitude-speckle": Lazy("noiseless.noise.speckle:AmplitudeSpeckle"),
    "salt-and-pepper": SaltAndPepper,
    "random-impulses": RandomImpulses,
    "hot-pixels": HotPixels,
    "correlated": Correlated,
    "stripes": Stripes,
    "quantisation": Quantisation,
    "camera": Camera,
    "srgb-photons": Lazy("noiseless.noise.srgb_photons:SrgbPhotons"),
}
"""From name to frozen dataclass (or ``names.Lazy``); its fields, in their order, are the numbers of the notation."""

WORDS_OF_KERNEL = {"kernel": "width"}
# A kernel has too many numbers for a line of words. Correlated noise is written with the width of a Gaussian one.


JOINT = r"\+(?=\s*[A-Za-z])"
# A plus before a letter joins two kinds; before a digit it belongs to a number, as in 1e+3.

LONGEST = 2000
"""Letters of a notation; those of all kinds here, one after the other, are fewer."""


def parse_noise(text: str) -> NoiseModel:
    """The noise model that ``text`` names: a kind, a colon, and its numbers in order or by name.

    ``gaussian:25`` and ``gaussian:sigma=25`` are the same model. Numbers are separated by commas. Kinds joined by
    ``+`` act one after the other: ``poisson-gaussian:gain=0.5,sigma=2+hot-pixels:density=0.001``; see
    ``composition.compose`` for what can follow what. ``correlated:sigma=25,width=1`` is noise blurred by a Gaussian of
    one pixel.

    Raises
    ------
    UnknownName : there is no such kind; the message gives the nearest one.
    InvalidParameter : a number is missing, superfluous, unreadable, named wrongly, or out of range; or kinds are
        joined that have no law together; or the text is longer than ``LONGEST``.
    """
    word("noise", text, "such as 'gaussian:25'")
    if len(text) > LONGEST:
        raise InvalidParameter(
            f"noise of {len(text)} letters, {text[:40]!r}...; write kind:a=..,b=.. in {LONGEST} at most"
        )
    first, *others = [_parse_one(part, text) for part in re.split(JOINT, text)]
    model = first
    for other in others:
        model = compose(model, other)
    return model


def notation_of(model: NoiseModel) -> str:
    """The text that :func:`parse_noise` reads as ``model``, with every number by name.

    Raises
    ------
    InvalidParameter : there is none: a number is a map or an array, a kernel is not Gaussian, the kind is not in the
        table, or a sum was not made from left to right.
    """
    match model:
        case WithImpulses(background, impulses):
            return f"{notation_of(background)}+{_one(impulses)}"
        case Quantised(background, quantisation):
            return f"{notation_of(background)}+{_one(quantisation)}"
        case Sum(_, Sum()):
            raise InvalidParameter("a sum within the second part of a sum has no notation; write Sum(Sum(a, b), c)")
        case Sum(first, second):
            return f"{notation_of(first)}+{_one(second)}"
    return _one(model)


def _parse_one(text: str, whole: str) -> NoiseModel:
    kind, _, listed = text.strip().partition(":")
    name = kind.strip().lower()
    if not name:
        raise InvalidParameter(f"noise {whole!r} has an empty part; write kind:a=..,b=.. and join kinds by one +")
    model = lookup(NOISE_MODELS, name, kind="noise model")
    fields = {_word(field): field for field in dataclasses.fields(model)}
    form = f"{name}:" + ",".join(f"{word}=.." for word in fields)
    values: dict[str, Any] = {}
    for index, item in enumerate(part for part in listed.split(",") if part.strip()):
        key, separator, number = item.partition("=")
        if not separator:
            if index >= len(fields):
                raise InvalidParameter(f"noise {text!r} has too many numbers; write {form}")
            key, number = list(fields)[index], item
        key = key.strip()
        if key in values or key not in fields:
            raise InvalidParameter(f"noise {text!r} names {key!r} twice or in vain; write {form}")
        values[key] = _whole(number, text, form) if _is_whole(fields[key]) else _number(number, text, form)
    missing = [word for word, field in fields.items() if word not in values and _is_required(field)]
    if missing:
        raise InvalidParameter(f"noise {text!r} lacks {', '.join(missing)}; write {form}")
    if "width" in values:
        values["width"] = gaussian_kernel(values["width"])
    made: NoiseModel = model(**{fields[word].name: value for word, value in values.items()})
    return made


def _one(model: NoiseModel) -> str:
    """The notation of a model that is not composed."""
    name = _name_of(model)
    return f"{name}:" + ",".join(
        f"{_word(field)}={_written(getattr(model, field.name), field.name, name)}"
        for field in dataclasses.fields(model)  # type: ignore[arg-type]  # all in the table are dataclasses
    )


def _name_of(model: NoiseModel) -> str:
    kind = type(model)
    address = f"{kind.__module__}:{kind.__qualname__}"
    for name, entry in NOISE_MODELS.items():
        # By address, so that to name one model does not load all the others.
        if (entry.target == address) if isinstance(entry, Lazy) else (entry is kind):
            return name
    raise InvalidParameter(f"{kind.__name__} is not in the table of noise models, and has no notation")


def _written(value: Any, name: str, kind: str) -> str:
    if name in WORDS_OF_KERNEL:
        width = width_of_gaussian(value)
        if width is None:
            raise InvalidParameter(f"the kernel of {kind} noise is not Gaussian, and has no notation; keep the model")
        return repr(width)
    if np.ndim(value) > 0:
        raise InvalidParameter(
            f"{name} of {kind} noise is an array of shape {np.shape(value)}, and has no notation; use one number"
        )
    return repr(value)


def _word(field: "dataclasses.Field[Any]") -> str:
    return WORDS_OF_KERNEL.get(field.name, field.name)


def _number(number: str, text: str, form: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise InvalidParameter(f"noise {text!r}: {number.strip()!r} is not a number; write {form}") from None


def _whole(number: str, text: str, form: str) -> int:
    value = _number(number, text, form)
    if not value.is_integer():
        raise InvalidParameter(f"noise {text!r}: {number.strip()!r} is not a whole number; write {form}")
    return int(value)


def _is_whole(field: "dataclasses.Field[Any]") -> bool:
    # Annotations are text in modules that postpone them, and types elsewhere.
    return field.type is int or field.type == "int"


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
