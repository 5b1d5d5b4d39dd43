"""The files that the arguments of a verb stand for."""

import glob
from pathlib import Path

import noiseless


def sources_of(text: str) -> list[Path]:
    """The files that one argument stands for: itself, the images and videos in a folder, or what a pattern matches.

    A folder that is a zarr store is one image, and stands for itself.

    Raises
    ------
    noiseless.UnreadableFile : a folder without an image, or a pattern that matches nothing.
    """
    path = Path(text)
    if path.is_dir() and not noiseless.files.is_store(path):
        found = sorted(item for item in path.iterdir() if _is_image(item))
    elif not path.exists() and glob.has_magic(text):
        found = sorted(Path(match) for match in glob.glob(text, recursive=True))
    else:
        return [path]
    if not found:
        raise noiseless.UnreadableFile(f"no image or video in {text!r}; give files, or a folder that holds some")
    return found


def name_of(paths: tuple[Path, ...]) -> str:
    """Of the files of one image, for people: the file, or the folder of a series."""
    return str(paths[0]) if len(paths) == 1 else f"{paths[0].parent} ({len(paths)} slices)"


def _is_image(path: Path) -> bool:
    """By its name; where that has no suffix, as with the files of scanners, by what is in it."""
    if path.suffix:
        return (noiseless.files.suffix_of(path) != "" or noiseless.files.is_video(path)) and path.is_file()
    return path.is_file() and noiseless.files.is_known(path)
