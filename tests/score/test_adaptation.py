import numpy as np
import pytest

torch = pytest.importorskip("torch")

from noiseless.errors import InvalidImage  # noqa: E402
from noiseless.score import adaptation, load_model  # noqa: E402
from noiseless.score.adaptation import adapt_gains  # noqa: E402
from noiseless.score.checkpoint import Checkpoint  # noqa: E402
from noiseless.score.engines.torch_engine import build_network  # noqa: E402

SIGMA = np.full((1, 1, 1), 0.1, np.float32)


def scene(rng, size=128):
    rows, columns = np.mgrid[0:size, 0:size]
    clean = (0.5 + 0.2 * np.sin(rows / 9.0) * np.cos(columns / 7.0))[np.newaxis].astype(np.float32)
    return clean, clean + SIGMA * rng.standard_normal(clean.shape).astype(np.float32)


def spoiled(checkpoint, by):
    """The same network, the noise that it finds made ``by`` times as large."""
    kernels = dict(checkpoint.kernels)
    kernels["tail.weight"] = np.float32(by) * kernels["tail.weight"]
    return Checkpoint(checkpoint.shape, kernels, checkpoint.card)


def error(checkpoint, clean, noisy):
    with torch.no_grad():
        found = build_network(checkpoint)(torch.from_numpy(noisy)[None], torch.full((1, *noisy.shape), 0.1))
    return float(np.mean((noisy - found.numpy()[0] - clean) ** 2))


@pytest.fixture(scope="module")
def tiny():
    return load_model("tiny", 1)


def test_a_network_that_fits_badly_learns_from_the_noisy_image_alone(tiny, rng):
    clean, noisy = scene(rng, 256)
    start = spoiled(tiny, 0.6)
    adapted = adapt_gains(start, [noisy], [SIGMA], seconds=600.0)
    before, after = error(start, clean, noisy), error(adapted.checkpoint, clean, noisy)
    assert adapted.share > 0.0
    assert adapted.fall > 2.0 * adapted.standard_error
    # Two fifths of the noise were left in, 0.16 of its variance; most of it goes.
    assert after < 0.4 * before
    # The held-out fall is that of the true error but for its chance (and what differs between the halves).
    assert abs(adapted.fall - (before - after) / 0.01) < 4.0 * adapted.standard_error + 0.02


def test_a_network_that_was_given_its_best_gains_is_left_alone(tiny, rng, monkeypatch):
    _, noisy = scene(rng)
    monkeypatch.setattr(adaptation, "RATE", 0.5)  # leads astray
    adapted = adapt_gains(tiny, [noisy], [SIGMA], seconds=600.0)
    assert adapted.share == 0.0
    assert adapted.fall == 0.0
    assert adapted.checkpoint is tiny
    assert list(adapted.risks) == [0.0, *adaptation.SHARES]


def test_what_is_drawn_follows_from_the_seed(tiny, rng, monkeypatch):
    monkeypatch.setattr(adaptation, "STEPS", 10)
    monkeypatch.setattr(adaptation, "fastest_precision", lambda *_: "float32")
    _, noisy = scene(rng)
    risks = [adapt_gains(spoiled(tiny, 0.8), [noisy], [SIGMA], seconds=600.0, seed=seed).risks for seed in (1, 1, 2)]
    assert risks[0] == risks[1]
    assert risks[0] != risks[2]


def test_pixels_without_noise_teach_nothing(tiny, rng, monkeypatch):
    monkeypatch.setattr(adaptation, "STEPS", 4)
    _, noisy = scene(rng)
    adapted = adapt_gains(tiny, [noisy], [np.zeros((1, 1, 1), np.float32) + 0.1 * (np.arange(128) > 64)], seconds=600.0)
    assert all(np.isfinite(risk) for risk in adapted.risks.values())
    with pytest.raises(InvalidImage, match="nothing can be held out"):
        adapt_gains(tiny, [noisy], [np.zeros((1, 1, 1), np.float32)], seconds=600.0)
    with pytest.raises(InvalidImage, match="nothing can be held out"):
        adapt_gains(tiny, [noisy[:, :12, :12]], [SIGMA], seconds=600.0)
