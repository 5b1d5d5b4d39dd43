"""Raw files of cameras, developed by LibRaw (through rawpy): in only.

Developed are 16-bit pictures in sRGB, upright, with the white balance of the camera, and with nothing that would hide
the noise or change it from picture to picture: no automatic brightness, no noise reduction, no sharpening. Demosaicing
has made the noise correlated then; the network for such noise is ``--model camera``. A result is written as TIFF or
PNG: nobody could put developed pixels back into a raw file.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import rawpy

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array

from .limits import check_pixel_count

SRGB_CURVE = (2.4, 12.92)
"""Exponent, and slope at black."""


def read(path: Path) -> Image:
    """The developed picture.

    Raises
    ------
    UnreadableFile : truncated, damaged or too large, or of a camera that LibRaw does not know.
    """
    try:
        with rawpy.imread(str(path)) as raw:
            check_pixel_count(raw.sizes.width, raw.sizes.height)
            developed = raw.postprocess(
                use_camera_wb=True,
                no_auto_bright=True,
                output_bps=16,
                gamma=SRGB_CURVE,
                output_color=rawpy.ColorSpace.sRGB,
                fbdd_noise_reduction=rawpy.FBDDNoiseReductionMode.Off,
                median_filter_passes=0,
            )
    except UnreadableFile:
        raise
    except (rawpy.LibRawError, ValueError, MemoryError) as error:
        raise UnreadableFile(
            f"LibRaw cannot develop it ({type(error).__name__}): it is damaged, or of a camera that it does not know"
        ) from error
    image = from_array(np.ascontiguousarray(np.moveaxis(developed, -1, 0)), channel_axis=0)
    return replace(image, header={"format": "raw"})


def write(image: Image, path: Path) -> None:
    """Refused.

    Raises
    ------
    UnsupportedFormat : always.
    """
    del image, path
    raise UnsupportedFormat("developed pixels cannot go back into a raw file; write TIFF (-o picture.tif)")
