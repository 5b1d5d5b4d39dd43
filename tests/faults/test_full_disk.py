"""A full disk: one line that names the file and says what to do; what was there stays, and nothing half-written."""

import hashlib
import os
import subprocess

import pytest

KIB = 1024
SPACE = 8 * 2**20

HEAT = "--method heat --sigma 20 --force"
TINY = "--model tiny --sigma 20 --force"
TRAIN = "--gray --steps 2 --batch 1 --patch 16 --force"

OLD = hashlib.blake2b(b"old", digest_size=8).hexdigest()

# Of each case: the words, where IN is the folder of inputs; the file that there is no room for; the bytes that there
# is room for; lines that are said before.
CASES = {
    "png": (f"denoise IN/a.png -o out.png {HEAT}", "out.png", KIB, 0),
    "jpeg": (f"denoise IN/a.jpg -o out.jpg {HEAT}", "out.jpg", KIB, 0),
    "webp": (f"denoise IN/a.webp -o out.webp {HEAT}", "out.webp", KIB, 0),
    "tiff": (f"denoise IN/a.tif -o out.tif {HEAT}", "out.tif", KIB, 0),
    "nifti": (f"denoise IN/v.nii -o out.nii {HEAT}", "out.nii", KIB, 0),
    "nifti, compressed": (f"denoise IN/v.nii.gz -o out.nii.gz {HEAT}", "out.nii.gz", KIB, 0),
    "dicom": (f"denoise IN/scan/0.dcm -o out.dcm {HEAT}", "out.dcm", KIB, 0),
    "tiff in blocks": (f"denoise IN/tiled.tif -o t.tif --memory 0.003 {TINY}", "t.tif", 4 * KIB, 0),
    "video": (f"denoise IN/clip.mkv -o out.mkv {TINY}", "out.mkv", 8 * KIB, 0),
    "bag": (f"denoise IN/run.bag -o out.bag {TINY}", "out.bag", 4 * KIB, 0),
    "error": (f"denoise IN/a.png -o with-error.png --error e.tif {TINY}", "e.tif", 8 * KIB, 0),
    "plot": (f"denoise IN/a.png -o out.png --plot p.png {TINY}", "p.png", 12 * KIB, 0),
    "report": (f"denoise IN/a.png -o out.png --report r.html {TINY}", "r.html", 12 * KIB, 0),
    "samples": (f"denoise IN/a.png -o s.png --samples 2 --steps 2 {TINY}", "s.sample1.png", 8 * KIB, 0),
    "recipe": (f"denoise IN/a.png -o out.png --save-recipe r.toml {TINY}", "r.toml", 0, 0),
    "noise": ("noise IN/a.png -o out.png --force", "out.png", KIB, 0),
    "diffusion": ("diffuse IN/a.png -o out.png --force", "out.png", KIB, 0),
    "movie": ("diffuse IN/a.png -o d.png --movie m.mp4 --force", "m.mp4", KIB, 0),
    "demo": ("demo IN/a.png -o demo.png --force", "demo.png", KIB, 0),
    "tuning": ("tune IN/a.png -o t.toml --method heat --budget 0.3 --force", "t.toml", 0, 0),
    "adapting": (f"adapt IN/a.png -o a.safetensors --budget 0.3 {TINY}", "a.safetensors", KIB, 0),
    "export": ("export tiny-gray -o x.onnx --force", "x.onnx", KIB, 0),
    "training": (f"train IN/a.png -o m.safetensors --model tiny {TRAIN}", "m.safetensors", KIB, 1),
    "experts": ("train IN/a.png -o m.safetensors --model experts --steps 2 --force", "m.safetensors", KIB, 1),
    "frames of a stream": ("stream IN/many --to f --no-follow --model none --force", "f/000000.png", KIB, 0),
}
TOO_LARGE = ("png", "tiff in blocks", "video", "bag", "movie")
"""For which a limit on the size of a file is tried as well: by one kind of writer each."""

needs = {
    "nifti": "nibabel", "nifti, compressed": "nibabel", "dicom": "pydicom", "tiff in blocks": "zarr", "video": "av",
    "movie": "av", "bag": "rosbags", "plot": "matplotlib", "adapting": "torch",
    "training": "torch", "experts": "torch", "export": "onnx",
}  # fmt: skip


def step_of(name, inputs, limit):
    words, file, room, _ = CASES[name]
    return {"words": words.replace("IN", str(inputs)).split(), "old": [file], limit: room}


@pytest.fixture(scope="module")
def answers(series, inputs, tmp_path_factory):
    """By the limit and the case; all cases of a limit are in one process."""

    def answered(limit, names, faults):
        folder = tmp_path_factory.mktemp(limit)
        steps = [step_of(name, inputs, limit) for name in names]
        faults = {"full": [str(folder), SPACE]} if faults else {}
        return dict(zip(names, series(steps, folder, faults), strict=True))

    found = {}

    def of(limit, name):
        if limit not in found:
            found[limit] = answered(limit, list(CASES) if limit == "free" else list(TOO_LARGE), limit == "free")
        return found[limit][name]

    return of


@pytest.mark.parametrize(
    ("limit", "name"), [*(("free", name) for name in CASES), *(("files", name) for name in TOO_LARGE)]
)
def test_one_line_says_it_and_what_was_there_stays(answers, limit, name):
    if name in needs:
        pytest.importorskip(needs[name])
    _, file, _, before = CASES[name]
    said = answers(limit, name)
    assert said.code == 1
    lines = said.err.splitlines()
    assert len(lines) == before + 1, said.err
    assert lines[-1].startswith(f"noiseless: cannot write {file!r}: ")
    assert {"free": "No space left on device; make room", "files": "File too large; "}[limit] in lines[-1]
    assert said.left[file] == OLD
    assert [path for path in said.left if path.rpartition("/")[2].startswith(".")] == []
    assert not any(".parts/" in path for path in said.left)
    assert said.out == "" or name == "frames of a stream"  # which always reports


def test_a_store_and_a_folder_of_a_bag_stay_as_they_were(series, inputs, tmp_path):
    for package in ("zarr", "rosbags"):
        pytest.importorskip(package)
    words = [
        f"denoise {inputs}/s.ome.zarr -o s.ome.zarr {TINY}".split(),
        f"denoise {inputs}/run -o run {TINY}".split(),
    ]
    steps = [
        *({"words": each} for each in words),
        *({"words": [*each, "--strength", "0.9"], "free": 4 * KIB} for each in words),
    ]
    first, before, *full = series(steps, tmp_path, {"full": [str(tmp_path), SPACE]})
    assert (first.code, before.code) == (0, 0)
    for said, name in zip(full, ("s.ome.zarr", "run"), strict=True):
        assert said.code == 1
        assert said.err == f"noiseless: cannot write {name!r}: No space left on device; make room, and run it again\n"
        assert said.left == before.left


def test_a_folder_tells_of_each_and_goes_on_when_there_is_room(series, inputs, tmp_path):
    words = ["denoise", f"{inputs}/many", "-o", "out", *HEAT.split()[:-1]]
    steps = [{"words": words, "free": free} for free in (24 * KIB, 0, SPACE)]
    part, none, rest = series(steps, tmp_path, {"full": [str(tmp_path), SPACE]})
    done = [name for name in part.left if name.endswith(".png")]
    failed = [line for line in part.err.splitlines() if line.startswith("noiseless: cannot write 'out/")]
    assert part.code == 3
    assert 0 < len(done) < 4
    assert len(failed) == 4 - len(done)
    assert all(line.endswith("No space left on device; make room, and run it again") for line in failed)
    assert none.code == 3
    assert "Traceback" not in none.err
    assert {name: none.left[name] for name in done} == {name: part.left[name] for name in done}
    assert rest.code == 0
    assert f"{4 - len(done)} denoised, {len(done)} skipped" in rest.err
    assert sorted(rest.left) == [
        "out/.noiseless/lock", *(f"out/{number}.png" for number in range(4)), "out/manifest.jsonl",
    ]  # fmt: skip


def test_a_run_of_training_that_cannot_be_stored_leaves_what_was_stored_before(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    import numpy as np

    from noiseless.errors import UnwritableFile
    from noiseless.score import TrainingSettings, trained_model

    del torch
    monkeypatch.setattr(trained_model, "STORE_EVERY", 0.0)
    images = [np.random.default_rng(0).random((1, 32, 32)).astype(np.float32)]
    settings = TrainingSettings(steps=6, batch=1, patch=16, precision="float32")
    real, calls = trained_model.save_tensors, []

    def full(*given):
        calls.append(given)
        if len(calls) > 2:
            raise OSError(28, os.strerror(28))
        return real(*given)

    path = tmp_path / "m.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(trained_model, "save_tensors", full)
        with pytest.raises(UnwritableFile, match=r"m\.safetensors\.resume'.*No space left.*make room"):
            list(trained_model.train(images, path, model="tiny", settings=settings))
    assert [each.name for each in tmp_path.iterdir()] == ["m.safetensors.resume"]
    assert [state.step for state in trained_model.train(images, path, model="tiny", settings=settings)] == [3, 4, 5, 6]


def test_standard_output_and_error_that_take_nothing(noiseless_run, inputs, tmp_path):
    with open("/dev/full", "wb") as full:
        to = {"capture_output": False, "stdout": full, "stderr": subprocess.PIPE}
        said = noiseless_run("denoise", inputs / "a.png", "-o", "-", *HEAT.split(), cwd=tmp_path, **to)
        assert (said.code, said.err.count("\n")) == (1, 1)
        assert said.err.startswith("noiseless: cannot write to standard output: No space left on device; make room")
        said = noiseless_run("denoise", inputs / "a.png", "-o", "a.png", *HEAT.split(), "--json", cwd=tmp_path, **to)
        assert (said.code, "Traceback" in said.err) == (1, False)
        assert "cannot write what is to be said: No space left" in said.err
        assert (tmp_path / "a.png").is_file(), "the result is whole, though it could not be told of"
