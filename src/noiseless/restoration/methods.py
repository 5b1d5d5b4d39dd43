"""Every denoiser by name, and the words for one with its parameters: ``non-local-means:patch=7,search=21``."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseless.classical import CLASSICAL
from noiseless.denoiser import Denoiser
from noiseless.diffusion import FILTERS
from noiseless.errors import InvalidParameter
from noiseless.names import lookup, with_plugins
from noiseless.restoration.ensemble import Ensemble, OneLevelAChannel, SelfEnsemble
from noiseless.restoration.level_range import ByLevels
from noiseless.restoration.orientation import Across
from noiseless.restoration.tiling import USUAL_TILE, Tiled
from noiseless.score import DENSITIES, LEARNED

ENSEMBLE = "ensemble"

USUAL_MODEL = "base"

USUAL_MEMBERS = (
    "score",
    "score:model=tiny",
    "experts",
    "non-local-means",
    "cosine-shrinkage",
    "cosine-shrinkage:side=16",
    "edge-enhancing",
)
"""Of an ensemble: seven that err differently; the first is the one to begin from."""


def usual_ensemble() -> Ensemble:
    """The ensemble of the usual members."""
    return ensemble_of(USUAL_MEMBERS, USUAL_MODEL, tile=USUAL_TILE)


METHODS: Mapping[str, Any] = with_plugins(
    {**FILTERS, **CLASSICAL, **LEARNED, **DENSITIES, ENSEMBLE: usual_ensemble}, "noiseless.denoisers"
)
"""Every denoiser by name. An entry of ``LEARNED`` is built with ``model=``, one of ``DENSITIES`` with the path of a
density where ``model`` is one, any other without arguments."""


def parsed(method: str) -> tuple[str, dict[str, int | float | str]]:
    """The name and the parameters in ``name:parameter=value,...``.

    Raises
    ------
    InvalidParameter : a part is no ``parameter=value``, or one is there twice.
    """
    name, _, listed = method.partition(":")
    values: dict[str, int | float | str] = {}
    for item in listed.split(",") if listed else []:
        key, separator, value = (part.strip() for part in item.partition("="))
        if not separator or not key or not value or key in values:
            raise InvalidParameter(f"method {method!r} is unreadable at {item!r}; write {name}:parameter=value,...")
        values[key] = _number_or_text(value)
    return name, values


def in_words(name: str, values: Mapping[str, int | float | str]) -> str:
    """The inverse of :func:`parsed`."""
    listed = ",".join(f"{key}={value}" for key, value in values.items())
    return f"{name}:{listed}" if listed else name


def build(method: str, model: str, *, tile: int, exact: bool) -> Denoiser:
    """The denoiser that ``method`` names, in tiles where its reach is known, and a network in ranges of levels.

    Parameters
    ----------
    method : see :func:`parsed`. Any local method takes ``turns=8`` too: the mean over its turns and mirrorings; and,
        for volumes, ``normal=y`` or ``normal=x``: the planes that stand on the slices instead of these.
    model : of a learned method, or of a density; ``model=`` in the method goes before it
    tile : pixels of the side of a square as large as a tile
    exact : float32 throughout, as what asks for small differences needs

    Raises
    ------
    UnknownName : there is no such method; the message suggests the nearest.
    InvalidParameter : it has no such parameter, or its value is out of range.
    """
    name, values = parsed(method)
    kind = lookup(METHODS, name, kind="method")
    if name in LEARNED:
        values = {"model": model, "precision": "float32" if exact else "auto", **values}
    elif name in DENSITIES and "path" not in values and model != USUAL_MODEL:
        values = {"path": model}
    turns, normal = values.pop("turns", 1), values.pop("normal", None)
    denoiser = kind(**_checked(name, kind, values))
    if turns not in (1, 8) or (turns == 8 and not hasattr(denoiser, "reach")):
        raise InvalidParameter(f"{method!r} is turned {turns} times; a method whose reach is known can be turned 8")
    denoiser = SelfEnsemble(denoiser) if turns == 8 else denoiser
    # The filters need little memory and use all cores on the whole image; at their reach, tiles would overlap much.
    tiled = Tiled(denoiser, tile) if hasattr(denoiser, "reach") and name not in FILTERS else denoiser
    if name in LEARNED:
        tiled = ByLevels(tiled)
    if normal is None:
        return tiled
    if tiled is denoiser:
        raise InvalidParameter(f"{method!r} is no method of planes; only one that is can be turned to other planes")
    return Across(tiled, str(normal))


def ensemble_of(members: tuple[str, ...], model: str, *, tile: int) -> Ensemble:
    """The ensemble of methods, each in words of :func:`parsed`; ``model`` is that of its learned members."""
    for member in members:
        if parsed(member)[0] == ENSEMBLE:
            raise InvalidParameter("an ensemble is no member of an ensemble; name other methods")
    models = {member: model if parsed(member)[0] in LEARNED else USUAL_MODEL for member in members}
    built = {member: build(member, models[member], tile=tile, exact=True) for member in members}
    filters = [member for member in members if parsed(member)[0] in FILTERS]
    return Ensemble({**built, **{member: OneLevelAChannel(built[member]) for member in filters}})


def _checked(name: str, kind: Any, values: Mapping[str, int | float | str]) -> dict[str, Any]:
    """The values as the fields of ``kind`` take them: words only where the default is one."""
    fields = {field.name: field for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            raise InvalidParameter(f"{name} has no parameter {key!r}; it has {', '.join(fields) or 'none'}")
        default = fields[key].default
        if isinstance(default, int) and not isinstance(value, int):
            raise InvalidParameter(f"{key} of {name} is {value}; it is a whole number, usually {default}")
        if isinstance(value, str) and not isinstance(default, str) and key != "path":
            raise InvalidParameter(f"{key} of {name} is {value!r}; it is a number")
        checked[key] = Path(str(value)) if key == "path" else value
    return checked


def _number_or_text(value: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            pass
    return value
