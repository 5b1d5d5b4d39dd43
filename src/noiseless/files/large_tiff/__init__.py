"""TIFF files larger than memory: windows of their pages decoded tile by tile or strip by strip, and written so.

What is read and refused, and how the output is laid out, is as in :mod:`noiseless.files.tiff`. Plain pixels are mapped
into memory; of others the tiles or strips that a window touches are decoded.
"""

from .reading import LargeTiff, open_tiff

__all__ = ["LargeTiff", "open_tiff"]
