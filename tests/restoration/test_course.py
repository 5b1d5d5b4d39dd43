"""What a restoration tells of its way."""

import numpy as np
import pytest

import noiseless

CLEAN = np.tile(np.linspace(40, 200, 96), (80, 1))
NOISY = np.clip(np.rint(CLEAN + 20 * np.random.default_rng(0).standard_normal(CLEAN.shape)), 0, 255).astype(np.uint8)

REMOVING = "removing the noise"


def told(recipe=None, noisy=NOISY, **keywords):
    steps = []
    noiseless.restore(
        noisy, recipe or noiseless.Recipe(), progress=lambda share, text: steps.append((share, text)), **keywords
    )
    return steps


def check(steps):
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == pytest.approx(1.0)
    return steps


def test_every_stage_is_told_in_its_order():
    recipe = noiseless.Recipe(error=True, predict=True, samples=2, steps=4)
    words = [text for _, text in check(told(recipe, sigma=20.0))]
    assert list(dict.fromkeys(words)) == [
        "finding the noise",
        REMOVING,
        "measuring the error",
        "drawing samples",
        "predicting the PSNR",
    ]


def test_within_a_stage_tile_after_tile_is_told():
    noisy = np.tile(NOISY, (4, 3))
    within = [share for share, text in check(told(noiseless.Recipe(tile=64), noisy, sigma=20.0)) if text == REMOVING]
    assert len(set(within)) > 4


def test_slices_of_a_volume_are_told(monkeypatch):
    monkeypatch.setattr("noiseless.score.network_denoiser.LARGEST_BATCH", NOISY.size)
    within = [share for share, text in told(noisy=np.stack([NOISY] * 5), sigma=20.0) if text == REMOVING]
    assert within[1:5] == pytest.approx([0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize("method", ["cosine-shrinkage", "non-local-means", "experts", "edge-enhancing"])
def test_every_method_ends_at_the_whole(method):
    check(told(noiseless.Recipe(method=method), sigma=20.0))


def test_correlated_noise_takes_several_passes():
    noise = noiseless.noise.parse_noise("correlated:sigma=20,width=1")
    within = [share for share, text in check(told(noise=noise)) if text == REMOVING]
    assert len(set(within)) > 4
    assert within[1] <= 0.2


def test_an_exception_of_the_listener_ends_the_work():
    def cancel(share, text):
        if text == "measuring the error" and share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        noiseless.restore(NOISY, noiseless.Recipe(error=True), sigma=20.0, progress=cancel)
    assert noiseless.denoise(NOISY, sigma=20.0).shape == NOISY.shape, "nobody listens any more"


def test_ranges_of_levels_count_as_one_pass():
    noisy = (50.0 * CLEAN + np.random.default_rng(1).standard_normal(CLEAN.shape)).astype(np.float32)
    within = [share for share, text in check(told(noisy=noisy, sigma=1.0)) if text == REMOVING]
    steps = np.diff(within[:-2])
    assert len(steps) > 3, "the contrast asks for ranges"
    assert steps == pytest.approx(np.full(len(steps), steps[0]))
