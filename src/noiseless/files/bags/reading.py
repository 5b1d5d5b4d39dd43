"""A bag opened: its image topics, and all its messages in order."""

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from noiseless.errors import MissingExtra, NoiselessError, UnreadableFile

from .messages import Dialect, encoding_of
from .words import IMAGE_TYPES, Topics

ROS1_MAGIC, MCAP_MAGIC, SQLITE_MAGIC = b"#ROSBAG V", b"\x89MCAP0\r\n", b"SQLite format 3\x00"
ROS1_SUFFIX, STORAGE_SUFFIXES = ".bag", (".mcap", ".db3")
METADATA = "metadata.yaml"
OPENED_BY_ROS2 = b"rosbag2_bagfile_information"
MOST_NAMED = 12
"""Topics in an error."""

COPY_AGAIN = "copy it again"


@dataclass(frozen=True)
class ImageTopic:
    """A topic of images.

    Parameters
    ----------
    name, type : as in "/camera/image_raw", "sensor_msgs/msg/Image"
    encoding : of the first message, or its format where it is compressed; empty where there is none
    count : of messages
    """

    name: str
    type: str
    encoding: str
    count: int


@dataclass(frozen=True)
class BagMessage:
    """One message: its topic, type, time in nanoseconds, and serialised bytes."""

    topic: str
    type: str
    time: int
    data: bytes


@dataclass(frozen=True)
class Storage:
    """One file of a bag.

    Parameters
    ----------
    path : where it can be read; not in the bag itself where its files are compressed as a whole
    name : in the bag
    connections : as rosbags tells them
    """

    path: Path
    name: str
    connections: tuple[Any, ...]

    def numbered(self, topics: Collection[str]) -> Topics:
        """The connections that carry images of some topics."""
        images = (each for each in self.connections if each.msgtype in IMAGE_TYPES)
        return {each.id: each.topic for each in images if each.topic in topics}


@dataclass(frozen=True, eq=False)
class Bag:
    """A bag that is open; iteration gives all its messages in the order of their times.

    Parameters
    ----------
    path : the file, or the folder
    reader : of rosbags
    dialect : how its messages are serialised
    storages : its files
    message_compression : whether each message is compressed by itself, as SQLite bags may have it
    file_compression : whether each file is compressed as a whole
    """

    path: Path
    reader: Any
    dialect: Dialect
    storages: tuple[Storage, ...]
    message_compression: bool = False
    file_compression: bool = False
    _topics: list[ImageTopic] = field(default_factory=list)

    @property
    def topics(self) -> tuple[ImageTopic, ...]:
        """The image topics, by name; only their first messages are read."""
        if not self._topics:
            self._topics.extend(self._image_topics())
        return tuple(self._topics)

    @property
    def types(self) -> dict[str, str]:
        """The type of every topic, of images or not."""
        return {each.topic: each.msgtype for each in sorted(self.reader.connections, key=lambda each: each.topic)}

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """The messages of some topics, or of all, in the order of their times.

        Raises
        ------
        UnreadableFile : the bag is damaged.
        """
        chosen = [each for each in self.reader.connections if topics is None or each.topic in topics]
        if not chosen:  # no filter to rosbags, and so every message
            return
        from .compression import unpacked_message

        with telling_damage(self.path):
            for connection, time, data in self.reader.messages(connections=chosen):
                message = unpacked_message(data) if self.message_compression else bytes(data)
                yield BagMessage(connection.topic, connection.msgtype, time, message)

    def __iter__(self) -> Iterator[BagMessage]:
        return self.messages()

    def first_of(self, topic: str) -> BagMessage | None:
        """The first message of a topic, or None where it has none."""
        return next(self.messages([topic]), None)

    def _image_topics(self) -> Iterator[ImageTopic]:
        counts: dict[str, int] = {}
        for each in self.reader.connections:
            if each.msgtype in IMAGE_TYPES:
                counts[each.topic] = counts.get(each.topic, 0) + each.msgcount
        for name, count in sorted(counts.items()):
            first = self.first_of(name)
            with telling_damage(self.path, topic=name):
                encoding = "" if first is None else encoding_of(first.data, first.type, self.dialect)
            yield ImageTopic(name, self.types[name], encoding, count)

    def without_images(self) -> str:
        """What is in a bag that has none, for an error."""
        known = [f"{name} ({kind})" for name, kind in self.types.items()]
        more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
        return f"{str(self.path)!r} has no image topics; it has {', '.join(known[:MOST_NAMED]) or 'no topic'}{more}"


def is_bag(path: str | os.PathLike[str]) -> bool:
    """Whether it is a ROS 1 bag, the folder of a ROS 2 bag, or an .mcap or .db3 file; it may be damaged."""
    path = Path(path)
    if path.is_dir():
        return _is_bag_folder(path)
    if not path.is_file():
        return False
    suffix = path.suffix.lower()
    start = _start_of(path, len(SQLITE_MAGIC))
    if suffix == ROS1_SUFFIX or start.startswith(ROS1_MAGIC):
        return True
    if suffix not in STORAGE_SUFFIXES:
        return False
    return start.startswith((MCAP_MAGIC, SQLITE_MAGIC)) or _is_bag_folder(path.parent)


@contextlib.contextmanager
def open_bag(path: str | os.PathLike[str]) -> Iterator[Bag]:
    """A bag, open within the block. A file in the folder of a ROS 2 bag stands for the whole bag.

    Raises
    ------
    UnreadableFile : missing, truncated, damaged, or not a bag.
    MissingExtra : without the package rosbags.
    """
    path = Path(path)
    if not path.exists():
        raise UnreadableFile(f"cannot read {str(path)!r}: no such file or folder")
    if not is_bag(path):
        raise UnreadableFile(
            f"{str(path)!r} is not a bag; give a ROS 1 .bag file, or a ROS 2 folder that holds {METADATA}"
        )
    if path.suffix.lower() in STORAGE_SUFFIXES and path.is_file() and _is_bag_folder(path.parent):
        path = path.parent
    is_ros1 = path.is_file() and path.suffix.lower() not in STORAGE_SUFFIXES
    reader = _opened(path, is_ros1=is_ros1)
    try:
        yield _bag(path, reader, is_ros1=is_ros1)
    finally:
        reader.close()


@contextlib.contextmanager
def telling_damage(path: Path, *, topic: str = "", remedy: str = "", writing: bool = False) -> Iterator[None]:
    """Whatever goes wrong within is the fault of the bag; but, when writing, what the system refuses.

    Raises
    ------
    UnreadableFile : instead of every other error.
    """
    place = f"a message of {topic} in {str(path)!r}" if topic else repr(str(path))
    try:
        yield
    except UnreadableFile as error:
        raise UnreadableFile(f"cannot read {place}: {error}") from error
    except NoiselessError:
        raise
    # Damage makes rosbags and the codecs raise nearly every kind, assertions and TypeErrors too.
    except Exception as error:
        if writing and isinstance(error, OSError) and error.errno is not None:
            raise
        if isinstance(error, OSError) and error.errno is not None:  # bz2 has none where data are damaged
            raise UnreadableFile(f"cannot read {place}: {error.strerror}") from error
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise UnreadableFile(
            f"cannot read {place}: it is truncated or damaged ({reason}); {remedy or COPY_AGAIN}"
        ) from error


def _opened(path: Path, *, is_ros1: bool) -> Any:
    try:
        from rosbags import rosbag1, rosbag2
    except ModuleNotFoundError as error:
        raise MissingExtra("reading bags needs 'rosbags': pip install 'noiseless[ros]'") from error
    from .compression import bound  # which loads the codecs

    _refuse_unfinished(path)
    with telling_damage(path, remedy=_remedy(path, is_ros1=is_ros1)):
        reader = rosbag1.Reader(path) if is_ros1 else rosbag2.Reader(path)
        reader.open()
        try:
            bound(reader, is_ros1=is_ros1)
            _check_connections(reader.connections)
        except BaseException:
            reader.close()
            raise
    return reader


def _check_connections(connections: Iterable[Any]) -> None:
    """Of ROS 2 they are from metadata.yaml, of which rosbags takes whatever stands there."""
    for each in connections:
        if not (isinstance(each.topic, str) and isinstance(each.msgtype, str) and isinstance(each.msgcount, int)):
            raise UnreadableFile(f"its {METADATA} tells no topics, types and counts of messages; it is damaged")


def _remedy(path: Path, *, is_ros1: bool) -> str:
    """For a recording that ended before its index was written, most often."""
    if is_ros1:
        return f"run 'rosbag reindex' on a copy of it, or {COPY_AGAIN}"
    of_mcap = any(path.glob("*.mcap")) if path.is_dir() else path.suffix.lower() == ".mcap"
    return f"run 'mcap recover' on its file, or {COPY_AGAIN}" if of_mcap else COPY_AGAIN


def _bag(path: Path, reader: Any, *, is_ros1: bool) -> Bag:
    if is_ros1:
        return Bag(path, reader, Dialect.ROS1, (Storage(path, path.name, tuple(reader.connections)),))
    if path.is_file():
        return Bag(path, reader, Dialect.CDR, (Storage(path, path.name, tuple(reader.connections)),))
    mode = reader.compression_mode or ""
    if mode == "message":  # which are unpacked here, within bounds
        reader.storage.metadata = reader.storage.metadata._replace(compression_mode=None)
    # Files that are compressed as a whole lie unpacked in a folder of the reader, and have lost a suffix there.
    end = f".{reader.compression_format}" if mode == "file" else ""
    storages = tuple(
        Storage(Path(each.path), f"{Path(each.path).name}{end}", tuple(each.connections))
        for each in reader.storage.storages
    )
    return Bag(path, reader, Dialect.CDR, storages, mode == "message", mode == "file")


def _refuse_unfinished(path: Path) -> None:
    """SQLite keeps the last messages of a recording that was not closed in a second file, which rosbags leaves out."""
    beside = sorted(path.glob("*.db3-wal")) if path.is_dir() else [path.with_name(f"{path.name}-wal")]
    for log in beside:
        if log.is_file() and log.stat().st_size:
            database = str(log).removesuffix("-wal")
            raise UnreadableFile(
                f"{database!r} was not closed, and {log.name} holds messages of it; "
                f"run: sqlite3 {database} 'PRAGMA wal_checkpoint(TRUNCATE)'"
            )


def _is_bag_folder(path: Path) -> bool:
    """Whether metadata.yaml is one of a bag, or lies beside files of one."""
    if not (path / METADATA).is_file():
        return False
    if OPENED_BY_ROS2 in _start_of(path / METADATA, 2**16):
        return True
    return any(item.suffix in STORAGE_SUFFIXES for item in path.iterdir())


def _start_of(path: Path, length: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(length)
    except OSError:
        return b""
