"""What a killed run leaves beside its outputs: the temporaries of :mod:`noiseless.atomic`."""

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from noiseless.atomic import FORMER, STEM_LETTERS, TEMPORARY


def clear_leftovers(outputs: Iterable[Path]) -> None:
    """Remove the temporaries of outputs that nobody writes any more, and nothing else.

    A folder that had been put aside, and whose place nothing took, goes back to its place. The parts of a video, from
    which a later run goes on, stay.
    """
    by_folder: dict[Path, list[Path]] = {}
    for output in outputs:
        target = Path(os.path.realpath(output))
        by_folder.setdefault(target.parent, []).append(target)
    for folder, targets in by_folder.items():
        with contextlib.suppress(OSError):  # the folder has gone
            _clear_in(folder, targets)


def _clear_in(folder: Path, targets: list[Path]) -> None:
    named: dict[tuple[str, str], set[Path]] = {}
    for target in targets:
        for stem in (target.stem, f"{target.stem}.partial"):
            for suffix in (target.suffix, FORMER):
                named.setdefault((stem[:STEM_LETTERS], suffix), set()).add(target)
    for item in list(folder.iterdir()):
        match = TEMPORARY.fullmatch(item.name)
        of = named.get((match["stem"], match["suffix"] or ""), set()) if match else set()
        if not of:
            continue
        if item.suffix == FORMER and not all(target.exists() for target in of):
            if len(of) == 1:
                item.rename(next(iter(of)))
            continue
        with contextlib.suppress(OSError):
            shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
