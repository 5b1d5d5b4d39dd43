"""One step of the recursion: its weights, its tests, and that both forms agree."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from noiseless.restoration.temporal.fusion import CHANGED, differences, surprise, typical_sizes
from noiseless.restoration.temporal.fusion import fused as fused_step

ONE = np.ones(1, np.float32)


FIVE = np.ones(5, np.float32)


def fused(frame, predicted, variance, sigma, hidden, memory, sizes=FIVE):
    statistics = differences(frame, predicted, variance, sigma)
    return fused_step(frame, predicted, variance, statistics, hidden, sizes, memory=memory)


def plane(value, shape=(64, 80)):
    return np.full(shape, value, np.float32)


def test_where_nothing_changed_the_weights_are_those_of_a_mean(rng):
    frame = rng.standard_normal((1, 64, 80)).astype(np.float32)
    predicted = (rng.standard_normal((1, 64, 80)) * 0.5).astype(np.float32)
    result = fused(frame, predicted, plane(0.25), ONE, plane(0.0), 100.0)
    calm = result.variance < 0.2001
    # K = 0.25 / 1.25 = 0.2; (0.8 * 0.25 + 0.2 * 1) leaves the harmonic 1 / (1 + 4) of the variance.
    assert calm.mean() > 0.9
    assert np.median(result.variance) == pytest.approx(0.2, rel=1e-5)
    # A gain that a test has raised by a little leaves nearly the same variance: (K - 0.2)^2 = 0.8 (v' - 0.2).
    assert result.mean[0][calm] == pytest.approx((predicted + 0.2 * (frame - predicted))[0][calm], abs=0.01 * 6)


def test_the_gain_has_a_floor(rng):
    frame = rng.standard_normal((1, 64, 80)).astype(np.float32)
    result = fused(frame, np.zeros_like(frame), plane(0.0), ONE, plane(0.0), 10.0)
    assert np.median(result.variance) == pytest.approx(0.1**2, rel=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_tests_are_standard_normal_where_nothing_changed(channels, rng):
    difference = rng.standard_normal((channels, 400, 400)).astype(np.float32)
    largest = surprise(np.stack([np.mean(difference**2, axis=0), np.mean(difference, axis=0)]), channels, FIVE, np)
    # Beyond 2.5 deviations lie 1.2 % of a normal number's two tails, three times, and 1.5 % of the upper tail of a
    # chi-square of 25 degrees of freedom: 5.2 % if all were apart; wide squares
    # hold few independent means: a tenth more.
    assert 0.02 < np.mean(largest > 2.5) < 0.065
    assert np.mean(largest > CHANGED) < 0.002


@pytest.mark.parametrize(("side", "contrast"), [(3, 4.0), (15, 0.5)])
def test_large_faint_and_small_strong_changes_are_both_seen(side, contrast, rng):
    frame = rng.standard_normal((1, 64, 80)).astype(np.float32)
    frame[:, 30 : 30 + side, 40 : 40 + side] += contrast
    result = fused(frame, np.zeros_like(frame), plane(0.05), ONE, plane(0.0), 25.0)
    assert result.variance[30 + side // 2, 40 + side // 2] > 0.9


def test_what_has_no_past_is_taken_from_the_frame(rng):
    frame = rng.standard_normal((3, 20, 24)).astype(np.float32)
    result = fused(
        frame, np.zeros_like(frame), plane(1e9, (20, 24)), np.ones(3, np.float32), plane(0.0, (20, 24)), 25.0
    )
    np.testing.assert_allclose(result.mean, frame, atol=1e-6)
    np.testing.assert_allclose(result.variance, 1.0, rtol=1e-5)


def test_a_hidden_change_is_allowed_for(rng):
    frame = rng.standard_normal((1, 64, 80)).astype(np.float32)
    openly, doubted = (
        fused(frame, np.zeros_like(frame), plane(0.1), ONE, plane(hidden), 25.0).variance.mean()
        for hidden in (0.0, 1.0)
    )
    assert doubted > openly


def test_noise_that_is_tied_together_is_no_change(rng):
    difference = gaussian_filter(rng.standard_normal((1, 320, 400)), (0, 1.5, 1.5))
    difference = (difference / difference.std()).astype(np.float32)
    nothing = np.zeros_like(difference)
    statistics = differences(difference, nothing, nothing[0], ONE)
    sizes = typical_sizes(statistics, 1)
    # Neighbours 1.5 pixels apart share the noise: means over 7x7 pixels hold few independent ones.
    assert sizes[3] > 3.0
    for given, share in ((FIVE, (0.1, 1.0)), (sizes.astype(np.float32), (0.0, 0.02))):
        result = fused_step(difference, nothing, nothing[0], statistics, nothing[0], given, memory=25.0)
        assert share[0] <= result.changed <= share[1]


@pytest.mark.parametrize("channels", [1, 3])
def test_independent_noise_has_sizes_of_one(channels, rng):
    noise = rng.standard_normal((channels, 400, 500)).astype(np.float32)
    statistics = differences(noise, np.zeros_like(noise), noise[0] * 0, np.ones(channels, np.float32))
    # Medians of 800 places: 1.25 / sqrt(800) of the deviation, 0.67 of which is the median: 7 %; three of these, and
    # the skewness of the energy.
    assert typical_sizes(statistics, channels) == pytest.approx(np.ones(5), abs=0.25)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("shape", [(40, 50), (1, 1), (3, 20)])
def test_the_plain_form_equals_the_compiled_one(channels, shape, rng):
    torch = pytest.importorskip("torch")
    frame = rng.standard_normal((channels, *shape)).astype(np.float32)
    predicted = (rng.standard_normal((channels, *shape)) * 0.7).astype(np.float32)
    others = [
        rng.random(shape).astype(np.float32),
        (1 + rng.random(channels)).astype(np.float32),
        rng.random(shape).astype(np.float32),
    ]
    compiled = fused(frame, predicted, *others, 25.0)
    tensors = list(map(torch.from_numpy, (frame, predicted, *others)))
    plain = fused(*tensors, 25.0)
    sizes = typical_sizes(differences(frame, predicted, *others[:2]), channels)
    assert typical_sizes(differences(*tensors[:4]), channels) == pytest.approx(sizes, rel=1e-4)
    np.testing.assert_allclose(plain.mean.numpy(), compiled.mean, atol=1e-4)
    np.testing.assert_allclose(plain.variance.numpy(), compiled.variance, atol=1e-4)
    assert plain.changed == pytest.approx(compiled.changed, abs=1.5 / np.prod(shape))
