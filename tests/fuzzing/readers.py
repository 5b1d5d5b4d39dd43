"""The table of readers: where their seeds come from, what a mutation knows of them, and how they are asked."""

import json
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import noiseless
from fuzzing import moving_seeds, picture_seeds, structures, text_seeds, volume_seeds
from fuzzing.judging import INPUT_ERRORS, Finding, Read, refusing_only
from fuzzing.mutation import Case, Structure, words_rewritten
from noiseless import files
from noiseless.errors import IncompatibleCheckpoint, InvalidParameter, UnknownName, UnwritableFile
from noiseless.files.formats import suffix_of_result

MOST_PIXELS = 4_000_000
"""That a picture may have here: what is more must be refused before it needs memory."""

MOST_FRAMES = 12


@dataclass(frozen=True)
class Reader:
    """One reader.

    Parameters
    ----------
    seeds : files that are right, or wrong in a way that is refused by name
    read : from the folder of an input to what it gave; its first element says of which kind it is.
    structures : by the ends of the names of files
    errors, named, strict, steady : see :class:`~fuzzing.judging.Trial`
    """

    name: str
    seeds: Callable[[], list[Case]]
    read: Read
    structures: Mapping[str, Structure] = field(default_factory=dict)
    errors: tuple[type[Exception], ...] = INPUT_ERRORS
    named: bool = True
    strict: bool = True
    steady: bool = True


def only(folder: Path) -> Path:
    """The one thing in the folder of an input."""
    if not folder.is_dir():
        return folder / "nothing"
    return next(iter(sorted(folder.iterdir())), folder / "nothing")


def read_picture(folder: Path) -> object:
    path = only(folder)
    image = noiseless.read(path, max_pixels=MOST_PIXELS)
    digest = checked(image)
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / f"fuzzed{suffix_of_result(path)}"
        with refusing_only() as refused:
            noiseless.write(files.with_history(image, "noiseless: nothing"), target)
        if not refused:
            again = noiseless.read(target)
            if again.pixels.shape != image.pixels.shape:
                raise Finding("written otherwise", f"{again.pixels.shape} of {image.pixels.shape}")
    return digest


def read_series(folder: Path) -> object:
    digests = []
    for paths in files.gathered(sorted(folder.iterdir()) if folder.is_dir() else []):
        try:
            with files.allowing(MOST_PIXELS):
                image = files.read_series(paths) if len(paths) > 1 else noiseless.read(paths[0])
        except INPUT_ERRORS as error:
            if paths[0].suffix not in str(error):
                raise Finding("nameless", str(error)[:300]) from error
            digests.append((type(error).__name__, str(error)))
            continue
        digests.append(checked(image))
        if len(paths) > 1:
            with tempfile.TemporaryDirectory() as place, refusing_only():
                files.write_series(image, [Path(place) / path.name for path in paths])
    return len(digests), digests


def checked(image: noiseless.Image) -> tuple[object, ...]:
    """The kind of an image and what is in it, after all was looked at that it promises.

    Raises
    ------
    Finding : a promise is broken.
    """
    numbers = [image.scale, image.offset, *image.spacing, *image.header.get("dpi", ())]
    if not (np.isfinite(image.pixels).all() and np.isfinite(numbers).all() and image.scale > 0):
        raise Finding("not finite", f"scale, offset, spacing, dpi: {numbers}")
    if not all(size > 0 for size in image.spacing) or len(image.spacing) not in (0, len(image.space)):
        raise Finding("spacing", f"{image.spacing} of {image.space}")
    if image.pixels.size > 20 * MOST_PIXELS:
        raise Finding("too large", str(image.pixels.shape))
    if image.alpha is not None and image.alpha.shape != image.space:
        raise Finding("alpha", f"{image.alpha.shape} of {image.space}")
    stored = image.stored()
    try:
        json.dumps(files.described(image), allow_nan=False)
    except ValueError as error:
        raise Finding("described", str(error)) from error
    kind = f"{image.axes} {image.stored_dtype} {image.channels} {image.volumes > 1} {sorted(image.header)}"
    parts = (stored, image.alpha, image.mask)
    return (
        f"{kind} {image.alpha is None} {image.mask is None}",
        *(0 if part is None else zlib.crc32(np.ascontiguousarray(part)) for part in parts),
        image.pixels.shape, image.scale, image.offset, image.spacing,
    )  # fmt: skip


def read_parts_of(folder: Path) -> object:
    """A source that is read in parts: its corners; of a small TIFF the whole, which must be what ``read`` gives."""
    path = only(folder)
    with files.allowing(MOST_PIXELS):
        source = files.open_chunked(path)
        json.dumps(source.described(), allow_nan=False)
        if not all(0 < size < float("inf") for size in source.spacing):
            raise Finding("spacing", str(source.spacing))
        near = tuple(slice(0, min(n, 8)) for n in source.space)
        far = tuple(slice(max(0, n - 8), n) for n in source.space)
        last = slice(source.channels - 1, source.channels)
        whole_channels = slice(0, source.channels)
        pieces = [
            source.read(0, whole_channels if source.together else slice(0, 1), near),
            source.read(source.items - 1, whole_channels if source.together else last, far),
        ]
        for piece, window in zip(pieces, (near, far), strict=True):
            if piece.dtype != source.dtype or piece.shape[1:] != tuple(part.stop - part.start for part in window):
                raise Finding("part", f"{piece.dtype} {piece.shape} of {source.dtype} {window}")
        if source.together and source.dtype.itemsize < 4 and np.prod(source.space) < 10_000:
            with refusing_only() as refused:
                image = noiseless.read(path)
            everything = tuple(slice(0, n) for n in source.space)
            if not refused and not np.array_equal(image.stored(), source.read(0, whole_channels, everything)):
                raise Finding("part", "the whole is not what read gives")
    kind = f"{source.dtype} {len(source.space)} {source.channels > 1} {source.described().get('compression')}"
    return kind, source.space, source.spacing, *(zlib.crc32(np.ascontiguousarray(piece)) for piece in pieces)


def read_video(folder: Path) -> object:
    with files.allowing(MOST_PIXELS), files.open_video(only(folder)) as video:
        json.dumps(video.described(), allow_nan=False)
        digests = []
        for number, frame in enumerate(video):
            if frame.pixels.shape[:2] != (video.height, video.width) or frame.pixels.dtype.itemsize > 2:
                raise Finding("frame", f"{frame.pixels.dtype} {frame.pixels.shape} of {video.height} x {video.width}")
            if video.height * video.width > MOST_PIXELS:
                raise Finding("too large", f"{video.height} x {video.width}")
            digests.append((frame.time, frame.pixels.shape))
            if number == MOST_FRAMES:
                break
        kind = f"{video.container} {video.codec} {video.pixel_format}"
    # What of damaged H.264 can be mended, and is counted, depends on the pace of FFmpeg's threads: it is not compared.
    return kind, digests[:1]


def read_bag(folder: Path) -> object:
    path = only(folder)
    with files.allowing(MOST_PIXELS):
        with files.open_bag(path) as bag:
            topics = bag.topics
            told = sum(zlib.crc32(message.data) for message in bag)
        with tempfile.TemporaryDirectory() as place:
            target = Path(place) / ("fuzzed" if path.is_dir() else f"fuzzed{path.suffix}")
            files.rewrite_bag(path, target, lambda topic, frame: frame ^ frame.dtype.type(1))
            with files.open_bag(target) as result:
                if [each.name for each in result.topics] != [each.name for each in topics]:
                    raise Finding("written otherwise", f"{result.topics} of {topics}")
    return f"{[(each.name, each.encoding) for each in topics]}", told, topics


def read_checkpoint(folder: Path) -> object:
    from noiseless.score import checkpoint, density_file

    path = only(folder)
    if "density" in path.name:
        mixture = density_file.load_density(path)
        return "density", mixture.side, mixture.digest, str(mixture.card)
    found = checkpoint.load(path)
    for cached in (checkpoint.is_blind, checkpoint.model_reach):
        getattr(cached, "cache_clear", int)()  # what is kept is of another file of that name
    return "network", str(found.shape), found.digest, checkpoint.is_blind(str(path)), checkpoint.model_reach(str(path))


def read_resume(folder: Path) -> object:
    from fuzzing.trainer import trainer
    from noiseless.score.trained_model import _resume

    made = trainer()
    curve = _resume(made, only(folder))
    return "resumed", made.step, repr(made.elapsed), repr(made.usual_length), repr(curve)


def read_recipe(folder: Path) -> object:
    from noiseless.restoration.recipe_file import read_recipe as read

    found = read(only(folder))
    return f"recipe {found.recipe.method} {type(found.noise).__name__}", repr(found)


def read_notation(folder: Path) -> object:
    from noiseless.noise import notation_of, parse_noise

    model = parse_noise(only(folder).read_bytes().decode("utf-8", "replace"))
    text = notation_of(model)
    if notation_of(parse_noise(text)) != text:
        raise Finding("notation", text)
    with np.errstate(all="ignore"):  # values at the ends of what floats can say
        model.sample(np.full((1, 32, 32), 100.0, np.float32), np.random.default_rng(0))
    return type(model).__name__, text


def read_manifest(folder: Path) -> object:
    from noiseless.batches.manifest import Manifest

    with tempfile.TemporaryDirectory() as place:  # it is mended in place
        path = Path(place) / "manifest.jsonl"
        source = only(folder)
        if source.is_file():
            path.write_bytes(source.read_bytes())
        with Manifest(path) as manifest:
            records = dict(manifest.records)
        with Manifest(path) as manifest:
            if manifest.records != records:
                raise Finding("unsteady", "a mended manifest says something else")
    return f"{len(records)}", repr(records)


def read_parts(folder: Path) -> object:
    import shutil

    from noiseless.files.video.parts import PartsFolder

    with tempfile.TemporaryDirectory() as place:  # it is locked and cleared in place
        shutil.copytree(folder, place, dirs_exist_ok=True)
        found = PartsFolder(Path(place) / "a.mkv", ".mkv", {"a": 1}, resume=True)
        found.close()
        state = sorted(found.state or {})
    return f"{len(found.done)} {state}", [part.times for part in found.done]


WORDS_ERRORS: tuple[type[Exception], ...] = (*INPUT_ERRORS, InvalidParameter, UnknownName)
ZARR_ENDS: dict[str, Any] = dict.fromkeys((".json", ".zattrs", ".zarray", ".zgroup", ".zmetadata"), structures.JSON)
VIDEO_ENDS = dict.fromkeys((".mp4", ".mov"), structures.MP4) | {".avi": structures.AVI}
MANIFEST = Structure(rewritten=text_seeds.manifest_rewritten)
DATABASE = Structure(structures.sqlite_fields, rewritten=moving_seeds.sqlite_rewritten)
YAML = Structure(rewritten=words_rewritten(("\n", ": ", "- ", "[", "]", "{", "}", "'", '"', "0", "-1", "zstd", "file")))

_ALL = (
    Reader("png", picture_seeds.png, read_picture, {".png": structures.PNG}),
    Reader("jpeg", picture_seeds.jpeg, read_picture, {".jpg": structures.JPEG}),
    Reader("webp", picture_seeds.webp, read_picture, {".webp": structures.WEBP}),
    Reader("tiff", picture_seeds.tiff, read_picture, {".tif": structures.TIFF}),
    Reader("large-tiff", picture_seeds.tiff, read_parts_of, {".tif": structures.TIFF}),
    Reader("raw", picture_seeds.raw, read_picture, {".dng": structures.TIFF}, strict=False, steady=False),
    Reader("dicom", volume_seeds.dicom, read_picture, {".dcm": structures.DICOM}),
    Reader("dicom-series", volume_seeds.series, read_series, {".dcm": structures.DICOM}, named=False),
    Reader(
        "nifti", volume_seeds.nifti, read_picture, {".nii": structures.NIFTI, ".gz": structures.ZIPPED_NIFTI},
        strict=False,
    ),
    Reader("zarr", volume_seeds.stores, read_parts_of, ZARR_ENDS, strict=False),
    Reader("video", moving_seeds.videos, read_video, VIDEO_ENDS, strict=False),
    Reader("ros1", moving_seeds.ros1, read_bag, {".bag": structures.ROS1}, strict=False),
    Reader("mcap", moving_seeds.mcap, read_bag, {".mcap": structures.MCAP, ".yaml": YAML}, strict=False),
    Reader("sqlite", moving_seeds.sqlite, read_bag, {".db3": DATABASE, ".yaml": YAML}, strict=False),
    Reader(
        "checkpoint", text_seeds.checkpoints, read_checkpoint, {"": structures.TENSORS},
        errors=(*INPUT_ERRORS, IncompatibleCheckpoint),
    ),
    Reader(
        "resume", text_seeds.resumes, read_resume, {"": structures.TENSORS},
        errors=(*INPUT_ERRORS, IncompatibleCheckpoint),
    ),
    Reader(
        "recipe", text_seeds.recipes, read_recipe,
        {"": Structure(rewritten=words_rewritten(text_seeds.RECIPE_WORDS))}, errors=WORDS_ERRORS, named=False,
    ),
    Reader(
        "notation", text_seeds.notations, read_notation,
        {"": Structure(rewritten=words_rewritten(text_seeds.NOISE_WORDS))}, errors=WORDS_ERRORS, named=False,
    ),
    Reader("manifest", text_seeds.manifests, read_manifest, {"": MANIFEST}, named=False),
    Reader(
        "parts", text_seeds.parts, read_parts, {".json": structures.JSON},
        errors=(*INPUT_ERRORS, UnwritableFile), named=False,
    ),
)  # fmt: skip

READERS: Mapping[str, Reader] = {reader.name: reader for reader in _ALL}
