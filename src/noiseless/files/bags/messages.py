"""sensor_msgs/Image and sensor_msgs/CompressedImage as they are serialised: where their fields lie.

Only the bytes of the pixels are replaced, so that stamps, frame ids and whatever else is there stay as they are.
"""

import enum
import struct
from dataclasses import dataclass, replace

from noiseless.errors import UnreadableFile

from .words import IMAGE

CDR_ORDERS = {b"\x00\x00": ">", b"\x00\x01": "<"}
"""First bytes of a message of ROS 2."""

CDR_START = 4
"""Fields are aligned to multiples of their size from here on."""


class Dialect(enum.Enum):
    """How messages are serialised."""

    ROS1 = "ROS 1"
    CDR = "ROS 2"


@dataclass(frozen=True)
class RawImage:
    """A message of sensor_msgs/Image.

    Parameters
    ----------
    height, width : pixels
    encoding, is_bigendian : of the pixels
    step : bytes from one row to the next
    start, stop : where the bytes of the pixels lie in the message
    message : the whole
    """

    height: int
    width: int
    encoding: str
    is_bigendian: bool
    step: int
    start: int
    stop: int
    message: bytes


@dataclass(frozen=True)
class PackedImage:
    """A message of sensor_msgs/CompressedImage.

    Parameters
    ----------
    format : such as "jpeg" or "bgr8; jpeg compressed bgr8"
    start, stop : where the compressed image lies in the message
    order : ">" or "<", of numbers in the message
    message : the whole
    """

    format: str
    start: int
    stop: int
    order: str
    message: bytes

    @property
    def data(self) -> bytes:
        return self.message[self.start : self.stop]

    def with_data(self, data: bytes) -> bytes:
        """The message with another compressed image in it."""
        length = struct.pack(f"{self.order}I", len(data))
        return self.message[: self.start - len(length)] + length + data + self.message[self.stop :]


def raw_image(message: bytes, dialect: Dialect) -> RawImage:
    """The fields of a sensor_msgs/Image.

    Raises
    ------
    UnreadableFile : the message is damaged.
    """
    fields = _after_header(message, dialect)
    height, width, encoding = fields.number(), fields.number(), fields.text()
    is_bigendian, step = fields.byte() != 0, fields.number()
    start, stop = fields.sequence()
    return RawImage(height, width, encoding, is_bigendian, step, start, stop, message)


def packed_image(message: bytes, dialect: Dialect) -> PackedImage:
    """The fields of a sensor_msgs/CompressedImage.

    Raises
    ------
    UnreadableFile : the message is damaged.
    """
    fields = _after_header(message, dialect)
    form = fields.text()
    start, stop = fields.sequence()
    return PackedImage(form, start, stop, fields.order, message)


def encoding_of(message: bytes, kind: str, dialect: Dialect) -> str:
    """The encoding of an image, or the format of a compressed one.

    Raises
    ------
    UnreadableFile : the message is damaged.
    """
    return raw_image(message, dialect).encoding if kind == IMAGE else packed_image(message, dialect).format


def with_bytes(image: RawImage, pixels: bytes) -> RawImage:
    """The same image with other bytes as its pixels, as many.

    >>> with_bytes(RawImage(1, 2, "mono8", False, 2, 1, 3, b"-ab-"), b"AB").message
    b'-AB-'
    """
    return replace(image, message=image.message[: image.start] + pixels + image.message[image.stop :])


def _after_header(message: bytes, dialect: Dialect) -> "_Fields":
    """At the first field after std_msgs/Header."""
    if dialect is Dialect.ROS1:
        fields = _Fields(message, "<", 0, aligned=False)
        words = 3  # the sequence number, which ROS 2 has no longer, and the stamp
    else:
        order = CDR_ORDERS.get(message[:2])
        if order is None:
            raise UnreadableFile(f"it begins with {message[:2].hex() or 'nothing'}, and plain CDR with 0000 or 0001")
        fields = _Fields(message, order, CDR_START, aligned=True)
        words = 2
    for _ in range(words):
        fields.number()
    fields.text()
    return fields


class _Fields:
    """Goes through a message, field by field."""

    def __init__(self, message: bytes, order: str, place: int, *, aligned: bool) -> None:
        self.message, self.order, self.place, self.aligned = message, order, place, aligned

    def number(self) -> int:
        if self.aligned:
            self.place += -(self.place - CDR_START) % 4
        value: int = struct.unpack(f"{self.order}I", self._bytes(4))[0]
        return value

    def byte(self) -> int:
        return self._bytes(1)[0]

    def text(self) -> str:
        # CDR counts a NUL at the end, ROS 1 has none.
        return self._bytes(self.number()).rstrip(b"\x00").decode("utf-8", "replace")

    def sequence(self) -> tuple[int, int]:
        """Where its bytes begin and end."""
        length = self.number()
        start = self.place
        self._skip(length)
        return start, self.place

    def _bytes(self, length: int) -> bytes:
        start = self.place
        self._skip(length)
        return self.message[start : self.place]

    def _skip(self, length: int) -> None:
        self.place += length
        if self.place > len(self.message):
            raise UnreadableFile(
                f"it has {len(self.message)} bytes, and claims {self.place} or more; it is truncated or damaged"
            )
