"""Bombs are read in a process that has little memory and time, so that the machine of who runs the tests survives."""

import json
import os
import resource
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

MIB = 2**20
REFUSALS = ("UnreadableFile", "UnsupportedFormat", "InvalidParameter", "IncompatibleCheckpoint", "UnknownName")


@dataclass(frozen=True)
class Outcome:
    """What became of a reading: the name of the error, or "", its message, what it took."""

    error: str
    message: str
    peak_mb: float = 0.0
    took_s: float = 0.0

    @property
    def in_a_line(self):
        """Whether it was refused as the house refuses: by an error of ours, in a line that one can read."""
        return self.error in REFUSALS and "\n" not in self.message and 0 < len(self.message) < 600


@pytest.fixture(scope="session")
def limited():
    """``limited(kind, path, megabytes=1024, seconds=10.0)``: the outcome of a reading in so much memory and time."""
    if not hasattr(resource, "RLIMIT_AS") or not Path("/proc/self/statm").exists():
        pytest.skip("the memory of a process is bounded on Linux only")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    script = Path(__file__).with_name("limited_reader.py")
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert json.loads(process.stdout.readline()) == {"ready": True}

        def read(kind, path, *, megabytes=1024, seconds=10.0):
            asked = {"kind": kind, "path": str(path), "megabytes": megabytes, "seconds": seconds}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            return Outcome(**json.loads(process.stdout.readline()))

        yield read
        process.stdin.close()


@pytest.fixture(scope="session")
def zeros():
    """``zeros(megabytes, wbits=15)``: what expands to so many zeros by Deflate: zlib, raw (-15) or gzip (31)."""

    def made(megabytes, wbits=15):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packer.compress(bytes(MIB))
        packer.flush(zlib.Z_FULL_FLUSH)
        block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)  # the same for every further megabyte
        body = block * megabytes + b"\x03\x00"
        if wbits < 0:
            return body
        if wbits == 31:
            return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + bytes(8)
        # Adler-32 of n zeros: its lower half is 1, and the upper one the sum of n ones.
        return b"\x78\xda" + body + struct.pack(">HH", megabytes * MIB % 65521, 1)

    return made
