"""What is done to the messages of one topic."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from noiseless.errors import UnreadableFile, UnsupportedFormat

from .compressed import cleaned_packed, reason_to_copy
from .encodings import cleaned_image, encoding_named, is_depth
from .messages import Dialect, PackedImage, RawImage, packed_image, raw_image
from .words import IMAGE, Clean

logger = logging.getLogger(__name__)


class TopicCleaner:
    """Passes the pixels of one topic through ``clean``, and says once what it leaves as it is.

    Parameters
    ----------
    path : of the bag, for errors
    topic, kind : its name and type
    """

    def __init__(self, path: Path, topic: str, kind: str, dialect: Dialect, clean: Clean) -> None:
        self.path, self.topic, self.kind, self.dialect, self.clean = path, topic, kind, dialect, clean
        self.latest = 0
        self.warned: set[str] = set()

    def accepts(self, message: bytes) -> bool:
        """Whether messages like this one are changed, and not copied.

        Raises
        ------
        UnreadableFile : it is damaged.
        UnsupportedFormat : its encoding is not known.
        """
        with self._naming_the_place():
            return self._to_change(message) is not None

    def changed(self, time: int, message: bytes) -> bytes:
        """The message with its pixels changed, or as it was where it is to be copied.

        Raises
        ------
        UnreadableFile : it is damaged.
        UnsupportedFormat : its encoding is not known.
        """
        if time < self.latest:
            self._warn(f"messages of {self.topic} are not in the order of time; they were taken as they lie in the bag")
        self.latest = max(time, self.latest)
        with self._naming_the_place():
            image = self._to_change(message)
            if image is None:
                return message
            if isinstance(image, RawImage):
                return cleaned_image(image, self.topic, self.clean)
            return cleaned_packed(image, self.topic, self.clean)

    def _to_change(self, message: bytes) -> RawImage | PackedImage | None:
        if self.kind == IMAGE:
            image = raw_image(message, self.dialect)
            if not is_depth(image.encoding, self.topic):
                encoding_named(image.encoding)
                return image
            reason = "it is depth"
        else:
            packed = packed_image(message, self.dialect)
            reason = reason_to_copy(packed, self.topic)
            if not reason:
                return packed
        self._warn(f"{self.topic} was copied as it is: {reason}")
        return None

    def _warn(self, line: str) -> None:
        if line not in self.warned:
            self.warned.add(line)
            logger.warning("%s", line)

    @contextlib.contextmanager
    def _naming_the_place(self) -> Iterator[None]:
        try:
            yield
        except UnreadableFile as error:
            raise UnreadableFile(f"a message of {self.topic} in {str(self.path)!r} is damaged: {error}") from error
        except UnsupportedFormat as error:
            raise UnsupportedFormat(
                f"{self.topic} in {str(self.path)!r}: {error}; name the topics to denoise without this one"
            ) from error
