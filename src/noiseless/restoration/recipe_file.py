"""Recipes as files that people read and write (TOML): what was asked for, and for which noise."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from noiseless.errors import InvalidParameter, UnreadableFile
from noiseless.names import Lazy, load
from noiseless.noise import KINDS, NoiseModel, notation_of, parse_noise
from noiseless.restoration.recipe import Recipe
from noiseless.version import __version__

_DUMPS = Lazy("tomli_w:dumps")

NOISE, TUNING = "noise", "tuning"

MOST_BYTES = 2**16
"""Of a recipe file, whatever is noted in it."""

MOST_DOTS, BETWEEN_KEYS = 100, re.compile(r"[={}\[\],\n]")
"""In a key of TOML, whose parser takes the square of them: gigabytes for a key of 60 000 bytes."""

_KINDS: Mapping[type, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class RecipeFile:
    """What a recipe file says.

    Parameters
    ----------
    recipe : how to denoise
    noise : what to remove, in stored units; a kind in ``noiseless.noise.KINDS``: its parameters are to be estimated;
        None: its kind too
    """

    recipe: Recipe
    noise: NoiseModel | str | None = None


def recipe_text(recipe: Recipe, noise: NoiseModel | str | None = None, tuning: Mapping[str, Any] | None = None) -> str:
    """A recipe as TOML: the method, and all that is not as usual.

    Parameters
    ----------
    noise : to be written with it where it was given and not estimated, or its kind where that was
    tuning : how it was found, see :meth:`~noiseless.restoration.tuning.Tuned.summary`; a record that nothing reads

    Raises
    ------
    InvalidParameter : the noise cannot be written: one of its numbers is a map.
    """
    usual = Recipe()
    said = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    values: dict[str, Any] = {name: value for name, value in said.items() if value != getattr(usual, name)}
    values = {"method": recipe.method, **values}
    if noise is not None:
        values[NOISE] = noise if isinstance(noise, str) else notation_of(noise)
    if tuning is not None:
        values[TUNING] = tuning
    text: str = load(_DUMPS)(values)
    return f"# noiseless {__version__}\n{text}"


def read_recipe(path: str | Path) -> RecipeFile:
    """The recipe in a file.

    Raises
    ------
    UnreadableFile : there is no such file, or it is no TOML.
    InvalidParameter, UnknownName : something in it is no part of a recipe, or out of its range.
    """
    values = toml_in(path)
    values.pop(TUNING, None)
    noise = values.pop(NOISE, None)
    known = {field.name: field for field in fields(Recipe)}
    for name, value in values.items():
        if name not in known:
            raise InvalidParameter(
                f"the recipe {str(path)!r} has {name[:40]!r}; it may have {', '.join([*known, NOISE])} and [{TUNING}]"
            )
        values[name] = _as_field(name, value, known[name].default, path)
    if not isinstance(noise, str | None):
        raise InvalidParameter(f'noise in the recipe {str(path)!r} is {noise!r}; write "gaussian:sigma=25" or the like')
    return RecipeFile(Recipe(**values), noise if noise is None or noise in KINDS else parse_noise(noise))


def toml_in(path: str | Path) -> dict[str, Any]:
    """What a recipe file holds, of denoising or of training.

    Raises
    ------
    UnreadableFile : there is no such file, it is longer than recipes are, or it is no TOML.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"cannot read the recipe {str(path)!r}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"{str(path)!r} has more than {MOST_BYTES} bytes, so it is no recipe; give another file")
    try:
        text = content.decode("utf-8")
        if any(key.count(".") > MOST_DOTS for key in BETWEEN_KEYS.split(text)):
            raise ValueError("a key of it is nested too deeply")
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # whole numbers of thousands of digits are plain ValueErrors
        reason = " ".join(str(error).split())[:120]
        raise UnreadableFile(f"the recipe {str(path)!r} is no TOML: {reason}") from error


def _as_field(name: str, value: Any, usual: Any, path: str | Path) -> Any:
    """The value as the recipe has it: lists become tuples, whole numbers do where any number does."""
    if isinstance(usual, tuple) and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(usual, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(usual):
        kind = _KINDS.get(type(usual), "a list of text")
        raise InvalidParameter(f"{name} in the recipe {str(path)!r} is {value!r}; it is {kind}")
    return value
