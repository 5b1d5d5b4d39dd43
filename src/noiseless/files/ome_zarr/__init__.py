"""OME-Zarr 0.4 (zarr version 2) and 0.5 (version 3), in parts; also plain zarr arrays of two or three axes.

Axes: y and x, and before them any of t, c and z, in this order. Channels are images by themselves. The output has the
metadata documents of the source byte for byte, and with them version, chunks, shards, compression, type, fill value,
names, axes, transformations and ``omero``; labels and whatever else is in the store are copied. Every level of the
pyramid is made anew from the new pixels, as the mean over blocks. What was done stands in the attributes of the image
under ``noiseless``.

Refused by name: other versions, plates and collections of images, axes that are not of these five, pyramids whose
levels are not by whole factors, and pixels that are no real numbers.
"""

from .reading import OmeZarr, open_store

__all__ = ["OmeZarr", "open_store"]
