"""What pydicom reads from a file, bounded: damaged lengths and decompression bombs ask for no memory."""

import io
import os
import zlib
from pathlib import Path
from typing import Any

import pydicom
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian

from noiseless.errors import UnreadableFile
from noiseless.files.limits import MAX_METADATA_BYTES, most_pixels

PIECE = 2**20
MOST_BYTES_A_PIXEL = 12
"""Three samples of 32 bits."""


class Bounded(io.BufferedReader):
    """A file of which no more is asked for than it has: Python makes room for all that is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))


def opened(path: Path, **options: Any) -> Any:
    """The data set in a file; ``options`` are those of ``pydicom.dcmread``.

    Raises
    ------
    UnreadableFile : it was compressed as a whole, and unpacks to more than a picture may have.
    OSError, or what pydicom raises on damaged files.
    """
    with Bounded(io.FileIO(path)) as stream:
        _check_deflated(stream)
        return pydicom.dcmread(stream, **options)


def _check_deflated(stream: Bounded) -> None:
    """Pydicom unpacks what was deflated as a whole at once, however large it gets; here nothing of it is kept."""
    # Pydicom's own way to the place where the data begin, so that both mean the same.
    read_preamble(stream, False)  # noqa: FBT003  pydicom's second parameter, to be given by place
    meta = _read_file_meta_info(stream)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        most = MOST_BYTES_A_PIXEL * most_pixels() + MAX_METADATA_BYTES
        inflating, packed, unpacked = zlib.decompressobj(-zlib.MAX_WBITS), stream.read(), 0
        while packed and not inflating.eof:
            unpacked += len(inflating.decompress(packed, PIECE))
            packed = inflating.unconsumed_tail
            if unpacked > most:
                raise UnreadableFile(
                    f"it unpacks to more than {most} bytes, which {most_pixels()} pixels do not need: if it is no "
                    "decompression bomb and you trust it, allow more (max_pixels, --max-pixels)"
                )
    stream.seek(0)
