"""Our safetensors files: the bytes of one, and what its header says beside the arrays."""

import json
from pathlib import Path
from typing import Any

from noiseless.errors import IncompatibleCheckpoint, UnreadableFile

MOST_BYTES = 2**30
"""Of a file that is read whole; a hundred times the largest network that ships."""


def content_of(path: Path, kind: str) -> bytes:
    """The bytes of a file of weights.

    Parameters
    ----------
    kind : what the messages call it

    Raises
    ------
    UnreadableFile : missing, a directory, or not to be read.
    IncompatibleCheckpoint : larger than any.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise IncompatibleCheckpoint(
                f"{path} has {size} bytes, and a {kind} at most {MOST_BYTES}; use a file that `noiseless train` wrote"
            )
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot read the {kind} {path}: {error.strerror}") from error


def card_of(content: bytes, key: str) -> Any:
    """The JSON value under ``key`` in the metadata of a safetensors file, from its bytes.

    Raises
    ------
    KeyError, TypeError, ValueError : the header has no such entry, or is none.
    """
    # The format: eight bytes of length, then a JSON header that holds the metadata.
    length = int.from_bytes(content[:8], "little")
    try:
        return json.loads(json.loads(content[8 : 8 + length])["__metadata__"][key])
    except RecursionError as error:
        raise ValueError("the header is nested too deeply") from error
