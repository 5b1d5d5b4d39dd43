"""Images larger than memory from the command line: stores and TIFF files, block by block."""

import json

import numpy as np
import pytest
import tifffile
import zarr

import noiseless
from noiseless.apps.cli import denoising, main
from noiseless.apps.cli.jobs import jobs_of
from noiseless.apps.work import large

SIGMA = (12.0, 40.0)
RECIPE = ("-m", "score:precision=float32", "--model", "tiny")


def clean(shape):
    rows, columns = np.mgrid[0 : shape[-2], 0 : shape[-1]]
    return np.broadcast_to(1000 + 300 * np.sin(columns / 9) * np.cos(rows / 11), shape)


def noisy(shape, sigma):
    values = clean(shape) + np.asarray(sigma) * np.random.default_rng(0).standard_normal(shape)
    return np.rint(values).astype(np.uint16)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with two.ome.zarr, of two channels and slices, and tiled.tif."""
    group = zarr.open_group(tmp_path / "two.ome.zarr", mode="w", zarr_format=3)
    pixels = noisy((2, 3, 96, 120), np.reshape(SIGMA, (2, 1, 1, 1)))
    names = {"dimension_names": list("czyx")}
    group.create_array("0", shape=pixels.shape, chunks=(1, 1, 40, 40), dtype="uint16", **names)[...] = pixels
    group.create_array("1", shape=(2, 3, 48, 60), chunks=(1, 1, 40, 40), dtype="uint16", **names)
    axes = [{"name": "c", "type": "channel"}, *({"name": letter, "type": "space"} for letter in "zyx")]
    multiscale = {"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}
    omero = {"channels": [{"label": "of the patient Doe"}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale], "omero": omero}
    tifffile.imwrite(tmp_path / "tiled.tif", noisy((150, 170), 30.0), tile=(64, 64), compression="zlib")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def pixels_of(path, level=0):
    return zarr.open_array(path / str(level), mode="r")[...]


def rms(values):
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def test_a_store_is_denoised_to_a_store(folder, capfd):
    code, out, _ = run(capfd, "denoise", "two.ome.zarr", "-o", "clean.ome.zarr")
    assert code == 0
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"clean.ome.zarr, channel {number}" for number in (0, 1)]
    result = pixels_of(folder / "clean.ome.zarr")
    for channel, sigma in enumerate(SIGMA):
        assert rms(result[channel] - clean(result[channel].shape)) < sigma / 2
    means = result.reshape(2, 3, 48, 2, 60, 2).mean(axis=(3, 5))
    np.testing.assert_array_equal(pixels_of(folder / "clean.ome.zarr", 1), np.rint(means))
    attributes = zarr.open_group(folder / "clean.ome.zarr", mode="r").attrs.asdict()
    assert attributes["ome"] == zarr.open_group(folder / "two.ome.zarr", mode="r").attrs["ome"]
    first, second = attributes["noiseless"]["history"]
    assert first.startswith(f"noiseless {noiseless.__version__}, channel 0: removed noise (gaussian, sigma ")
    assert second.endswith("by score base")


def test_it_equals_the_python_call(folder, capfd):
    assert run(capfd, "denoise", "two.ome.zarr", "-o", "clean.zarr", "-s", 12, *RECIPE)[0] == 0
    source = pixels_of(folder / "two.ome.zarr")
    recipe = noiseless.Recipe(RECIPE[1], "tiny")
    for channel in (0, 1):
        whole = noiseless.restore(source[channel], recipe, sigma=12).image
        # A value that lies between two steps may be rounded to either by the 1e-5 of 65535 of the law.
        difference = pixels_of(folder / "clean.zarr")[channel].astype(int) - whole
        assert np.abs(difference).max() <= 1


def test_json_is_one_line_a_channel_and_tells_no_metadata(folder, capfd):
    code, out, err = run(capfd, "denoise", "two.ome.zarr", "-s", 12, "--json", *RECIPE)
    assert code == 0
    reports = [json.loads(line) for line in out.splitlines()]
    assert [report["channel"] for report in reports] == [0, 1]
    assert {report["output"] for report in reports} == {"two.ome.denoised.zarr"}
    assert reports[0]["sigma"] == 12
    assert "removed_over_noise" in reports[0]["audit"]
    assert "Doe" not in out + err


def test_a_tiff_file_is_large_when_it_needs_more_memory_as_a_whole(folder):
    (job,) = jobs_of(["tiled.tif"], None)
    whole = large.WHOLE_BYTES * 150 * 170 / 2**30
    found = large.large_image(job, large.limits_of(0.99 * whole, 1))
    assert found.image.space == (150, 170)
    assert not found.fits  # whoever names the memory means it
    assert large.large_image(job, large.limits_of(1.01 * whole, 1)) is None
    assert large.large_image(job, large.limits_of(None, 1)) is None


def test_processes_share_the_memory_of_the_machine(monkeypatch):
    monkeypatch.setattr(large, "memory_of_machine", lambda: 16.0 * 2**30)
    assert large.limits_of(None, 1) == large.Limits(2**30, 2**33)
    assert large.limits_of(None, 16) == large.Limits(2**28, 2**29)
    assert large.limits_of(0.5, 64).usual == 2**29  # of each, as it was said


def test_a_tiff_file_above_the_limit_goes_by_blocks_to_the_same_bytes(folder, capfd, monkeypatch):
    options = ("-s", 30, "--json", *RECIPE)
    monkeypatch.setattr(large, "WHOLE_BYTES", 2**20)
    code, out, _ = run(capfd, "denoise", "tiled.tif", "-o", "blocks.tif", "--tile", 64, *options)
    assert code == 0
    report = json.loads(out)
    assert "channel" not in report
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    _, out, _ = run(capfd, "denoise", "tiled.tif", "-o", "whole.tif", *options)
    assert report.keys() == json.loads(out).keys()
    by_blocks, whole = (noiseless.read(name) for name in ("blocks.tif", "whole.tif"))
    np.testing.assert_array_equal(by_blocks.stored(), whole.stored())
    assert by_blocks.header["tiff_layout"] == whole.header["tiff_layout"]
    assert noiseless.files.history(by_blocks) == noiseless.files.history(whole)


@pytest.mark.parametrize(
    "options", [("-m", "heat", "-s", 9), ("-s", 9, "--steps", 3, *RECIPE), ("--noise", "rician:sigma=9", *RECIPE)]
)
def test_what_looks_at_the_whole_image_takes_it_whole_where_it_fits(folder, capfd, monkeypatch, options):
    assert run(capfd, "denoise", "tiled.tif", "-o", "whole.tif", *options)[0] == 0
    whole = noiseless.read("whole.tif").stored()
    monkeypatch.setattr(large, "USUAL", 0.001)
    seen = []
    monkeypatch.setattr(denoising, "denoise_large", lambda *a, f=large.denoise_large, **k: seen.append(a) or f(*a, **k))
    assert run(capfd, "denoise", "tiled.tif", "-o", "again.tif", *options)[0] == 0
    assert len(seen) == 1  # tried, and left
    np.testing.assert_array_equal(noiseless.read("again.tif").stored(), whole)
    monkeypatch.setattr(large, "MOST_SHARE", 1e-9)
    code, _, err = run(capfd, "denoise", "tiled.tif", "-o", "refused.tif", *options)
    assert (code, err.count("\n")) == (1, 1)
    assert not (folder / "refused.tif").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("-m", "heat", "-s", 9), "heat looks at the whole image"),
        (("--steps", 3), "in 3 steps looks at the whole image"),
        (("--error", "e.tif"), "--error, --plot and --report need the whole image"),
        (("--plot", "p.png"), "--error, --plot and --report need the whole image"),
        (("-o", "-"), "needs a file"),
        (("-o", "a.tif"), "not named as a zarr store"),
        (("--memory", 0), "--memory is 0"),
        (("--memory", 0.001, "-s", 9), "allow more"),
        (("--noise", "rician:sigma=9"), "whole images only"),
        (("-o", "two.ome.zarr"), "overwrite itself"),
        (("-o", "two.ome.zarr/0/b.zarr"), "within its source"),
    ],
)
def test_what_needs_the_whole_image_is_refused_and_leaves_nothing(folder, capfd, options, reason):
    before = sorted(folder.rglob("*"))
    code, out, err = run(capfd, "denoise", "two.ome.zarr", *options)
    assert (code, out) == (1, "")
    assert reason in err
    assert err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


def test_a_store_that_exists_is_replaced_only_by_force(folder, capfd):
    (folder / "results").mkdir()
    assert run(capfd, "denoise", "two.ome.zarr", "-o", "results", "-s", 12, *RECIPE)[0] == 0
    result = folder / "results" / "two.ome.zarr"
    first = pixels_of(result)
    code, _, err = run(capfd, "denoise", "two.ome.zarr", "-o", result, "-s", 40, *RECIPE)
    assert code == 1
    assert "--force" in err
    assert run(capfd, "denoise", "two.ome.zarr", "-o", result, "-s", 40, "--force", *RECIPE)[0] == 0
    assert (pixels_of(result) != first).any()
    assert len(zarr.open_group(result, mode="r").attrs["noiseless"]["history"]) == 2


def test_stores_and_pictures_go_into_a_folder_together(folder, capfd):
    (folder / "bad.zarr").mkdir()
    (folder / "bad.zarr" / "zarr.json").write_text("{")
    code, out, err = run(
        capfd, "denoise", "two.ome.zarr", "bad.zarr", "tiled.tif", "-o", "out", "-s", 12, "--json", *RECIPE
    )
    assert code == 3
    assert [json.loads(line)["input"] for line in out.splitlines()] == [
        "two.ome.zarr", "two.ome.zarr", "bad.zarr", "tiled.tif",
    ]  # fmt: skip
    shown = sorted(path.name for path in (folder / "out").glob("[!.]*"))
    assert shown == ["manifest.jsonl", "tiled.tif", "two.ome.zarr"]
    assert "1 of 3 inputs failed" in err


def test_what_a_tiff_file_is_refused_for_is_told_whatever_the_memory(folder, capfd):
    tifffile.imwrite("cmyk.tif", np.zeros((9, 9, 4), np.uint8), photometric="separated")
    code, _, err = run(capfd, "denoise", "cmyk.tif", "--memory", 1e-9)
    assert code == 1
    assert "SEPARATED" in err


def test_a_missing_file_is_told_as_ever(folder, capfd):
    code, _, err = run(capfd, "denoise", "nothing.zarr")
    assert code == 1
    assert "does not exist" in err


def test_info_of_a_store_reads_no_pixel_and_tells_no_metadata(folder, capfd):
    code, out, err = run(capfd, "info", "two.ome.zarr", "--json")
    fields = json.loads(out)
    assert code == 0
    assert fields["input"] == "two.ome.zarr"
    assert fields["dtype"] == "uint16"
    code, out, err = run(capfd, "info", "two.ome.zarr")
    assert code == 0
    assert "Doe" not in out + err


def test_blocks_may_be_denoised_by_a_device(folder, capfd, monkeypatch):
    torch = pytest.importorskip("torch")
    from noiseless.restoration import devices

    options = ("-s", 30, "--tile", 64, *RECIPE)
    monkeypatch.setattr(large, "WHOLE_BYTES", 2**20)
    assert run(capfd, "denoise", "tiled.tif", "-o", "here.tif", *options)[0] == 0
    asked = []
    # Torch on the CPU stands for a GPU: the same road but for the chip.
    monkeypatch.setattr(devices, "load", lambda lazy: lambda name: asked.append(name) or torch.empty(0))
    assert run(capfd, "denoise", "tiled.tif", "-o", "there.tif", "--device", "cuda:1", *options)[0] == 0
    assert asked == ["cuda:1"]
    here, there = (noiseless.read(name).stored().astype(int) for name in ("here.tif", "there.tif"))
    # the engines differ by less than 1e-4 of the range of 65535, which is 7 grey levels
    assert np.abs(here - noiseless.read("tiled.tif").stored()).max() > 0
    assert np.abs(here - there).max() <= 7
