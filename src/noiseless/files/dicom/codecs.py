"""Compressed DICOM pixels by imagecodecs, which is here anyway: no transfer syntax needs a library of its own."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
import pydicom.uid as syntaxes
from pydicom.pixels.decoders.base import Decoder

OUR_PLUGIN = "noiseless"


def _jpeg(frame: bytes) -> Any:
    # Out of the decoder in the colours that are in the stream: pydicom turns them by what the header says of them.
    return imagecodecs.jpeg_decode(frame, colorspace="YCBCR", outcolorspace="YCBCR")


CODECS: Mapping[str, Callable[[bytes], Any]] = {
    syntaxes.JPEGBaseline8Bit: _jpeg,
    syntaxes.JPEGExtended12Bit: _jpeg,
    syntaxes.JPEGLossless: imagecodecs.ljpeg_decode,
    syntaxes.JPEGLosslessSV1: imagecodecs.ljpeg_decode,
    syntaxes.JPEGLSLossless: imagecodecs.jpegls_decode,
    syntaxes.JPEGLSNearLossless: imagecodecs.jpegls_decode,
    syntaxes.JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    syntaxes.JPEG2000: imagecodecs.jpeg2k_decode,
    syntaxes.HTJ2KLossless: imagecodecs.htj2k_decode,
    syntaxes.HTJ2KLosslessRPCL: imagecodecs.htj2k_decode,
    syntaxes.HTJ2K: imagecodecs.htj2k_decode,
}
LOSSY = (
    syntaxes.JPEGBaseline8Bit,
    syntaxes.JPEGExtended12Bit,
    syntaxes.JPEGLSNearLossless,
    syntaxes.JPEG2000,
    syntaxes.HTJ2K,
)
"""What may have lost something; each is also the name of a method in the standard's terms, see ``derivation``."""

DECODER_DEPENDENCIES = dict.fromkeys(CODECS, ("imagecodecs",))


def is_available(uid: str) -> bool:
    """What pydicom asks of a plugin."""
    return uid in CODECS


def decode_frame(frame: bytes, runner: Any) -> bytes:
    """What pydicom asks of a plugin: one frame in, its samples out, pixel after pixel."""
    samples = np.asarray(CODECS[runner.transfer_syntax](frame))
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
