"""A function packed for another machine, together with the weights that it names by the paths of files here."""

import hashlib
import io
import json
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from noiseless.atomic import replacing
from noiseless.errors import UnreadableFile

WEIGHTS = ".safetensors"
"""The suffix of the files that go along."""

FOLDER = "noiseless-weights"


@dataclass(frozen=True)
class Parcel:
    """A function and the files that go along with it.

    Parameters
    ----------
    pickled : the function, in which names of files stand for their paths
    files : content by name: the hash of the content, and the name that the file has here
    """

    pickled: bytes
    files: Mapping[str, bytes]

    def opened(self, folder: Path) -> Callable[[Any], Any]:
        """The function, with the paths that its files have on this machine.

        Parameters
        ----------
        folder : where they are put, unless they are there. Never a part of one, whoever else opens such a parcel.
        """
        paths = {name: folder / FOLDER / name for name in self.files}
        for name, path in paths.items():
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                with replacing(path, overwrite=True) as temporary:
                    temporary.write_bytes(self.files[name])
        function: Callable[[Any], Any] = _Unpacker(self.pickled, paths).load()
        return function


def packed(function: Callable[[Any], Any]) -> Parcel:
    """The function as a parcel.

    What goes along is each file of weights whose path is in it: a path or a text by itself, or in the words of a
    method, ``score:model=PATH``.

    Raises
    ------
    UnreadableFile : one of them cannot be read.
    """
    packer = _Packer()
    return Parcel(packer.packed(function), packer.files)


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    def __init__(self) -> None:
        self.stream = io.BytesIO()
        self.files: dict[str, bytes] = {}
        super().__init__(self.stream)

    def packed(self, value: Any) -> bytes:
        self.dump(value)
        return self.stream.getvalue()

    def persistent_id(self, value: Any) -> str | None:
        """What stands for a text or a path that names weights: JSON of its parts, those of files as [name]."""
        if not isinstance(value, str | PurePath) or WEIGHTS not in str(value):
            return None
        text = str(value)
        parts = [text] if _is_file(text) else re.split("([=,])", text)
        found = [[self._name_of(Path(part))] if _is_file(part) else part for part in parts]
        if found == parts:
            return None
        return json.dumps([isinstance(value, PurePath), found])

    def _name_of(self, path: Path) -> str:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UnreadableFile(f"cannot read {str(path)!r}: {error.strerror}") from error
        name = f"{hashlib.blake2b(content, digest_size=16).hexdigest()}/{path.name}"
        self.files[name] = content
        return name


class _Unpacker(pickle.Unpickler):
    def __init__(self, pickled: bytes, paths: Mapping[str, Path]) -> None:
        super().__init__(io.BytesIO(pickled))
        self.paths = paths

    def persistent_load(self, stands_for: str) -> str | Path:
        is_path, parts = json.loads(stands_for)
        text = "".join(part if isinstance(part, str) else str(self.paths[part[0]]) for part in parts)
        return Path(text) if is_path else text


def _is_file(text: str) -> bool:
    return text.endswith(WEIGHTS) and Path(text).is_file()
