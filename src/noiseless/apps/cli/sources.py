"""The files that the arguments of a verb stand for."""

import glob
from pathlib import Path

import noiseless


def sources_of(text: str) -> list[Path]:
    """The files that one argument stands for: itself, the images in a folder, or what a pattern matches.

    Raises
    ------
    noiseless.UnreadableFile : a folder without an image, or a pattern that matches nothing.
    """
    path = Path(text)
    if path.is_dir():
        suffixes = noiseless.files.readable_suffixes()
        found = sorted(item for item in path.iterdir() if item.suffix.lower() in suffixes)
    elif not path.exists() and glob.has_magic(text):
        found = sorted(Path(match) for match in glob.glob(text, recursive=True))
    else:
        return [path]
    if not found:
        raise noiseless.UnreadableFile(f"no image in {text!r}; give files, or a folder that holds some")
    return found
