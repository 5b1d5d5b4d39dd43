"""What ``noiseless denoise`` has to do: which files go in together, and where their results go."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import noiseless
from noiseless.apps.cli import figure
from noiseless.apps.cli.sources import path_of, sources_of, walked
from noiseless.apps.work import STANDARD, Job, inserted

ERROR_SUFFIXES = (".tif", ".tiff")


def jobs_of(inputs: list[str], output: Path | None) -> Iterator[Job]:
    """Every image that the arguments name, and its target. A store, though it is a folder, is one image.

    With an output, a folder stands for the images in the folders below it too, and its results lie likewise.

    Raises
    ------
    noiseless.InvalidParameter : several would go to one file.
    """
    walk = output is not None and output != STANDARD
    places: dict[Path, Path] = {}
    sources: list[Path] = []
    for text in inputs:
        root = path_of(text)
        if output is not None and walk and _is_folder(root):
            found = walked(root, output)
            places |= {source: source.parent.relative_to(root) for source in found}
        else:
            found = sources_of(text)
        sources.extend(found)
    several = len(sources) > 1 or any(map(_is_folder, map(Path, inputs)))
    if several and output is not None and (output.is_file() or output == STANDARD):
        raise noiseless.InvalidParameter(f"{len(sources)} inputs cannot go to {str(output)!r}; name a folder with -o")
    into_folder = output is not None and output != STANDARD and (several or _is_folder(output))
    for together in _gathered(sources) if several else [tuple(sources)]:
        place = output / places.get(together[0], "") if output is not None and into_folder else output
        targets = tuple(_target(source, place, into_folder=into_folder) for source in together)
        yield Job(together, targets, folder=output if into_folder else None, recorded=into_folder and several)


def _gathered(sources: list[Path]) -> Iterator[tuple[Path, ...]]:
    """What is an image together; a series lies in one folder."""
    by_folder: dict[Path, list[Path]] = {}
    for source in sources:
        by_folder.setdefault(source.parent, []).append(source)
    for group in by_folder.values():
        yield from noiseless.files.gathered(group)


def check_targets(jobs: Sequence[Job], *, force: bool) -> None:
    """Refuse before the first pixel is computed what would be refused after the last.

    Targets that exist are not looked at where a manifest may know of them.

    Raises
    ------
    noiseless.NoiselessError : a result would replace a file, a source or another result, or cannot be written.
    """
    _check_extras(jobs)
    targets = [path for job in jobs for path in job.outputs]
    twice = [target for target, count in Counter(targets).items() if count > 1]
    if twice:
        raise noiseless.InvalidParameter(f"two results would both be written to {str(min(twice))!r}; rename one")
    for source, target in (pair for job in jobs for pair in zip(job.sources, job.targets, strict=True)):
        if noiseless.files.is_video(source):
            _check_video(source, target)
        elif noiseless.files.suffix_of_result(target) != noiseless.files.suffix_of(target):
            raise noiseless.UnsupportedFormat(
                f"{str(target)!r} is of a kind that is only read; name it {noiseless.files.suffix_of_result(target)}"
            )
    folders = cache(os.path.realpath)
    sources = {_resolved(source, folders) for job in jobs for source in job.sources}
    for path in targets:
        if _resolved(path, folders) in sources:
            raise noiseless.InvalidParameter(f"{str(path)!r} would overwrite itself; choose another -o")
    for path in (path for job in jobs if not job.recorded for path in job.outputs):
        noiseless.files.check_new(path, overwrite=force)


def check_beside(path: Path, jobs: Sequence[Job], what: str, *, force: bool) -> None:
    """Refuse before the work a file that is to be written after it, beside the results.

    Parameters
    ----------
    what : it is, for people

    Raises
    ------
    noiseless.UnwritableFile : it exists, or its folder does not.
    noiseless.InvalidParameter : it is one of the inputs or results.
    """
    noiseless.files.check_new(path, overwrite=force)
    if not path.parent.is_dir():
        raise noiseless.UnwritableFile(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}; make it")
    mine = path.resolve()
    if any(mine == other.resolve() for job in jobs for other in (*job.sources, *job.outputs)):
        raise noiseless.InvalidParameter(f"the {what} would be written to {str(path)!r}, which is an image of the run")


def make_folders(jobs: Sequence[Job]) -> None:
    """Make the folders that were named for results, and those below them.

    Raises
    ------
    noiseless.UnwritableFile : one cannot be made.
    """
    named = dict.fromkeys(job.folder for job in jobs if job.folder is not None)
    below = dict.fromkeys(target.parent for job in jobs if job.recorded for target in job.targets)
    for folder in named | below:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise noiseless.UnwritableFile(f"cannot make {str(folder)!r}: {noiseless.files.reason(error)}") from error


def _resolved(path: Path, folders: Callable[[Path], str]) -> str:
    """As of ``os.path.realpath``, which is slow for many files of few folders."""
    whole = path.is_symlink() or path.name in ("", "..")
    return os.path.realpath(path) if whole else os.path.join(folders(path.parent), path.name)


def _check_extras(jobs: Sequence[Job]) -> None:
    """What is written beside the result fits to it."""
    first = jobs[0]
    for option, path in (("--error", first.error), ("--plot", first.plot)):
        if path is not None and len(jobs) > 1:
            raise noiseless.InvalidParameter(f"{option} names one file, and there are {len(jobs)} inputs; give one")
    if first.error is not None and first.error.suffix.lower() not in ERROR_SUFFIXES:
        raise noiseless.UnsupportedFormat(
            f"the error is not whole numbers; {str(first.error)!r} must end in .tif or .tiff"
        )
    if first.plot is not None:
        figure.check(first.plot)
    if first.samples and any(job.to_standard for job in jobs):
        raise noiseless.InvalidParameter("samples go to files beside the result, and standard output is none; give -o")


def _check_video(source: Path, target: Path) -> None:
    if target == STANDARD:
        raise noiseless.InvalidParameter(f"{str(source)!r} is a video, which needs a file to go to; name it with -o")
    if noiseless.files.suffix_of_video_result(target) != target.suffix:
        raise noiseless.UnsupportedFormat(
            f"no video is written to {str(target)!r}; end its name in .mp4, .mkv, .mov, .webm or .avi"
        )


def _target(source: Path, output: Path | None, *, into_folder: bool) -> Path:
    if output is not None:
        return output / _with_suffix(source).name if into_folder else output
    return STANDARD if source == STANDARD else inserted(_with_suffix(source), "denoised")


def _is_folder(path: Path) -> bool:
    """Of images, and not a store."""
    return path.is_dir() and not noiseless.files.is_store(path)


def _with_suffix(path: Path) -> Path:
    """The path, with the suffix of its kind where it has none, as files of scanners often have, or is only read."""
    if noiseless.files.is_video(path):
        return path.with_suffix(noiseless.files.suffix_of_video_result(path))
    if not path.suffix and path.is_file():
        return path.with_name(f"{path.name}{noiseless.files.format_of(path).suffixes[0]}")
    suffix, written = noiseless.files.suffix_of(path), noiseless.files.suffix_of_result(path)
    return path if suffix == written else path.with_name(path.name.removesuffix(suffix) + written)
