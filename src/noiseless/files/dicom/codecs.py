"""Compressed DICOM pixels by imagecodecs, which is here anyway: no transfer syntax needs a library of its own."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
import pydicom.uid as syntaxes
from pydicom.pixels.decoders.base import Decoder

OUR_PLUGIN = "noiseless"

END = b"\xff\xd9"


def _of_jpegls(frame: bytes) -> Any:
    """Where a stream lacks its end, CharLS 2.4 may look for a 1 among 2**31 zeros, half a minute long."""
    return imagecodecs.jpegls_decode(frame + END)


CODECS: Mapping[str, Callable[..., Any]] = {
    syntaxes.JPEGBaseline8Bit: imagecodecs.jpeg8_decode,
    syntaxes.JPEGExtended12Bit: imagecodecs.jpeg8_decode,
    syntaxes.JPEGLossless: imagecodecs.ljpeg_decode,
    syntaxes.JPEGLosslessSV1: imagecodecs.ljpeg_decode,
    syntaxes.JPEGLSLossless: _of_jpegls,
    syntaxes.JPEGLSNearLossless: _of_jpegls,
    syntaxes.JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    syntaxes.JPEG2000: imagecodecs.jpeg2k_decode,
    syntaxes.HTJ2KLossless: imagecodecs.htj2k_decode,
    syntaxes.HTJ2KLosslessRPCL: imagecodecs.htj2k_decode,
    syntaxes.HTJ2K: imagecodecs.htj2k_decode,
}
DISCRETE_COSINE = (syntaxes.JPEGBaseline8Bit, syntaxes.JPEGExtended12Bit)
LOSSY = (
    *DISCRETE_COSINE,
    syntaxes.JPEGLSNearLossless,
    syntaxes.JPEG2000,
    syntaxes.HTJ2K,
)
"""What may have lost something."""

DECODER_DEPENDENCIES = dict.fromkeys(CODECS, ("imagecodecs",))


def is_available(uid: str) -> bool:
    """What pydicom asks of a plugin."""
    return uid in CODECS


def decode_frame(frame: bytes, runner: Any) -> bytes:
    """What pydicom asks of a plugin: one frame in, its samples out, pixel after pixel."""
    # Colours come as they are in the stream: pydicom turns them by what the header says of them.
    as_stored = {"colorspace": "YCBCR", "outcolorspace": "YCBCR"}
    coloured = runner.samples_per_pixel == 3 and runner.transfer_syntax in DISCRETE_COSINE
    samples = np.asarray(CODECS[runner.transfer_syntax](frame, **(as_stored if coloured else {})))
    if samples.shape[:2] != (runner.rows, runner.columns):
        raise ValueError("the frame in the stream has another size than the header says")
    runner.set_option("bits_allocated", 8 * samples.dtype.itemsize)
    if samples.ndim == 3:
        runner.set_option("planar_configuration", 0)
        if runner.photometric_interpretation in ("YBR_ICT", "YBR_RCT"):  # undone by every decoder of JPEG 2000
            runner.set_option("photometric_interpretation", "RGB")
    return np.ascontiguousarray(samples).tobytes()


@cache
def decoder_of(uid: str) -> Any:
    """Pydicom's decoder of a transfer syntax, one of our own so that nobody else's changes."""
    decoder = Decoder(syntaxes.UID(uid))
    if uid in CODECS:
        decoder.add_plugin(OUR_PLUGIN, (__name__, decode_frame.__name__))
    elif uid == syntaxes.RLELossless:
        decoder.add_plugin(OUR_PLUGIN, ("pydicom.pixels.decoders.rle", "_decode_frame"))
    return decoder
