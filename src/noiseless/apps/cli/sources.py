"""The files that the arguments of a verb stand for."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path

import noiseless


def path_of(text: str) -> Path:
    """Of an argument. An empty one, as of a variable of the shell that is not set, would stand for this folder.

    Raises
    ------
    noiseless.InvalidParameter : it is empty.
    """
    if not text:
        raise noiseless.InvalidParameter("an input is '', which names no file; for all images of this folder give .")
    return Path(text)


def sources_of(text: str) -> list[Path]:
    """The files that one argument stands for: itself, the images and videos in a folder, or what a pattern matches.

    A folder that is a zarr store is one image, and stands for itself.

    Raises
    ------
    noiseless.UnreadableFile : a folder without an image, or a pattern that matches nothing.
    """
    path = path_of(text)
    if path.is_dir() and not noiseless.files.is_store(path):
        found = sorted(item for item in path.iterdir() if _is_image(item))
    elif not path.exists() and glob.has_magic(text):
        found = sorted(Path(match) for match in glob.glob(text, recursive=True))
    else:
        return [path]
    if not found:
        raise noiseless.UnreadableFile(f"no image or video in {text!r}; give files, or a folder that holds some")
    return found


def walked(folder: Path, left_out: Path) -> list[Path]:
    """The images, videos and stores in a folder and the folders below it, of each folder first what lies in it.

    What is hidden is left out, and the folder ``left_out``. A link to a folder is followed where that lies elsewhere;
    no folder is entered twice.

    Raises
    ------
    noiseless.UnreadableFile : there are none, or a folder cannot be read.
    """
    try:
        found = list(_below(folder, {os.path.realpath(left_out)}, os.path.realpath(folder)))
    except OSError as error:
        raise noiseless.UnreadableFile(
            f"cannot read {str(error.filename)!r}: {noiseless.files.reason(error)}"
        ) from error
    if not found:
        raise noiseless.UnreadableFile(f"no image or video in {str(folder)!r}; give files, or a folder that holds some")
    return found


def _below(folder: Path, entered: set[str], top: str) -> Iterator[Path]:
    entered.add(os.path.realpath(folder))
    items = sorted(item for item in folder.iterdir() if not item.name.startswith("."))
    folders = [item for item in items if item.is_dir()]
    for item in items:
        if noiseless.files.is_store(item) if item.is_dir() else _is_image(item):
            yield item
    for item in folders:
        real = os.path.realpath(item)
        # What a link finds within the tree is found there under its own name.
        within = item.is_symlink() and Path(real).is_relative_to(top)
        if real not in entered and not within and not noiseless.files.is_store(item):
            yield from _below(item, entered, top)


def _is_image(path: Path) -> bool:
    """By its name; where that has no suffix, as with the files of scanners, by what is in it."""
    if path.suffix:
        return (noiseless.files.suffix_of(path) != "" or noiseless.files.is_video(path)) and path.is_file()
    return path.is_file() and noiseless.files.is_known(path)
