"""The table of noise models, and from the words of a command line to one of them: ``gaussian:25``."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from noiseless.errors import InvalidParameter
from noiseless.names import lookup

from .gaussian import Gaussian
from .model import NoiseModel

NOISE_MODELS: Mapping[str, Any] = {
    "gaussian": Gaussian,
}
"""From name to frozen dataclass (or ``names.Lazy``); its fields, in their order, are the numbers of the notation."""


def parse_noise(text: str) -> NoiseModel:
    """The noise model that ``text`` names: a kind, a colon, and its numbers in order or by name.

    ``gaussian:25`` and ``gaussian:sigma=25`` are the same model. Numbers are separated by commas.

    Raises
    ------
    UnknownName : there is no such kind; the message gives the nearest one.
    InvalidParameter : a number is missing, superfluous, unreadable, named wrongly, or out of range.
    """
    kind, _, listed = text.strip().partition(":")
    name = kind.strip().lower()
    model = lookup(NOISE_MODELS, name, kind="noise model")
    fields = dataclasses.fields(model)
    form = f"{name}:" + ",".join(f"{field.name}=.." for field in fields)
    values: dict[str, float] = {}
    for index, item in enumerate(part for part in listed.split(",") if part.strip()):
        key, separator, number = item.rpartition("=")
        if not separator:
            if index >= len(fields):
                raise InvalidParameter(f"noise {text!r} has too many numbers; write {form}")
            key = fields[index].name
        key = key.strip()
        if key in values or key not in [field.name for field in fields]:
            raise InvalidParameter(f"noise {text!r} names {key!r} twice or in vain; write {form}")
        values[key] = _number(number, text, form)
    missing = [field.name for field in fields if field.name not in values and _is_required(field)]
    if missing:
        raise InvalidParameter(f"noise {text!r} lacks {', '.join(missing)}; write {form}")
    made: NoiseModel = model(**values)
    return made


def _number(number: str, text: str, form: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise InvalidParameter(f"noise {text!r}: {number.strip()!r} is not a number; write {form}") from None


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
