"""How much a service takes on, in one value."""

import math
import os
import shutil
import tempfile
from dataclasses import dataclass, fields

import noiseless
from noiseless.apps.work import WHOLE_BYTES, memory_of_machine

MIB, GIB = 2**20, 2**30

MEMORY_SHARE = 0.5
"""Of the memory of the machine: all workers together take no more for the arrays of images."""


@dataclass(frozen=True)
class Limits:
    """What a service takes on, and for how long.

    Parameters
    ----------
    bytes : of an upload
    pixels : that a picture may claim before it is taken for a decompression bomb
    seconds : that reading a file, or denoising it, may take
    waiting : uploads and jobs that may wait while all workers are busy
    minutes_kept : that files and results stay after their last use
    workers : processes, which share the cores
    disk_bytes : that all files and results together take; 0: 20 GiB, or half of what is free
    memory_bytes : that the arrays of one image take; 0: a half of the memory of the machine, shared by the workers
    files : that are kept at a time, and as many jobs

    Raises
    ------
    noiseless.InvalidParameter : one is not above 0, or there are more workers than cores would serve.
    """

    bytes: int = 512 * MIB
    pixels: int = 100_000_000
    seconds: float = 600.0
    waiting: int = 16
    minutes_kept: float = 60.0
    workers: int = 1
    disk_bytes: int = 0
    memory_bytes: int = 0
    files: int = 10_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in ("disk_bytes", "memory_bytes") else 1 if isinstance(field.default, int) else 1e-3
            if not (least <= value < math.inf):
                name = field.name.replace("_", "-")
                raise noiseless.InvalidParameter(f"{name} is {value:g}; give {least:g} or more")
        most = 4 * (os.cpu_count() or 1)
        if self.workers > most:
            raise noiseless.InvalidParameter(
                f"workers is {self.workers}; each uses several cores, and this machine serves at most {most}"
            )
        if not self.disk_bytes:
            free = shutil.disk_usage(tempfile.gettempdir()).free
            object.__setattr__(self, "disk_bytes", min(20 * GIB, free // 2))
        if not self.memory_bytes:
            object.__setattr__(self, "memory_bytes", int(MEMORY_SHARE * memory_of_machine() / self.workers))


def check_memory(values: int, limit: int) -> None:
    """Refuse an image that needs more memory than a worker has.

    Parameters
    ----------
    values : of all pixels and channels
    limit : bytes

    Raises
    ------
    noiseless.InvalidImage : it needs more.
    """
    needed = values * WHOLE_BYTES
    if needed > limit:
        raise noiseless.InvalidImage(
            f"it has {values / 1e6:.0f} million values and needs {needed / GIB:.1f} GiB of memory, where "
            f"{limit / GIB:.1f} are allowed; denoise it by the command line, which goes block by block, or give a part"
        )
