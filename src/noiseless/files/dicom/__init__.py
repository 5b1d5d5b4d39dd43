"""DICOM through pydicom: one image, one of many frames, or a series of files as a volume.

Read: MONOCHROME1 and 2, RGB and YBR (as RGB), of 8, 16 and 32 bits, plain or compressed by JPEG, lossless JPEG,
JPEG-LS, JPEG 2000 or RLE. Pixels are in modality units, Hounsfield for CT: the rescale of each frame is applied.
Where that leaves whole numbers the image is one of whole numbers, otherwise of floats. MONOCHROME1, where low is
bright, is another way to show and not to store: pixels stay as they are. Palettes, bi-level pixels and float pixels are
refused.

``Image.mask`` is False in the padding and, in CT, in air (below -900 HU): the noise there is no measure of that in the
body. Padding takes the value of the nearest pixel that is none, so that its edge does not shine into the picture, and
is padding again when written.

Written: only what was read from DICOM, as a *derived image* (PS3.3 C.7.6.1.1.2): see ``derivation``. The words are of
the source's bits and sign; what a rounded value cannot be is clipped; overlays in unused bits stay where they are.
Nothing in a header is ever logged or put into a message.
"""

from .reading import read
from .series import files_of_series, read_series, write_series
from .writing import write

__all__ = ["files_of_series", "read", "read_series", "write", "write_series"]
