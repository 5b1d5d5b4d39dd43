"""OME-Zarr: windows are those of the array, all but the pixels comes back, and the pyramid is made of the new ones."""

import itertools
import json
import shutil
import subprocess
import sys

import numcodecs
import numpy as np
import pytest
import zarr

from noiseless.errors import UnreadableFile, UnsupportedFormat, UnwritableFile
from noiseless.files import is_store, open_chunked
from noiseless.files.ome_zarr import pyramid
from noiseless.files.ome_zarr.metadata import DOCUMENTS
from noiseless.files.ome_zarr.pyramid import means_over_blocks, rounded, whole_factors

SIZES = {"t": 2, "c": 2, "z": 5, "y": 21, "x": 27}
CHUNKS = {"t": 1, "c": 1, "z": 2, "y": 8, "x": 12}


def shape_of(axes, sizes=SIZES):
    return tuple(sizes[letter] for letter in axes)


def make(path, axes="czyx", *, version="0.4", dtype="uint16", levels=3, halved=lambda n: -(-n // 2), **options):
    """A store with random pixels in all its levels, labels, omero, and a group of somebody else."""
    rng = np.random.default_rng(0)
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    shape, datasets = shape_of(axes), []
    if version == "0.5":
        options = {"dimension_names": list(axes), **options}
    for level in range(levels):
        chunks = tuple(min(CHUNKS[letter], length) for letter, length in zip(axes, shape, strict=True))
        array = group.create_array(f"level/{level}", shape=shape, chunks=chunks, dtype=dtype, **options)
        array[...] = (200 * rng.random(shape)).astype(dtype)
        scale = [0.25 * 2**level if letter in "zyx" else 1.0 for letter in axes]
        datasets.append({"path": f"level/{level}", "coordinateTransformations": [{"type": "scale", "scale": scale}]})
        shape = tuple(halved(n) if letter in "zyx" else n for letter, n in zip(axes, shape, strict=True))
    kinds = {"t": {"type": "time"}, "c": {"type": "channel"}}
    named = [{"name": letter, **kinds.get(letter, {"type": "space", "unit": "micrometer"})} for letter in axes]
    multiscale = {"axes": named, "datasets": datasets, "metadata": {"method": "somebody's"}}
    omero = {"channels": [{"label": "DAPI", "window": {"start": 0, "end": 9}}]}
    if version == "0.4":
        group.attrs.update({"multiscales": [{"version": version, **multiscale}], "omero": omero, "other": [1, None]})
    else:
        group.attrs.update({"ome": {"version": version, "multiscales": [multiscale], "omero": omero}, "other": 1})
    labels = group.create_group("labels/cells").create_array("0", shape=(37, 53), chunks=(16, 16), dtype="uint32")
    labels[...] = rng.integers(0, 9, (37, 53))
    group.create_group("tables").attrs["by"] = "somebody"
    return path


def finest(path):
    return zarr.open_array(path / "level/0", mode="r")[...]


def rewrite(source, target, change=lambda values: values, **options):
    """Every window of the grid read, changed and written, in no order."""
    image = open_chunked(source)
    with image.rewriting(target, **options) as writer:
        corners = itertools.product(*(range(0, n, side) for n, side in zip(image.space, writer.grid, strict=True)))
        work = list(itertools.product(range(image.items), range(image.channels), corners))
        for index in np.random.default_rng(1).permutation(len(work)):
            item, channel, corner = work[index]
            window = tuple(
                slice(first, min(first + side, n))
                for first, side, n in zip(corner, writer.grid, image.space, strict=True)
            )
            channels = slice(channel, channel + 1)
            writer.write(item, channels, window, change(image.read(item, channels, window)))
        writer.history.append("what was done")
    return target


def documents(path):
    """Everything in a store but the chunks of the image and the attributes of its root."""
    found = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        is_chunk = name.parts[0] == "level" and name.name not in DOCUMENTS
        if file.is_file() and not is_chunk and str(name) not in ("zarr.json", ".zattrs"):
            found[str(name)] = file.read_bytes()
    return found


def attributes(path):
    return zarr.open_group(path, mode="r").attrs.asdict()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["tczyx", "tcyx", "tzyx", "czyx", "tyx", "cyx", "zyx", "yx"])
def test_windows_are_those_of_the_array(axes, version, tmp_path):
    image = open_chunked(make(tmp_path / "a.zarr", axes, version=version))
    assert (image.items, image.channels) == (SIZES["t"] if "t" in axes else 1, SIZES["c"] if "c" in axes else 1)
    assert image.space == shape_of(axes[axes.index("z") if "z" in axes else axes.index("y") :])
    assert image.spacing == pytest.approx((0.00025,) * len(image.space))
    assert not image.together
    whole = finest(tmp_path / "a.zarr").reshape(image.items, image.channels, *image.space)
    window = tuple(slice(n // 3, n // 3 + n // 2) for n in image.space)
    for item, channels in itertools.product(range(image.items), [slice(0, 1), slice(0, image.channels)]):
        np.testing.assert_array_equal(image.read(item, channels, window), whole[(item, channels, *window)])


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("0.4", {"chunk_key_encoding": {"name": "v2", "separator": "/"}, "fill_value": 7}),
        ("0.4", {"dtype": ">u2", "compressors": numcodecs.Zlib(level=3)}),
        ("0.4", {"dtype": "float32", "levels": 1}),
        ("0.5", {"compressors": zarr.codecs.GzipCodec(level=2)}),
        ("0.5", {"dtype": "int8", "fill_value": -3}),
        ("0.5", {"dtype": "float64"}),
    ],
)
def test_everything_but_the_pixels_is_kept(version, options, tmp_path):
    source = make(tmp_path / "a.zarr", version=version, **options)
    target = rewrite(source, tmp_path / "b.zarr", lambda values: values + 1)
    np.testing.assert_array_equal(finest(target), finest(source) + 1)
    assert documents(target) == documents(source)
    ours = attributes(target)
    assert ours.pop("noiseless")["history"] == ["what was done"]
    assert ours == attributes(source)


def test_shards_are_kept(tmp_path):
    source = make(tmp_path / "a.zarr", "zyx", version="0.5", levels=1, shards=(4, 16, 24))
    target = rewrite(source, tmp_path / "b.zarr")
    assert documents(target) == documents(source)
    np.testing.assert_array_equal(finest(target), finest(source))
    files = [sorted(str(file.relative_to(path)) for file in path.rglob("c/*/*/*")) for path in (source, target)]
    assert files[0] == files[1]
    with open_chunked(source).rewriting(tmp_path / "c.zarr") as writer:
        assert writer.grid == (4, 16, 24)
    assert open_chunked(source).chunk == (2, 8, 12)


def block_means(values, factors, shape):
    """The definition, pixel by pixel."""
    means = np.empty(shape)
    for index in np.ndindex(*shape):
        means[index] = values[tuple(slice(i * f, (i + 1) * f) for i, f in zip(index, factors, strict=True))].mean()
    return means


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("halved", [lambda n: -(-n // 2), lambda n: n // 2], ids=["up", "down"])
def test_every_level_is_made_of_the_new_pixels(halved, dtype, version, tmp_path):
    source = make(tmp_path / "a.zarr", "czyx", version=version, dtype=dtype, halved=halved)
    target = rewrite(source, tmp_path / "b.zarr", lambda values: values[..., ::-1])
    new = finest(target).astype(np.float64)
    for level in (1, 2):
        found = zarr.open_array(target / f"level/{level}", mode="r")
        means = block_means(new, (1, *[2**level] * 3), found.shape)
        if dtype == "float32":
            np.testing.assert_array_equal(found[...], means.astype(dtype))
        else:
            # Sums of integers are exact, so only a mean of n + 1/2 could be rounded to either side.
            assert np.abs(found[...] - means).max() <= 0.5
            np.testing.assert_array_equal(found[...], np.rint(means))


def test_levels_are_the_same_however_few_values_are_averaged_at_once(tmp_path, monkeypatch):
    source = make(tmp_path / "a.zarr")
    monkeypatch.setattr(pyramid, "VALUES_AT_ONCE", 100)
    most = []
    monkeypatch.setattr(
        pyramid,
        "means_over_blocks",
        lambda values, factors: (most.append(values.size), means_over_blocks(values, factors))[1],
    )
    target = rewrite(source, tmp_path / "b.zarr")
    for level in (1, 2):
        found = zarr.open_array(target / f"level/{level}", mode="r")
        means = block_means(finest(target).astype(np.float64), (1, *[2**level] * 3), found.shape)
        np.testing.assert_array_equal(found[...], np.rint(means))
    assert max(most) <= 100


@pytest.mark.parametrize(
    ("fine", "coarse", "ratios", "factors"),
    [
        ((7, 9), (4, 5), None, (2, 2)),
        ((7, 9), (3, 4), None, (2, 2)),
        ((5, 5), (1, 1), (4.0, 4.0), (4, 4)),
        ((5, 5), (1, 1), None, (5, 5)),
        ((357, 357), (178, 178), (2.0056, 2.0056), (2, 2)),
        ((8, 8), (8, 8), (1.0, 1.0), (1, 1)),
        ((100, 100), (67, 67), None, None),
        ((10, 10), (20, 20), None, None),
    ],
)
def test_factors_are_whole_numbers(fine, coarse, ratios, factors):
    assert whole_factors(fine, coarse, ratios) == factors


def test_means_keep_the_range_of_their_type():
    extremes = np.array([[255, 255, 255], [0, 0, 0]], np.uint8)
    np.testing.assert_array_equal(rounded(means_over_blocks(extremes, (1, 2)), np.dtype(np.uint8)), extremes[:, :2])
    big = np.full((3, 3), 2**31 - 1, np.int32)
    assert (rounded(means_over_blocks(big, (2, 2)), np.dtype(np.int32)) == 2**31 - 1).all()


def test_a_plain_array_is_an_image(tmp_path):
    values = np.arange(5 * 37 * 53, dtype=np.uint16).reshape(5, 37, 53)
    for axes, version in itertools.product(("yx", "zyx"), (2, 3)):
        path = tmp_path / f"{axes}{version}.zarr"
        zarr.create_array(
            path, data=values[0] if axes == "yx" else values, chunks=(16,) * len(axes), zarr_format=version
        )
        image = open_chunked(path)
        assert image.space == (values[0] if axes == "yx" else values).shape
        target = rewrite(path, tmp_path / f"{axes}{version}-out.zarr", lambda read: read + 1)
        np.testing.assert_array_equal(zarr.open_array(target)[...], zarr.open_array(path)[...] + 1)
        assert zarr.open_array(target).attrs["noiseless"]["history"] == ["what was done"]
    zarr.create_array(tmp_path / "4.zarr", data=np.zeros((2, 2, 2, 2)), zarr_format=3)
    with pytest.raises(UnsupportedFormat, match="plain array of 4 axes"):
        open_chunked(tmp_path / "4.zarr")


def test_opening_reads_no_pixel_and_telling_needs_none(tmp_path):
    path = make(tmp_path / "a.zarr", "tczyx")
    for file in list((path / "level").rglob("*")):
        if file.is_file() and file.name not in DOCUMENTS:
            file.write_bytes(b"no chunk")
    told = open_chunked(path).described()
    assert told["format"] == "OME-Zarr 0.4"
    assert told["axes"] == "TCZYX"
    assert told["levels"] == [[2, 2, 5, 21, 27], [2, 2, 3, 11, 14], [2, 2, 2, 6, 7]]
    assert told["chunks"] == [1, 1, 2, 8, 12]
    assert "DAPI" not in str(told)


def test_history_grows_and_consolidated_metadata_follow(tmp_path):
    source = make(tmp_path / "a.zarr")
    zarr.consolidate_metadata(source, zarr_format=2)
    first = rewrite(source, tmp_path / "b.zarr")
    second = rewrite(first, tmp_path / "c.zarr")
    assert attributes(second)["noiseless"]["history"] == ["what was done", "what was done"]
    both = [json.loads((second / name).read_text()) for name in (".zattrs", ".zmetadata")]
    assert both[1]["metadata"][".zattrs"] == both[0]
    assert attributes(source).keys() == attributes(second).keys() - {"noiseless"}


def test_a_chunk_that_is_missing_has_the_fill_value_and_one_that_is_damaged_is_refused(tmp_path):
    path = make(tmp_path / "a.zarr", "yx", fill_value=9)
    chunks = [file for file in (path / "level/0").iterdir() if file.name not in DOCUMENTS]
    (path / "level/0/0.0").unlink()
    window = slice(0, 8), slice(0, 12)
    assert (open_chunked(path).read(0, slice(0, 1), window) == 9).all()
    for damaged in (b"", b"nonsense", (path / "level/0/1.1").read_bytes()[:-9]):
        for chunk in chunks:
            chunk.write_bytes(damaged)
        with pytest.raises(UnreadableFile, match=r"a\.zarr.*damaged"):
            open_chunked(path).read(0, slice(0, 1), window)


def change(path, edit):
    """Edit the attributes of the root of a store of version 0.4."""
    document = path / ".zattrs"
    found = json.loads(document.read_text())
    edit(found, found["multiscales"][0])
    document.write_text(json.dumps(found))


DAMAGE = {
    "no JSON": lambda path: (path / ".zattrs").write_text("{"),
    "no object": lambda path: (path / ".zattrs").write_text("[1]"),
    "no multiscale": lambda path: change(path, lambda a, _: a.update(multiscales=[5])),
    "no datasets": lambda path: change(path, lambda _, m: m.update(datasets=[])),
    "no path": lambda path: change(path, lambda _, m: m["datasets"][0].pop("path")),
    "a path out of it": lambda path: change(path, lambda _, m: m["datasets"][0].update(path="../b.zarr")),
    "an absolute path": lambda path: change(path, lambda _, m: m["datasets"][0].update(path="/etc")),
    "an array that is not there": lambda path: change(path, lambda _, m: m["datasets"][0].update(path="level/9")),
    "no axes": lambda path: change(path, lambda _, m: m.pop("axes")),
    "axes of another number": lambda path: change(path, lambda _, m: m["axes"].pop(0)),
    "no shape": lambda path: (path / "level/0/.zarray").write_text("{}"),
    "an array of text": lambda path: (path / "level/0/.zarray").write_text("no"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_metadata_are_unreadable(damage, tmp_path):
    path = make(tmp_path / "a.zarr")
    DAMAGE[damage](path)
    with pytest.raises(UnreadableFile, match=r"a\.zarr") as caught:
        open_chunked(path)
    assert "\n" not in str(caught.value)


FOREIGN = {
    "0.3": lambda path: change(path, lambda _, m: m.update(version="0.3")),
    "the axis 'q'": lambda path: change(path, lambda _, m: m["axes"][1].update(name="q")),
    "order zcyx": lambda path: change(path, lambda _, m: m.update(axes=[m["axes"][n] for n in (1, 0, 2, 3)])),
    "2 multiscale": lambda path: change(path, lambda a, m: a.update(multiscales=[m, m])),
    "no 'multiscales'": lambda path: change(path, lambda a, _: a.pop("multiscales")),
    "a plate": lambda path: change(path, lambda a, _: (a.pop("multiscales"), a.update(plate={}))),
    "no whole part": lambda path: change(path, lambda _, m: m["datasets"].reverse()),
}


@pytest.mark.parametrize("reason", FOREIGN)
def test_what_cannot_be_read_is_refused_by_name(reason, tmp_path):
    path = make(tmp_path / "a.zarr")
    FOREIGN[reason](path)
    with pytest.raises(UnsupportedFormat, match=reason) as caught:
        open_chunked(path)
    assert "; " in str(caught.value)


def test_a_collection_names_one_of_its_images(tmp_path):
    zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    make(tmp_path / "a.zarr" / "0")
    with pytest.raises(UnsupportedFormat, match=r"several images; name one of them, such as '.*a\.zarr/0'"):
        open_chunked(tmp_path / "a.zarr")


@pytest.mark.parametrize("dtype", ["bool", "complex64"])
def test_pixels_that_are_no_intensities_are_refused(dtype, tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=np.zeros((9, 9), dtype))
    with pytest.raises(UnsupportedFormat, match=dtype.rstrip("64")):
        open_chunked(tmp_path / "a.zarr")


def test_nothing_is_left_of_what_was_not_finished(tmp_path):
    source = make(tmp_path / "a.zarr")
    with pytest.raises(RuntimeError, match="power"), open_chunked(source).rewriting(tmp_path / "b.zarr"):
        raise RuntimeError("no power")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_a_store_is_replaced_only_when_asked_and_other_folders_never(tmp_path):
    source, other = make(tmp_path / "a.zarr"), make(tmp_path / "b.zarr", "yx")
    before = finest(other)
    with pytest.raises(UnwritableFile, match="exists"), open_chunked(source).rewriting(other):
        pass
    with pytest.raises(RuntimeError), open_chunked(source).rewriting(other, overwrite=True):
        raise RuntimeError
    np.testing.assert_array_equal(finest(other), before)
    rewrite(source, other, overwrite=True)
    np.testing.assert_array_equal(finest(other), finest(source))
    (tmp_path / "c.zarr").mkdir()
    (tmp_path / "c.zarr" / "letter.txt").write_text("dear")
    with (
        pytest.raises(UnwritableFile, match="no zarr store"),
        open_chunked(source).rewriting(tmp_path / "c.zarr", overwrite=True),
    ):
        pass
    assert (tmp_path / "c.zarr" / "letter.txt").read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr", "c.zarr"]


@pytest.mark.parametrize("target", ["a.zarr", "a.zarr/b.zarr", "no/b.zarr", "b.tif"])
def test_places_where_no_output_can_be_are_refused(target, tmp_path):
    source = make(tmp_path / "a.zarr")
    before = sorted(tmp_path.rglob("*"))
    with (
        pytest.raises((UnwritableFile, UnsupportedFormat)),
        open_chunked(source).rewriting(tmp_path / target, overwrite=True),
    ):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_a_store_that_must_not_be_written_can_be_copied(tmp_path):
    source = make(tmp_path / "a.zarr")
    folders = [source, *(path for path in source.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        rewrite(source, tmp_path / "b.zarr")
        shutil.rmtree(tmp_path / "b.zarr")
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_folder_is_a_store_by_its_documents(tmp_path):
    assert is_store(make(tmp_path / "a.zarr"))
    assert is_store(make(tmp_path / "b.zarr", version="0.5"))
    assert not is_store(tmp_path)
    assert not is_store(tmp_path / "nothing.zarr")
    with pytest.raises(UnreadableFile, match="folder"):
        open_chunked(tmp_path)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n and more")
    with pytest.raises(UnsupportedFormat, match="zarr stores and TIFF"):
        open_chunked(tmp_path / "a.png")


def test_files_and_restoration_load_no_zarr():
    code = "import sys, noiseless.files, noiseless.restoration; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"zarr", "tifffile", "torch"} & set(loaded)
