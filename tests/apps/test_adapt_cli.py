"""``noiseless adapt``, and what ``denoise --model`` makes of it."""

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from noiseless.apps.cli import main
from noiseless.score import adaptation


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    rows, columns = np.mgrid[0:80, 0:96]
    clean = 110 + 60 * np.sin(rows / 9) * np.cos(columns / 7)
    noisy = np.clip(np.rint(clean + 20 * rng.standard_normal(clean.shape)), 0, 255)
    Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(adaptation, "STEPS", 5)
    return tmp_path


def run(capfd, *arguments):
    code = main(list(map(str, arguments)))
    return code, *capfd.readouterr()


def test_the_result_is_a_model_for_denoise(folder, capfd):
    code, out, err = run(capfd, "adapt", "a.png", "-s", 20, "--model", "tiny", "-o", "mine.safetensors")
    assert code == 0
    assert err == ""
    assert out.startswith("mine.safetensors: ")
    assert run(capfd, "denoise", "a.png", "-s", 20, "--model", "mine.safetensors", "-o", "out.png")[0] == 0
    changed = np.asarray(Image.open("out.png")).astype(float) - np.asarray(Image.open("a.png"))
    assert 15 < changed.std() < 25


def test_machines_are_told_what_was_judged(folder, capfd):
    options = ("-s", 20, "--model", "tiny", "-o", "mine.safetensors", "--json")
    told = json.loads(run(capfd, "adapt", "a.png", *options)[1])
    assert told["model"] == "mine.safetensors"
    assert told["steps"] == 5
    assert [entry["share"] for entry in told["risks"]] == [0.0, *adaptation.SHARES]
    assert told["cross_validated"]
    code, _, err = run(capfd, "adapt", "a.png", *options)
    assert code == 1
    assert "exists; replace it with --force" in err
    assert run(capfd, "adapt", "a.png", *options, "--force")[0] == 0
