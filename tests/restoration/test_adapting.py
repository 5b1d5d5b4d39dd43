import numpy as np
import pytest

pytest.importorskip("torch")

import noiseless
from noiseless.errors import InvalidParameter, UnwritableFile
from noiseless.noise import Correlated, PoissonGaussian, gaussian_kernel
from noiseless.restoration import Recipe
from noiseless.score import adaptation

SIGMA = 20.0


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(adaptation, "STEPS", 6)


def noisy(rng, shape=(96, 96)):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    clean = 120.0 + 50.0 * np.sin(rows / 6.0) * np.cos(columns / 9.0)
    return clean + SIGMA * rng.standard_normal(shape)


def test_the_checkpoint_is_a_model_like_any_other(tmp_path, rng, few_steps):
    image = noisy(rng)
    adapted = noiseless.adapt(image, tmp_path / "mine.safetensors", sigma=SIGMA, model="tiny")
    assert adapted.changed == (adapted.gain.fall > 0.0)
    denoised = noiseless.restore(image, Recipe(model=str(adapted.path)), sigma=SIGMA).image
    assert np.std(denoised - image) > 0.9 * SIGMA
    assert noiseless.score.load(adapted.path).card["adapted"] == {
        "from": "tiny",
        "images": 1,
        "steps": 6,
        "share": adapted.share,
    }


@pytest.mark.parametrize("channels", [2, 3])
def test_colour_and_other_channels(tmp_path, rng, few_steps, channels):
    image = np.stack([noisy(rng) for _ in range(channels)], axis=-1)
    adapted = noiseless.adapt(image, tmp_path / "a.safetensors", sigma=SIGMA, channel_axis=-1, model="tiny")
    assert noiseless.score.load(adapted.path).shape.channels == (3 if channels == 3 else 1)


def test_photons_volumes_and_several_images(tmp_path, rng, few_steps):
    law = PoissonGaussian(2.0, 3.0)
    volume = law.sample(np.full((3, 64, 64), 90.0), rng)
    adapted = noiseless.adapt([volume, noisy(rng)], tmp_path / "a.safetensors", noise=law, model="tiny")
    assert adapted.images == 2


def test_wrong_use_is_refused_and_nothing_is_written(tmp_path, rng):
    image, path = noisy(rng), tmp_path / "a.safetensors"
    colour = np.stack([image] * 3)
    law = Correlated(SIGMA, gaussian_kernel(1.0))
    correlated = 100.0 + law.sample(np.zeros((1, 96, 96), np.float32), rng)[0]
    for given, words in [
        ({"model": "camera"}, "finds the noise for itself"),
        ({"budget_s": 0.0}, "give some seconds"),
        ({"side": 16}, "64 pixels or more"),
        ({"images": [noiseless.from_array(colour, channel_axis=0), image]}, "networks of their own"),
        ({"images": []}, "no image"),
        ({"images": correlated, "sigma": None, "noise": law}, "cannot be adapted to one"),
        ({"images": correlated}, "not white"),
        ({"output": tmp_path / "a.png"}, "ends in .safetensors"),
    ]:
        settings = {"images": image, "output": path, "sigma": SIGMA, **given}
        with pytest.raises(InvalidParameter, match=words):
            noiseless.adapt(settings.pop("images"), settings.pop("output"), **settings)
    assert not path.exists()
    path.touch()
    with pytest.raises(UnwritableFile, match="exists"):
        noiseless.adapt(image, path, sigma=SIGMA)
