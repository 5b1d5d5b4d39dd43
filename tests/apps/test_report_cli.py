"""``noiseless denoise --report``."""

import base64
import re

import numpy as np
import pytest

import noiseless

RNG = np.random.default_rng(0)
CLEAN = 40.0 + np.tile(np.linspace(0.0, 150.0, 96), (80, 1))
NOISY = np.clip(np.rint(CLEAN + 20 * RNG.standard_normal(CLEAN.shape)), 0, 255).astype(np.uint8)


@pytest.fixture
def folder(scans):
    return scans(NOISY)


def pictures_in(text):
    return len([found for found in re.findall(r"data:image/\w+;base64,([\w+/=]+)", text) if base64.b64decode(found)])


def test_the_report_of_an_image_has_error_and_predicted_psnr(folder, run):
    assert run("denoise", "scan.png", "-s", 20, "--report", "out.html")[0] == 0
    text = (folder / "out.html").read_text(encoding="utf-8")
    assert "scan.png" in text
    assert pictures_in(text) >= 4
    for said in ("Removed", "Error", "dB", "SHA-256"):
        assert said in text
    plain = noiseless.denoise(NOISY, sigma=20)
    np.testing.assert_allclose(noiseless.read("scan.denoised.png").stored()[0], plain, atol=1)


def test_where_the_error_cannot_be_known_the_report_goes_without_and_it_is_said(folder, run):
    code, _, err = run(
        "denoise", "scan.png", "--noise", "salt-and-pepper:density=0.1", "-m", "heat", "--report", "out.html"
    )
    assert code == 0
    assert "the report is without error and predicted PSNR: " in err
    assert (folder / "out.html").exists()


def test_the_report_of_a_folder_has_every_input_also_those_done_before_and_those_that_failed(folder, run):
    (folder / "scans" / "c.png").write_text("no picture")
    options = ("denoise", "scans", "-o", "clean", "-m", "heat", "-s", 20)
    assert run(*options)[0] == 3
    assert run(*options, "--report", "out.html")[0] == 3
    text = (folder / "out.html").read_text(encoding="utf-8")
    assert pictures_in(text) == 4
    for name in ("a.png", "b.tif", "c.png", "is not a PNG file", "gaussian"):
        assert name in text


def test_the_report_of_a_video_shows_frames(folder, run):
    av = pytest.importorskip("av")
    with av.open("clip.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 80, "gray"
        for _ in range(9):
            noisy = np.clip(np.rint(CLEAN + 20 * RNG.standard_normal(CLEAN.shape)), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="gray")))
        container.mux(stream.encode())
    assert run("denoise", "clip.mkv", "-o", "out.mkv", "--report", "out.html")[0] == 0
    assert pictures_in((folder / "out.html").read_text(encoding="utf-8")) == 12


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("out.pdf", (), "html"),
        ("there.html", (), "exists; replace it with --force"),
        ("nowhere/out.html", ("-m", "heat"), "cannot write"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused(folder, run, name, options, reason):
    (folder / "there.html").write_text("precious")
    code, _, err = run("denoise", "scan.png", "--report", name, *options)
    assert (code, err.count("\n")) == (1, 1)
    assert reason in err
    assert not (folder / "scan.denoised.png").exists(), "refused before the work"
    assert (folder / "there.html").read_text() == "precious"


def test_a_report_does_not_replace_a_source(folder, run):
    (folder / "scans" / "b.tif").rename(folder / "scans" / "b.html")
    code, _, err = run("denoise", "scans/b.html", "-o", "b.tif", "--report", "scans/b.html", "--force")
    assert code == 1
    assert "is an image of the run" in err
