"""Every error that noiseless raises on purpose.

NoiselessError(Exception)
├── InvalidImage(ValueError)             wrong axes, shape or dtype; empty; not finite
├── InvalidParameter(ValueError)         out of range: the value, the bound, the unit, the remedy
│   └── NeedsWholeImage                  it looks at the whole image, and the image is denoised block by block
├── UnknownName(LookupError)             no such method, model or format; the nearest known name
├── UnreadableFile(OSError)              missing, a directory, truncated, or not the format it claims
├── UnwritableFile(OSError)              the output exists, or its folder cannot be written
├── UnsupportedFormat(ValueError)        no reader or writer for this suffix; the list of those there are
├── MissingExtra(ImportError)            an optional package is absent; the pip line that brings it
├── IncompatibleCheckpoint(ValueError)   not ours, damaged, or for another network; every wrong key at once
└── Diverged(ArithmeticError)            an iteration or a network produced values that are not finite

Each is also the built-in kind named in brackets, so idiomatic ``except`` works. Messages are one line.
"""

import errno

_ROOM = "make room, and run it again"
_ELSEWHERE = "change its permissions, or choose another place"

_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "the file system, or ulimit -f, allows no larger file; choose another place",
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.EROFS: "choose another place",
    errno.ENOENT: "check the name and the folder",
    errno.ENOTDIR: "check the name and the folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "a link leads back to itself; name the file itself",
    errno.EMFILE: "raise the limit, ulimit -n, or close other programs",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "close other programs, or give a smaller image",
    errno.EIO: "the disk or the network failed; check it, and run it again",
}


def reason(error: OSError) -> str:
    """What the system says went wrong, and what to do about it, for the end of a message."""
    said = error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno or 0)
    return said if remedy is None else f"{said}; {remedy}"


class NoiselessError(Exception):
    """The root of every error that noiseless raises on purpose."""

    def __str__(self) -> str:
        # What a message quotes, an array or a name of a file, may have lines of its own.
        return " ".join(line.strip() for line in super().__str__().splitlines())


class InvalidImage(NoiselessError, ValueError):
    """The pixels given cannot be an image: axes, shape, dtype, or values that are not finite."""


class InvalidParameter(NoiselessError, ValueError):
    """A parameter is out of its range; the message gives the value, the bound and the remedy."""


class NeedsWholeImage(InvalidParameter):
    """What is asked for looks at the whole image, which is denoised block by block; the message says what would do."""


class UnknownName(NoiselessError, LookupError):
    """A name that is in no table; the message suggests the nearest one."""


class UnreadableFile(NoiselessError, OSError):
    """A file that is missing, is a directory, is truncated, or is not of the format it claims."""


class UnwritableFile(NoiselessError, OSError):
    """An output that exists already, or a place that cannot be written."""


class UnsupportedFormat(NoiselessError, ValueError):
    """A kind of file, or of content in a file, that has no reader or writer here."""


class MissingExtra(NoiselessError, ImportError):
    """An optional package is not installed; the message gives the pip line."""


class IncompatibleCheckpoint(NoiselessError, ValueError):
    """A checkpoint that is damaged, foreign, or made for another network."""


class Diverged(NoiselessError, ArithmeticError):
    """A computation produced values that are not finite."""
