"""A bag copied file by file, with some messages changed."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from noiseless.atomic import replacing, replacing_folder
from noiseless.errors import InvalidParameter, UnreadableFile, UnsupportedFormat, UnwritableFile

from .cleaning import TopicCleaner
from .compression import compress_file, each_compressed
from .mcap_file import rewrite_mcap
from .messages import Dialect
from .reading import ROS1_SUFFIX, STORAGE_SUFFIXES, Bag, ImageTopic, Storage, is_bag, open_bag, telling_damage
from .ros1_file import rewrite_ros1
from .sqlite_file import rewrite_sqlite
from .words import Change, Clean, Progress, Rewriter

REWRITERS: Mapping[str, Rewriter] = {".mcap": rewrite_mcap, ".db3": rewrite_sqlite}


def rewrite(
    source: Path,
    target: Path,
    clean: Clean,
    *,
    topics: Sequence[str] | None,
    overwrite: bool,
    progress: Progress | None,
) -> tuple[ImageTopic, ...]:
    """See :func:`noiseless.files.bags.rewrite_bag`."""
    with open_bag(source) as bag:
        _check_target(bag, target)
        chosen = _chosen(bag, topics)
        cleaners = {each.name: TopicCleaner(bag.path, each.name, each.type, bag.dialect, clean) for each in chosen}
        # All is looked at before anything is written.
        accepted = tuple(each for each in chosen if _accepted(bag, cleaners[each.name]))
        change = _counting(cleaners, sum(each.count for each in chosen), progress)
        if bag.path.is_file():
            with replacing(target, overwrite=overwrite) as temporary:
                _rewrite_storage(bag, bag.storages[0], temporary, set(cleaners), change)
        else:
            with replacing_folder(target, overwrite=overwrite, kind="ROS 2 bag", is_kind=is_bag) as temporary:
                for storage in bag.storages:
                    _rewrite_storage(bag, storage, temporary / storage.name, set(cleaners), change)
                _copy_the_rest(bag, temporary)
    return accepted


def _check_target(bag: Bag, target: Path) -> None:
    """That it is of the kind of the source, and lies beside it.

    Raises
    ------
    UnsupportedFormat : another kind.
    UnwritableFile : within the source, or the other way round.
    """
    is_folder, suffix = bag.path.is_dir(), target.suffix.lower()
    if is_folder and suffix in (ROS1_SUFFIX, *STORAGE_SUFFIXES):
        raise UnsupportedFormat(
            f"{str(bag.path)!r} is a folder, and so is the result; name it {target.stem!r} rather than {target.name!r}"
        )
    if not is_folder and suffix != (own := bag.path.suffix.lower() or ROS1_SUFFIX):
        raise UnsupportedFormat(f"the result of {str(bag.path)!r} is of its kind; end {str(target)!r} in {own}")
    origin, place = Path(os.path.realpath(bag.path)), Path(os.path.realpath(target))
    if origin == place or origin in place.parents or place in origin.parents:
        raise UnwritableFile(f"{str(target)!r} lies within its source, or the other way round; choose another name")


def _chosen(bag: Bag, names: Sequence[str] | None) -> tuple[ImageTopic, ...]:
    """The image topics of some names, or all.

    Raises
    ------
    UnreadableFile : there are none.
    InvalidParameter : a name that is not there.
    """
    if not bag.topics:
        raise UnreadableFile(bag.without_images())
    known = [each.name for each in bag.topics]
    for name in names or ():
        if name not in known:
            raise InvalidParameter(f"no image topic {name!r} in {str(bag.path)!r}; there are {', '.join(known)}")
    return tuple(each for each in bag.topics if names is None or each.name in names)


def _accepted(bag: Bag, cleaner: TopicCleaner) -> bool:
    first = bag.first_of(cleaner.topic)
    return first is not None and cleaner.accepts(first.data)


def _counting(cleaners: Mapping[str, TopicCleaner], total: int, progress: Progress | None) -> Change:
    done = 0

    def change(topic: str, time: int, message: bytes) -> bytes:
        nonlocal done
        result = cleaners[topic].changed(time, message)
        done += 1
        if progress is not None:
            progress(min(1.0, done / max(1, total)))
        return result

    return change


def _rewrite_storage(bag: Bag, storage: Storage, target: Path, topics: set[str], change: Change) -> None:
    is_ros1 = bag.dialect is Dialect.ROS1
    rewriter = rewrite_ros1 if is_ros1 else REWRITERS[storage.path.suffix.lower()]
    carried = _carrying_errors(change)
    if bag.message_compression:
        carried = each_compressed(carried)
    plain = target.with_suffix("") if bag.file_compression else target
    try:
        with telling_damage(bag.path, writing=True):
            rewriter(storage.path, plain, storage.numbered(topics), carried)
    except _Carried as carrier:
        raise carrier.error from carrier.error.__cause__
    if bag.file_compression:
        compress_file(plain, target)
        plain.unlink()


class _Carried(BaseException):
    """Takes an error of ``clean`` past those who would call it damage of the bag."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _carrying_errors(change: Change) -> Change:
    def carrying(topic: str, time: int, message: bytes) -> bytes:
        try:
            return change(topic, time, message)
        except Exception as error:
            raise _Carried(error) from error

    return carrying


def _copy_the_rest(bag: Bag, target: Path) -> None:
    """metadata.yaml, which tells nothing of the pixels, and whatever else lies there."""
    rewritten = {storage.name for storage in bag.storages}
    shutil.copytree(
        bag.path, target, dirs_exist_ok=True, copy_function=shutil.copyfile,
        ignore=lambda folder, names: rewritten & set(names) if Path(folder) == bag.path else set(),
    )  # fmt: skip
