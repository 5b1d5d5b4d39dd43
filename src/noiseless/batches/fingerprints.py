"""By what it is known that an input is the same, and that it was denoised in the same manner."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noiseless.errors import UnreadableFile
from noiseless.names import Lazy, load
from noiseless.version import __version__

if TYPE_CHECKING:
    from noiseless.noise import NoiseModel
    from noiseless.restoration import Recipe

# Loaded when they are asked for: worker processes begin by importing this room, and may need none of them.
_NOTATION = Lazy("noiseless.noise:notation_of")
_PARSED = Lazy("noiseless.restoration.methods:parsed")
_SHIPPED = Lazy("noiseless.score:shipped")

DIGEST_BYTES = 16
"""128 bits: two of 10^9 files that differ have the same with a chance of 10^-21."""

_blake = partial(hashlib.blake2b, digest_size=DIGEST_BYTES)


def content_hash(paths: Sequence[Path]) -> str:
    """Of all bytes of an image: BLAKE2b in hexadecimal, 32 letters; for a single file that of ``b2sum -l 128``.

    Of several files, and of a folder, which is a store: over the list of their hashes and names. That is sorted for a
    folder, and in the given order otherwise, as slices of a series have one.

    Raises
    ------
    UnreadableFile : one is missing or cannot be read.
    """
    try:
        if len(paths) == 1 and not paths[0].is_dir():
            return _of_file(paths[0])
        named = [pair for path in paths for pair in _named(path)]
        return _blake(
            "".join(f"{_of_file(path)}  {name}\n" for path, name in named).encode("utf-8", "surrogateescape")
        ).hexdigest()
    except OSError as error:
        name = error.filename or paths[0]
        raise UnreadableFile(f"cannot read {str(name)!r}: {error.strerror or error}") from error


def recipe_key(recipe: "Recipe", noise: "NoiseModel | str | None" = None, **coding: Any) -> str:
    """Of all that decides, with the input, how the result comes out, in hexadecimal.

    Parameters
    ----------
    recipe, noise : as for :func:`noiseless.restore_image`
    coding : how results are coded, as plain values

    That are these, the version of noiseless, and the content of the weights. How much memory may be used is not among
    them: tiles and blocks equal the whole.

    Raises
    ------
    InvalidParameter : the noise has no notation: one of its numbers is a map.
    UnreadableFile : a file that the recipe names cannot be read.
    """
    parts = {
        "version": __version__,
        "recipe": {name: value for name, value in asdict(recipe).items() if name != "tile"},
        "noise": noise if noise is None or isinstance(noise, str) else load(_NOTATION)(noise),
        "weights": {str(path): content_hash([path]) for path in _files_of(recipe)},
        "shipped": _of_shipped(),
        "coding": coding,
    }
    return _blake(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, _blake).hexdigest()


def _named(path: Path) -> Iterator[tuple[Path, str]]:
    """The files of a path, with names that do not depend on where it lies."""
    if not path.is_dir():
        yield path, path.name
        return
    found = [Path(folder) / name for folder, _, names in os.walk(path, followlinks=True) for name in names]
    yield from sorted(((item, item.relative_to(path).as_posix()) for item in found), key=lambda pair: pair[1])


def _files_of(recipe: "Recipe") -> list[Path]:
    """Weights and densities that are files of the user."""
    values = [recipe.model]
    for method in (recipe.method, *recipe.members):
        values.extend(str(value) for value in load(_PARSED)(method)[1].values())
    return [path for path in map(Path, dict.fromkeys(values)) if path.is_file()]


def _of_shipped() -> str:
    """Of all weights inside the package: which of them are used depends on the image."""
    return _blake(b"".join(_blake(item.read_bytes()).digest() for item in load(_SHIPPED)().values())).hexdigest()
