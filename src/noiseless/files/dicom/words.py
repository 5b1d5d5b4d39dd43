"""The words that DICOM stores, and what they mean: sign and bits, rescale, padding, overlays in unused bits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import UnsupportedFormat

Words = NDArray[Any]


@dataclass(frozen=True)
class Coding:
    """How the words of one object are to be read.

    Parameters
    ----------
    allocated, stored : bits
    signed : two's complement
    padding : least and greatest value of what is no picture, or None
    """

    allocated: int
    stored: int
    signed: bool
    padding: tuple[int, int] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(f"{'i' if self.signed else 'u'}{self.allocated // 8}")

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest value that the stored bits can say."""
        half = 2 ** (self.stored - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)

    def is_padding(self, words: Words) -> NDArray[np.bool_]:
        """Where there is no picture."""
        if self.padding is None:
            return np.zeros(words.shape, bool)
        low, high = self.padding
        return (words >= low) & (words <= high)

    def rounded(self, values: NDArray[np.float64]) -> Words:
        """Values as words; no picture becomes padding by chance."""
        words = np.clip(np.rint(values), *self.bounds)
        if self.padding is not None:
            low, high = self.padding
            chance = self.is_padding(words)
            above = high + 1 if high < self.bounds[1] else low - 1
            below = low - 1 if low > self.bounds[0] else high + 1
            words[chance] = np.where(values[chance] < (low + high) / 2, below, above)
        return words.astype(self.dtype)


def coding_of(header: Any) -> Coding:
    """The coding that a header says.

    Raises
    ------
    UnsupportedFormat : bits that are not whole bytes, or not the lowest ones of their words.
    """
    allocated, stored = int(header.BitsAllocated), int(header.get("BitsStored") or header.BitsAllocated)
    if allocated not in (8, 16, 32) or not 1 <= stored <= allocated:
        raise UnsupportedFormat(f"its pixels have {stored} of {allocated} bits; noiseless reads 8, 16 and 32")
    if int(header.get("HighBit", stored - 1)) != stored - 1:
        raise UnsupportedFormat("its pixels are not the lowest bits of their words; convert it first")
    signed = int(header.get("PixelRepresentation", 0)) == 1
    padding = None
    if (value := header.get("PixelPaddingValue")) is not None:
        ends = sorted((int(value), int(header.get("PixelPaddingRangeLimit") or value)))
        padding = (ends[0], ends[1])
    return Coding(allocated, stored, signed, padding)


def unused_bits(pixel_data: bytes, coding: Coding) -> Words:
    """What plain words hold above the stored bits: overlays, where the header says so."""
    unsigned = np.dtype(f"<u{coding.allocated // 8}")
    words = np.frombuffer(pixel_data, unsigned, len(pixel_data) // unsigned.itemsize)
    return np.asarray(words & _above(coding))


def encoded(words: Words, above: Words | None, coding: Coding) -> bytes:
    """Little-endian bytes of the words, with what was above their stored bits."""
    plain = words.astype(coding.dtype.newbyteorder("<"))
    if above is None:
        return plain.tobytes()
    unsigned = plain.reshape(-1).view(f"<u{coding.allocated // 8}")
    whole = (unsigned & ~_above(coding)) | above[: unsigned.size]
    return np.asarray(whole).tobytes()


def _above(coding: Coding) -> Any:
    mask = (2**coding.allocated - 1) ^ (2**coding.stored - 1)
    return np.dtype(f"u{coding.allocated // 8}").type(mask)
