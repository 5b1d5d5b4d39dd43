"""What a file is, in plain values: how it stores its pixels, and which of its metadata an output keeps.

Metadata are named and never shown: they may say who somebody is.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from noiseless.image import Image

HELD = 10
"""The most kinds of metadata that are counted one by one."""


def described(image: Image) -> dict[str, Any]:
    """What an image that was read from a file is.

    Returns
    -------
    Axes, shape (channel first) and volumes; type of the stored pixels, their least and greatest value, spacing in
    millimetres, the part of the pixels that the noise is read from; names of the metadata that go into an output of
    the same kind; and under ``stored`` how the file has them.
    """
    values = image.in_stored_units()
    kind = str(image.header.get("format", ""))
    return {
        "axes": image.axes,
        "shape": list(image.pixels.shape),
        "volumes": image.volumes,
        "dtype": image.stored_dtype,
        "min": float(values.min()),
        "max": float(values.max()),
        "spacing_mm": [round(float(size), 6) for size in image.spacing],
        "alpha": image.alpha is not None,
        "measured": 1.0 if image.mask is None else round(float(np.mean(image.mask)), 4),
        "metadata": sorted(key for key, value in image.header.items() if value and key != "format"),
        "stored": _STORED[kind](image.header) if kind in _STORED else {},
    }


def _dicom(header: Mapping[str, Any]) -> dict[str, Any]:
    sources = header["dicom"]
    first = sources[0]
    frames = [frame for source in sources for frame in source.frames]
    rescales = sorted({(frame.slope, frame.intercept) for frame in frames})
    return {
        "modality": str(first.header.get("Modality", "")),
        "object": getattr(first.header.get("SOPClassUID"), "name", ""),
        "files": len(sources),
        "frames": len(frames),
        "compression": first.header.file_meta.TransferSyntaxUID.name,
        "bits": f"{first.coding.stored} of {first.coding.allocated}, {'signed' if first.coding.signed else 'unsigned'}",
        "colours": str(first.header.PhotometricInterpretation),
        "rescale": [list(rescale) for rescale in rescales[:HELD]],
        "padding": first.words is not None,
        "lossy": first.lossy,
        "private_elements": sum(element.tag.is_private for element in first.header),
    }


def _tiff(header: Mapping[str, Any]) -> dict[str, Any]:
    layout = header["tiff_layout"]
    return {
        "compression": layout.compression,
        "tile": list(layout.tile) if layout.tile else None,
        "big": layout.is_big,
        "byte_order": "little-endian" if layout.byteorder == "<" else "big-endian",
        "axes": layout.axes,
        "pages": len(header.get("tiff_tags", ())),
    }


def _nifti(header: Mapping[str, Any]) -> dict[str, Any]:
    fields, _, (slope, intercept) = header["nifti"]
    return {
        "shape": list(fields.get_data_shape()),
        "units": list(fields.get_xyzt_units()),
        "rescale": [slope, intercept],
        "sform_code": int(fields["sform_code"]),
        "qform_code": int(fields["qform_code"]),
        "extensions": len(fields.extensions),
    }


def _jpeg(header: Mapping[str, Any]) -> dict[str, Any]:
    coding = header["jpeg_coding"]
    return {"progressive": coding["progressive"], "sampling": [list(pair) for pair in coding["sampling"]]}


_STORED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "dicom": _dicom,
    "tiff": _tiff,
    "nifti": _nifti,
    "jpeg": _jpeg,
}
