"""A zarr store written window by window, with everything of its source but the pixels."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from noiseless.atomic import replacing_folder
from noiseless.errors import UnwritableFile
from noiseless.files.chunked import ChunkedWriter, Window, is_store
from noiseless.version import __version__

from .metadata import DOCUMENTS, OURS, json_of
from .pyramid import build_level
from .reading import SPACE, OmeZarr, few_at_once


@contextlib.contextmanager
def rewritten(source: OmeZarr, path: Path, *, overwrite: bool) -> Iterator[ChunkedWriter]:
    """See :meth:`OmeZarr.rewriting`."""
    target = Path(os.path.realpath(path))
    origin = Path(os.path.realpath(source.path))
    if origin == target or origin in target.parents or target in origin.parents:
        raise UnwritableFile(f"{str(path)!r} lies within its source, or the other way round; choose another name")
    with replacing_folder(path, overwrite=overwrite, kind="zarr store", is_kind=is_store) as temporary:
        _copy_all_but_pixels(source, temporary)
        arrays = [zarr.open_array(temporary / name, mode="r+") for name in source.multiscale.paths]
        writer = StoreWriter(source, arrays[0])
        yield writer
        for level in range(1, len(arrays)):
            with few_at_once(arrays[0]):
                build_level(arrays[0], arrays[level], source.factors[level])
        _note(temporary, writer.history)


@dataclass(frozen=True, eq=False)
class StoreWriter:
    """Writes chunks, or shards; see :class:`~noiseless.files.chunked.ChunkedWriter`."""

    source: OmeZarr
    array: Any
    history: list[str] = field(default_factory=list)

    @property
    def grid(self) -> tuple[int, ...]:
        pieces = self.array.shards or self.array.chunks
        axes = self.source.multiscale.axes
        return tuple(side for letter, side in zip(axes, pieces, strict=True) if letter in SPACE)

    def write(self, item: int, channels: slice, window: Window, values: NDArray[Any]) -> None:
        """Put values in their place."""
        place = self.source.place(item, channels, window)
        with few_at_once(self.array):
            self.array[place] = np.asarray(values).reshape([part.stop - part.start for part in place])


def _copy_all_but_pixels(source: OmeZarr, target: Path) -> None:
    """The whole store, but of the arrays of the image only their documents."""
    levels = {source.path / name for name in source.multiscale.paths}
    for folder, folders, files in os.walk(source.path, followlinks=True):
        place = target / Path(folder).relative_to(source.path)
        place.mkdir(exist_ok=True)
        is_level = Path(folder) in levels
        if is_level:
            folders.clear()
        for name in files:
            if not is_level or name in DOCUMENTS:
                # Without permissions: a store that must not be written is still one to be copied.
                shutil.copyfile(Path(folder) / name, place / name)


def _note(folder: Path, lines: list[str]) -> None:
    """Put lines at the end of the history in the attributes of a group or an array."""
    if (folder / "zarr.json").is_file():
        document = json_of(folder / "zarr.json")
        _add_to(document.setdefault("attributes", {}), lines)
        _put(folder / "zarr.json", document)
        return
    attributes = json_of(folder / ".zattrs") if (folder / ".zattrs").is_file() else {}
    _add_to(attributes, lines)
    _put(folder / ".zattrs", attributes)
    if (folder / ".zmetadata").is_file():
        # All documents of the store in one, which some readers look at alone.
        consolidated = json_of(folder / ".zmetadata")
        consolidated.setdefault("metadata", {})[".zattrs"] = attributes
        _put(folder / ".zmetadata", consolidated)


def _add_to(attributes: dict[str, Any], lines: list[str]) -> None:
    known = attributes.get(OURS)
    before = known.get("history") if isinstance(known, dict) else None
    history = [*(before if isinstance(before, list) else []), *lines]
    attributes[OURS] = {"version": __version__, "history": history}


def _put(document: Path, content: dict[str, Any]) -> None:
    document.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")
