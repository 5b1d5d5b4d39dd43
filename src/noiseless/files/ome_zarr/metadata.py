"""What the attributes of a zarr store say of the image in it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files.spacing import MILLIMETRES

AXES = "tczyx"
PLAIN = {2: "yx", 3: "zyx"}
"""The axes of an array of which nothing is said."""

DOCUMENTS = (".zgroup", ".zarray", ".zattrs", ".zmetadata", "zarr.json")
"""The files of a store that hold metadata."""

OURS = "noiseless"
"""The key of our attribute."""

UNITS = {**MILLIMETRES, "angstrom": 1e-7, "picometer": 1e-9, "kilometer": 1e6}

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Multiscale:
    """The image and its pyramid.

    Parameters
    ----------
    version : of OME-Zarr; empty for a plain array
    axes : a letter each, of ``AXES``, in that order
    paths : of the arrays within the store, the finest first
    scales : of each array, along ``axes``; empty where they are not told
    spacing : millimetres along the axes of space; empty where they are not known
    """

    version: str
    axes: str
    paths: tuple[str, ...]
    scales: tuple[tuple[float, ...], ...]
    spacing: tuple[float, ...]


def attributes_of(folder: Path) -> tuple[Attributes, bool]:
    """The attributes of a group or an array, and whether it is an array.

    Raises
    ------
    UnreadableFile : the documents are damaged, or of neither.
    """
    document = folder / "zarr.json"
    if document.is_file():
        found = json_of(document)
        if found.get("node_type") not in ("group", "array"):
            raise UnreadableFile("its zarr.json is neither of a group nor of an array; it is damaged")
        return _mapping(found.get("attributes", {}), "attributes"), found["node_type"] == "array"
    attributes = folder / ".zattrs"
    return json_of(attributes) if attributes.is_file() else {}, (folder / ".zarray").is_file()


def json_of(document: Path) -> dict[str, Any]:
    """A metadata document.

    Raises
    ------
    UnreadableFile : it is not JSON, or not an object.
    """
    try:
        found = json.loads(document.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"its {document.name} is not JSON; the metadata are damaged") from error
    if not isinstance(found, dict):
        raise UnreadableFile(f"its {document.name} holds no object; the metadata are damaged")
    return found


def multiscale_of(folder: Path) -> Multiscale:
    """The image in a store.

    Raises
    ------
    UnreadableFile : the metadata are damaged.
    UnsupportedFormat : of another version, not of an image, or of axes that are not known here.
    """
    attributes, is_array = attributes_of(folder)
    if is_array:
        return Multiscale("", "", ("",), (), ())
    is_v3 = (folder / "zarr.json").is_file()
    told = _mapping(attributes.get("ome", {}), "ome") if is_v3 else attributes
    if "multiscales" not in told:
        raise UnsupportedFormat(_what_else(folder, told))
    found = told["multiscales"]
    if not isinstance(found, list) or len(found) != 1:
        number = len(found) if isinstance(found, list) else 0
        raise UnsupportedFormat(f"it holds {number} multiscale images; make a store of each one")
    multiscale = _mapping(found[0], "multiscales")
    version = str((told if is_v3 else multiscale).get("version", "0.5" if is_v3 else "0.4"))
    if version != ("0.5" if is_v3 else "0.4"):
        raise UnsupportedFormat(f"it is of OME-Zarr {version[:20]}; convert it to 0.4 (zarr 2) or 0.5 (zarr 3)")
    axes = _axes(multiscale.get("axes"))
    datasets = multiscale.get("datasets")
    if not isinstance(datasets, list) or not datasets:
        raise UnreadableFile("its multiscales name no datasets; the metadata are damaged")
    paths = tuple(_path(_mapping(dataset, "datasets").get("path")) for dataset in datasets)
    scales = tuple(_scale(dataset, len(axes)) for dataset in datasets)
    common = _scale(multiscale, len(axes)) or (1.0,) * len(axes)
    finest = tuple(a * b for a, b in zip(scales[0], common, strict=True)) if scales[0] else ()
    return Multiscale(version, axes, paths, scales if all(scales) else (), _spacing(multiscale["axes"], finest))


def _what_else(folder: Path, told: Attributes) -> str:
    """Why a group is no image."""
    images = sorted(path.name for path in folder.iterdir() if path.is_dir() and _is_image(path))
    if "plate" in told or "well" in told:
        return "it is a plate, or a well of one; name one of its images, such as A/1/0 in a plate"
    if images:
        return f"it holds several images; name one of them, such as {str(folder / images[0])!r}"
    return "its attributes have no 'multiscales', so it is no OME-Zarr of version 0.4 or 0.5; name an array in it"


def _is_image(folder: Path) -> bool:
    if not any((folder / mark).is_file() for mark in DOCUMENTS):
        return False
    attributes, _ = attributes_of(folder)
    return "multiscales" in attributes or "multiscales" in _mapping(attributes.get("ome", {}), "ome")


def _axes(found: Any) -> str:
    """The letters of the axes."""
    if not isinstance(found, list) or not found:
        raise UnreadableFile("its multiscales name no axes; the metadata are damaged")
    names = [str(_mapping(axis, "axes").get("name", "")).lower() for axis in found]
    strange = [name[:20] for name in names if name not in tuple(AXES)]
    if strange:
        raise UnsupportedFormat(f"it has the axis {strange[0]!r}; {', '.join(AXES)} are known")
    letters = "".join(names)
    if letters != "".join(letter for letter in AXES if letter in letters) or not letters.endswith("yx"):
        raise UnsupportedFormat(f"its axes are in the order {letters}; export it in the order {AXES}, with y and x")
    return letters


def _path(found: Any) -> str:
    """Of an array within the store."""
    path = PurePosixPath(found) if isinstance(found, str) and found else None
    if path is None or path.is_absolute() or ".." in path.parts or "\\" in str(found) or not path.parts:
        raise UnreadableFile("a dataset has no path within the store; the metadata are damaged")
    return str(path)


def _scale(told: Attributes, ndim: int) -> tuple[float, ...]:
    """What the transformations of a dataset or an image scale by; empty where there is no such."""
    transformations = told.get("coordinateTransformations")
    for transformation in transformations if isinstance(transformations, list) else ():
        numbers = transformation.get("scale") if isinstance(transformation, dict) else None
        if isinstance(numbers, list) and len(numbers) == ndim and all(_is_size(number) for number in numbers):
            return tuple(float(number) for number in numbers)
    return ()


def _is_size(number: Any) -> bool:
    return isinstance(number, int | float) and math.isfinite(number) and number > 0.0


def _spacing(axes: Sequence[Any], scale: tuple[float, ...]) -> tuple[float, ...]:
    """Millimetres along z, y and x; empty where an axis has no unit of length."""
    sizes = []
    for axis, number in zip(axes, scale, strict=False):
        if str(axis.get("name", "")).lower() in tuple("zyx"):
            sizes.append(number * UNITS.get(str(axis.get("unit", "")), 0.0))
    return tuple(sizes) if sizes and all(sizes) else ()


def _mapping(found: Any, name: str) -> Attributes:
    if not isinstance(found, dict):
        raise UnreadableFile(f"its {name} hold something that is no object; the metadata are damaged")
    return found
