"""``noiseless diffuse`` as a person uses it, in-process."""

import numpy as np
import pytest
import tifffile
from PIL import Image

import noiseless
from noiseless.apps.cli import main
from noiseless.diffusion import FILTERS


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    rows, columns = np.mgrid[0:64, 0:80]
    clean = 120 + 60 * np.sin((rows + 0.4 * columns) / 3)
    noisy = clean + 20 * rng.standard_normal(clean.shape)
    Image.fromarray(np.uint8(noisy.clip(0, 255))).save(tmp_path / "gray.png")
    Image.fromarray(np.uint16(256 * noisy.clip(0, 255))).save(tmp_path / "deep.png")
    colour = np.stack([noisy, noisy[::-1], 255 - noisy], axis=-1)
    Image.fromarray(np.uint8(colour.clip(0, 255))).save(tmp_path / "colour.png")
    tifffile.imwrite(tmp_path / "deep.tif", np.uint16(256 * noisy.clip(0, 255)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def roughness(path):
    return np.abs(np.diff(noiseless.read(path).pixels, axis=-1)).mean()


@pytest.mark.parametrize("kind", sorted(FILTERS))
@pytest.mark.parametrize("source", ["gray.png", "deep.png", "colour.png", "deep.tif"])
def test_every_kind_smooths_every_depth(folder, capfd, source, kind):
    code, out, err = run(capfd, "diffuse", source, "--kind", kind, "--time", 4, "-s", 20 if source[0] != "d" else 5120,
                         "-o", f"out-{source}")  # fmt: skip
    assert (code, err) == (0, "")
    assert f"{kind}, sigma" in out
    before, after = noiseless.read(source), noiseless.read(f"out-{source}")
    assert (after.stored_dtype, after.pixels.shape) == (before.stored_dtype, before.pixels.shape)
    assert roughness(f"out-{source}") < 0.8 * roughness(source)
    assert f"diffused by {kind}" in noiseless.files.history(after)[-1]


@pytest.mark.parametrize("movie", ["movie.gif", "movie.mp4"])
@pytest.mark.parametrize("kind", ["coherence-enhancing", "heat", "perona-malik"])
def test_a_movie_begins_with_the_image_and_ends_with_the_result(folder, capfd, kind, movie):
    av = pytest.importorskip("av")
    assert run(capfd, "diffuse", "gray.png", "-k", kind, "--time", 8, "-o", "out.png", "--movie", movie)[0] == 0
    with av.open(movie) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) > 10  # a GIF keeps equal frames once
    for frame, path in ((frames[0], "gray.png"), (frames[-1], "out.png")):
        difference = frame.astype(int) - np.asarray(Image.open(path)).astype(int)
        # Colours of a GIF, or the range of video, may shift all levels a little; the picture is the same.
        assert difference.std() < 8


def test_a_volume_is_diffused_with_its_spacing(folder, capfd, rng):
    nibabel = pytest.importorskip("nibabel")
    stored = np.int16(1000 + 100 * rng.standard_normal((20, 18, 8)))
    image = nibabel.Nifti1Image(stored, np.diag([0.5, 0.5, 3.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, "volume.nii.gz")
    command = ("diffuse", "volume.nii.gz", "--kind", "coherence-enhancing", "--time", 8, "-s", 100)
    assert run(capfd, *command, "-o", "out.nii.gz", "--movie", "out.gif")[0] == 0
    smooth = nibabel.load("out.nii.gz")
    assert np.array_equal(smooth.affine, image.affine)
    values = np.asarray(smooth.dataobj).astype(float)
    assert smooth.get_data_dtype() == np.int16
    # Slices are six times as far apart as pixels, so what is between them stays rough.
    assert np.abs(np.diff(values, axis=2)).mean() > 2 * np.abs(np.diff(values, axis=0)).mean()
    with Image.open("out.gif") as movie:
        assert movie.size == (20, 18)


def test_contrast_stepping_and_least_risk_are_passed_on(folder, capfd):
    results = {}
    for name, options in {
        "usual": (),
        "contrast": ("--contrast", 50),
        "fast": ("--stepping", "fast-explicit"),
        "risk": ("--least-risk",),
    }.items():
        assert run(capfd, "diffuse", "gray.png", "-s", 20, "-o", f"{name}.png", *options)[0] == 0
        results[name] = noiseless.read(f"{name}.png").pixels
    for name in ("contrast", "fast", "risk"):
        assert not np.array_equal(results[name], results["usual"])
    assert np.abs(results["fast"] - results["usual"]).mean() < 0.01  # the same equation


@pytest.mark.parametrize("taken", ["out.png", "out.gif"])
def test_outputs_that_exist_are_refused_before_anything_is_written(folder, capfd, taken):
    (folder / taken).write_bytes(b"mine")
    code, _, err = run(capfd, "diffuse", "gray.png", "-s", 20, "-o", "out.png", "--movie", "out.gif")
    assert code == 1
    assert f"'{taken}' exists" in err
    assert (folder / taken).read_bytes() == b"mine"
    assert [name for name in ("out.png", "out.gif") if (folder / name).exists()] == [taken]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-k", "coherence"), "did you mean 'coherence-enhancing'"),
        (("-k", "heat", "--contrast", 3), "--contrast has no meaning for heat"),
        (("--time", -1), "time is -1"),
        (("--stepping", "implicit"), "did you mean 'semi-implicit'"),
        (("-k", "edge-enhancing", "--stepping", "semi-implicit"), "cannot be stepped 'semi-implicit'"),
        (("--movie", "m.avi"), "end its name in .gif or .mp4"),
        (("--movie", "m.gif", "--least-risk"), "take one"),
    ],
)
def test_wrong_options_get_one_line_and_write_nothing(folder, capfd, options, words):
    code, _, err = run(capfd, "diffuse", "gray.png", "-s", 20, "-o", "out.png", *options)
    assert code == 1
    assert words in err
    assert err.count("\n") == 1
    assert not (folder / "out.png").exists()
    assert not list(folder.glob("m.*"))
