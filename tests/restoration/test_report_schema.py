import json
from importlib import resources

import jsonschema
import numpy as np
import pytest

import noiseless
from noiseless.noise import Gaussian, PoissonGaussian, SaltAndPepper
from noiseless.restoration import Recipe, choosing

SCHEMA = json.loads((resources.files("noiseless.restoration") / "report.schema.json").read_text(encoding="utf-8"))


def check(report):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(json.dumps(report, allow_nan=False)), SCHEMA)


@pytest.mark.parametrize(
    ("recipe", "noise"),
    [
        (Recipe("heat"), Gaussian(20.0)),
        (Recipe("heat", predict=True), Gaussian(20.0)),
        (Recipe("score", "tiny", bound=3.0, strength=0.5), Gaussian(np.linspace(10.0, 30.0, 64).reshape(1, 1, 64))),
        (Recipe("score", "tiny", predict=True), Gaussian(1e-3)),
        (Recipe("score", "tiny", samples=1, steps=2), Gaussian(20.0)),
        (Recipe("ensemble", members=("heat", "total-variation")), Gaussian(20.0)),
        (Recipe("score", "tiny"), PoissonGaussian(2.0, 3.0)),
        (Recipe("score", "tiny"), SaltAndPepper(0.1)),
        (Recipe("score", "tiny"), None),
        (Recipe(budget_s=3.0), Gaussian(20.0)),
    ],
)
def test_every_report_is_of_the_schema(rng, monkeypatch, recipe, noise):
    monkeypatch.setattr(choosing, "CANDIDATES", {"heat": 0.01, "total-variation": 1000.0})
    rows, columns = np.mgrid[0:64, 0:64]
    image = 120.0 + 50.0 * np.sin(rows / 6.0) * np.cos(columns / 9.0) + 20.0 * rng.standard_normal((64, 64))
    check(noiseless.restore(np.abs(image), recipe, noise=noise).report)


def test_the_command_line_prints_such_a_report(tmp_path, rng, capfd):
    path = tmp_path / "a.tif"
    noiseless.write(noiseless.from_array((100 + 20 * rng.standard_normal((48, 48))).astype(np.float32)), path)
    from noiseless.apps.cli import main

    assert main(["denoise", str(path), "-m", "heat", "-o", str(tmp_path / "b.tif"), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert {told.pop("input"), told.pop("output")} == {str(path), str(tmp_path / "b.tif")}
    check(told)
