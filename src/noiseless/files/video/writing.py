"""A video out, like a source: encoded in parts that outlast a crash, and put together at the end."""

import contextlib
import logging
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from noiseless.atomic import check_new, replacing
from noiseless.errors import InvalidImage, NoiselessError, UnsupportedFormat, UnwritableFile, reason

from .conversion import FrameMaker, Pixels
from .encoders import coding_of, container_of
from .encoding import PartEncoder, Pictures
from .layout import ColourTags
from .muxing import assemble
from .parts import Part, PartsFolder, State, fingerprint
from .reading import Video

logger = logging.getLogger(__name__)

PART_SECONDS = 10
"""Of the video in a part: what a crash costs at most. Every part begins with a whole picture."""


class VideoWriter:
    """Takes the frames of a result one after the other; see :func:`create_video`.

    Attributes
    ----------
    done : how many frames an earlier run has written; the caller goes on after them
    state : what ``state`` of :func:`create_video` gave after the last of them; or None
    frames : how many are written by now
    comment : what was done, for the metadata of the file; a comment of the source stays
    """

    def __init__(
        self,
        path: Path,
        like: Video,
        *,
        codec: str | None,
        quality: int | None,
        overwrite: bool,
        settings: str | None,
        state: Callable[[], State] | None,
    ) -> None:
        self._path, self._like, self._overwrite, self._settings, self._give = path, like, overwrite, settings, state
        self._coding = coding_of(like.layout, like.codec, path.suffix, codec, quality)
        self._is_avi = container_of(path.suffix) == "avi"
        self._tick = 1 / (like.rate or Fraction(25)) if self._is_avi else like.time_base
        size = self._coding.size(like.height, like.width)
        if size != (like.height, like.width):
            logger.warning(
                "%s needs even sides: %d x %d becomes %d x %d, its last line or column repeated; --codec ffv1 keeps it",
                self._coding.codec, like.width, like.height, size[1], size[0],
            )  # fmt: skip
        colours = like.colours.carried(like.layout.kind, self._coding.layout.kind, like.height)
        if self._is_avi and self._coding.codec != "h264" and colours != ColourTags():
            if like.colours != ColourTags():
                logger.warning("AVI keeps no tags of colours with %s; they are made the usual ones", self._coding.codec)
            colours = ColourTags()
        self._maker = FrameMaker(self._coding.pixel_format, self._coding.layout, colours, height=like.height, size=size)
        self._pictures = Pictures(
            self._coding, size, colours, like.aspect, like.rate or Fraction(25), self._tick, reordered=not self._is_avi
        )
        job = {
            "source": fingerprint(like.path),
            "settings": settings,
            "coding": [self._coding.library, self._coding.pixel_format, dict(self._coding.options), self._coding.scale],
            "tick": str(self._tick),
            "part": PART_SECONDS,
            "libraries": {name: list(version) for name, version in av.library_versions.items()},
        }
        # Matroska takes every codec. H.264 in AVI must begin its pictures as in NUT, and not as in Matroska.
        suffix = ".nut" if self._is_avi else ".mkv"
        self._folder = PartsFolder(path, suffix, job, resume=settings is not None)
        self._last = max((time for part in self._folder.done for time in part.times), default=None)
        self._part: PartEncoder | None = None
        self._moved = False
        self.done = sum(len(part.times) for part in self._folder.done)
        self.state = self._folder.state
        self.frames = self.done
        self.comment = ""

    def write(self, pixels: Pixels, time: Fraction) -> None:
        """Write the next frame.

        Parameters
        ----------
        pixels : as :class:`Frame` has them
        time : when it is shown, in seconds; after the frame before it

        Raises
        ------
        InvalidImage : another shape or dtype than the frames of the source.
        """
        self._check(pixels)
        stamp = self._stamp(time)
        if self._part is None:
            self._part = PartEncoder(self._folder.next_path(), self._pictures)
        self._part.encode(self._maker.frame(pixels), stamp)
        self.frames += 1
        self._last = stamp
        if (stamp - self._part.first) * self._tick + 1 / self._pictures.rate >= PART_SECONDS:
            self._end_part()

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            if error is None:
                self._finish()
            else:
                self._keep(error)
        finally:
            self._folder.close()

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            times = _finished(part)
            self._folder.add(times, None if self._give is None else self._give())

    def _finish(self) -> None:
        """The whole file, from its parts."""
        try:
            self._end_part()
            if not self._folder.done:
                self._folder.discard()
                raise InvalidImage(f"no frame was written to {str(self._path)!r}; a video has at least one")
            self._assemble(self._path, self._folder.done, overwrite=self._overwrite, whole=True)
        except InvalidImage:
            raise
        except (NoiselessError, OSError) as error:
            self._abandon_part()
            if not self._folder.done:
                self._folder.discard()
                raise _unwritable(self._path, error) from error
            kept = sum(len(part.times) for part in self._folder.done)
            what_next = "each part plays" if self._settings is None else "make room and run it again"
            raise UnwritableFile(
                f"{_unwritable(self._path, error)}; {kept} of {self.frames} frames are kept in "
                f"{str(self._folder.path)!r}: {what_next}"
            ) from error
        if self.done:  # what the run that broke off has left
            _partial(self._path).unlink(missing_ok=True)
        self._folder.discard()

    def _keep(self, error: BaseException) -> None:
        """What was done before an error, as a video that plays; named in the message of an error of the disk."""
        unfinished: Part | None = None
        with contextlib.suppress(OSError, NoiselessError):
            unfinished = self._unfinished_part()
        parts = [*self._folder.done, *([unfinished] if unfinished else [])]
        where, kept = _partial(self._path), sum(len(part.times) for part in parts)
        if kept:
            try:
                self._assemble(where, parts, overwrite=True, whole=False)
            except (NoiselessError, OSError):
                # The disk is full, most likely. The parts play too, and a later run goes on from them.
                where, kept = self._folder.path, sum(len(part.times) for part in self._folder.done)
        if unfinished:
            unfinished.path.unlink(missing_ok=True)
        if not self._folder.done or (self._settings is None and where != self._folder.path):
            self._folder.discard()
        said = f"the first {kept} frames are kept in {str(where)!r}" if kept else "nothing was kept"
        if isinstance(error, OSError) and not isinstance(error, NoiselessError):
            raise UnwritableFile(f"{_unwritable(self._path, error)}; {said}") from error
        if kept:
            again = "; the same command goes on from there" if self._settings is not None and self._folder.done else ""
            logger.warning("%s%s", said, again)

    def _unfinished_part(self) -> Part | None:
        part, self._part = self._part, None
        if part is None:
            return None
        times = _finished(part)
        return Part(part.path, tuple(times)) if times else None

    def _abandon_part(self) -> None:
        if self._part is not None:
            self._part.abandon()
            self._part = None

    def _assemble(self, path: Path, parts: list[Part], *, overwrite: bool, whole: bool) -> None:
        with replacing(path, overwrite=overwrite) as temporary:
            try:
                assemble(temporary, parts, self._like, self._pictures, comment=self.comment, whole=whole)
            except av.error.FFmpegError as error:
                if isinstance(error, OSError):
                    raise
                raise UnsupportedFormat(f"cannot write {str(path)!r}: FFmpeg says {error.strerror}") from error

    def _check(self, pixels: Pixels) -> None:
        like = self._like
        shape = (like.height, like.width) if like.gray else (like.height, like.width, 3)
        kind = np.uint8 if like.bits == 8 else np.uint16
        if pixels.shape != shape or pixels.dtype != kind:
            raise InvalidImage(
                f"a frame is {pixels.dtype} of shape {pixels.shape}; those of {str(like.path)!r} are "
                f"{np.dtype(kind)} of shape {shape}"
            )

    def _stamp(self, time: Fraction) -> int:
        """The time in ticks; after the one before."""
        exact = time / self._tick
        stamp = round(exact)
        if self._last is not None and stamp <= self._last:
            stamp = self._last + 1
        if abs(exact - stamp) > Fraction(1, 2) and not self._moved:
            self._moved = True
            constant = "AVI has one rate; name the result .mkv or .mp4 to keep the times" if self._is_avi else ""
            logger.warning("the frame at %g s had to be moved%s", float(time), f": {constant}" if constant else "")
        return stamp


def create_video(
    path: str | os.PathLike[str],
    like: Video,
    *,
    codec: str | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    settings: str | None = None,
    state: Callable[[], State] | None = None,
) -> VideoWriter:
    """A writer of a video like another: its times, colours, rotation, bits, sound, subtitles and metadata.

    The file appears whole when the context ends. When an error ends it, the frames so far are kept, with their sound,
    as ``NAME.partial.SUFFIX``. It is put together from parts in the folder ``.NAME.parts`` beside it, and needs the
    room of the result twice for that moment.

    Parameters
    ----------
    path : .mp4, .m4v, .mov, .mkv, .webm or .avi; AVI has one rate, and Matroska and WebM count milliseconds.
    codec : h264, hevc, av1, vp9, mpeg4, prores or ffv1 (lossless); None for that of the source, or its successor
    quality : as CRF, less is better; None for one that keeps what denoising left (16 with h264)
    overwrite : whether an existing file is replaced
    settings : what else decides how frames come out. With it the parts outlast an error or a crash, and a later call
        with the same source and settings goes on: see ``done`` and ``state`` of the writer.
    state : called after the last frame of a part; gives what the caller needs to go on from there

    Raises
    ------
    UnwritableFile : the file exists, its folder cannot be written, or another run is writing it.
    UnsupportedFormat : the container does not hold the codec.
    UnknownName : there is no such codec.
    InvalidParameter : quality is out of its range.
    """
    path = Path(path)
    check_new(path, overwrite=overwrite)
    return VideoWriter(path, like, codec=codec, quality=quality, overwrite=overwrite, settings=settings, state=state)


def _finished(part: PartEncoder) -> list[int]:
    try:
        return part.finish()
    except BaseException:
        part.abandon()  # or else half a part would take the room that is missing
        raise


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def _unwritable(path: Path, error: BaseException) -> UnwritableFile:
    if isinstance(error, NoiselessError):
        return UnwritableFile(str(error))
    return UnwritableFile(f"cannot write {str(path)!r}: {reason(error) if isinstance(error, OSError) else error}")
