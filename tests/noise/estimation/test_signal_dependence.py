"""The fits on scatters that are made by their own law, and the choice of a law on images."""

import math

import numpy as np
import pytest
from PIL import Image

from noiseless.noise.estimation.intensity_scatter import Scatter, scatter
from noiseless.noise.estimation.signal_dependence import fit_signal_dependence, mixture
from noiseless.noise.srgb import light_of, steepness

LEVELS = np.linspace(0.05, 0.9, 24)
ERROR = 0.06


def exact(variances, levels=LEVELS, error=ERROR):
    return Scatter(levels, variances, error * variances, 0.0, 1.0)


def drawn(variances, rng, levels=LEVELS, error=ERROR):
    """Scaled chi-squares with 2 / error^2 degrees of freedom."""
    half = 1 / error**2
    return exact(variances * rng.gamma(half, 1 / half, len(levels)), levels, error)


def test_exact_variances_give_the_parameters_back_exactly():
    assert fit_signal_dependence(exact(np.full(24, 0.04))).sigma == pytest.approx(0.2, rel=1e-6)
    affine = fit_signal_dependence(exact(0.02 * LEVELS + 0.03**2))
    assert affine.gain == pytest.approx(0.02, rel=1e-5)
    assert affine.read_sigma == pytest.approx(0.03, rel=1e-5)
    assert affine.offset == 0
    # The mean of 64 pixels is uncertain too: E mean^2 = m^2 (1 + 1 / (64 looks)).
    speckle = fit_signal_dependence(exact(LEVELS**2 / 5 / (1 + 1 / (64 * 5))))
    assert speckle.looks == pytest.approx(5, rel=1e-5)


@pytest.mark.parametrize(
    ("law", "variances"),
    [
        ("constant", np.full(24, 0.04)),
        ("affine", 0.02 * LEVELS + 0.03**2),
        ("affine", 0.02 * LEVELS),
        ("quadratic", LEVELS**2 / 5),
        ("smooth", 0.01 * np.exp(-8 * (LEVELS - 0.4) ** 2)),
        ("smooth", 0.02 * (1.1 - LEVELS)),
    ],
)
def test_the_law_that_made_the_variances_is_named(law, variances, rng):
    found = [fit_signal_dependence(drawn(variances, rng)) for _ in range(20)]
    # The margins are above 10 nats or so; of constant noise one in fifty lies beyond them.
    assert sum(dependence.law == law for dependence in found) >= 18
    fit = found[0].fits[law]
    # Mean of 24 squared residuals, expected 1 (less the coefficients): standard error sqrt(2 / 24) = 0.29.
    assert np.mean([dependence.fits[law].misfit for dependence in found]) == pytest.approx(1, abs=0.3)
    assert fit.raised < 6


@pytest.mark.parametrize(("gain", "read"), [(0.01, 0.005), (0.002, 0.01), (0.01, 0.0)])
def test_the_affine_law_of_light_is_found_behind_the_curve(gain, read, rng):
    light = light_of(LEVELS)
    variances = steepness(light) ** 2 * (gain * light + read**2)
    fitted = fit_signal_dependence(exact(variances), 1.0).fits["light"].coefficients
    assert fitted == pytest.approx([read**2, gain], rel=1e-5, abs=1e-9)
    found = [fit_signal_dependence(drawn(variances, rng), 1.0).law for _ in range(20)]
    assert found.count("light") >= 18
    assert fit_signal_dependence(exact(variances)).law != "light"  # no white, no curve


def test_where_light_is_a_law_the_others_are_named_as_before(rng):
    for law, variances in (("constant", np.full(24, 0.04)), ("affine", 0.02 * LEVELS), ("quadratic", LEVELS**2 / 5)):
        found = [fit_signal_dependence(drawn(variances, rng), 1.0).law for _ in range(20)]
        assert found.count(law) >= 17


def test_the_stated_errors_are_those_of_repeated_fits(rng):
    found = [fit_signal_dependence(drawn(0.02 * LEVELS + 0.05**2, rng)) for _ in range(100)]
    # A standard deviation of 100 draws is known to 1 / sqrt(200) = 7 %; groups wrongly taken for texture add a little.
    for name, truth in (("gain", 0.02), ("read_sigma", 0.05)):
        values = np.array([getattr(dependence, name) for dependence in found])
        stated = np.mean([getattr(dependence, f"{name}_error") for dependence in found])
        assert values.std() == pytest.approx(stated, rel=0.25)
        assert abs(values.mean() - truth) < 4 * stated / 100**0.5 + 0.2 * stated


def test_texture_in_some_groups_does_not_change_the_fit(rng):
    clean = drawn(0.02 * LEVELS + 0.05**2, rng)
    factor = np.ones(24)
    factor[[3, 10, 17, 22]] = 3.0, 1.8, 8.0, 2.5
    spoiled = fit_signal_dependence(exact(clean.variances * factor))
    reference = fit_signal_dependence(clean)
    assert spoiled.law == "affine"
    assert abs(spoiled.gain - reference.gain) < 1.5 * reference.gain_error
    assert spoiled.fits["affine"].raised == pytest.approx(4, abs=1)


def test_a_narrow_range_of_levels_cannot_tell_speckle_from_constant_noise(rng):
    levels = np.linspace(0.500, 0.502, 24)
    for _ in range(5):
        dependence = fit_signal_dependence(drawn(levels**2 / 10, rng, levels))
        assert dependence.law == "unknown"
        assert dependence.confidence < 0.75
        assert dependence.sigma == pytest.approx(0.501 / 10**0.5, rel=0.05)


def test_a_pedestal_is_the_least_offset_that_explains_the_line():
    dependence = fit_signal_dependence(exact(0.02 * (LEVELS - 0.03)))
    assert dependence.law == "affine"
    assert dependence.read_sigma == 0
    assert dependence.offset == pytest.approx(0.03, rel=1e-3)
    assert 0 < dependence.read_sigma_error < 0.05


def test_units_scale_the_parameters():
    variances = 0.02 * LEVELS + 0.03**2
    one = fit_signal_dependence(exact(variances))
    large = fit_signal_dependence(Scatter(1e4 * LEVELS, 1e8 * variances, 1e8 * ERROR * variances, 0.0, 1.0))
    assert large.law == one.law
    assert large.gain == pytest.approx(1e4 * one.gain, rel=1e-6)
    assert large.read_sigma == pytest.approx(1e4 * one.read_sigma, rel=1e-6)
    assert large.looks == pytest.approx(one.looks, rel=1e-6)
    assert large.confidence == pytest.approx(one.confidence, abs=1e-4)


def test_levels_without_noise_are_left_out_and_no_noise_is_no_law():
    variances = np.where(LEVELS > 0.2, 0.02 * LEVELS, 0.0)
    assert fit_signal_dependence(exact(variances)).gain == pytest.approx(0.02, rel=1e-3)
    for silent in (exact(np.zeros(24)), exact(np.ones(3), LEVELS[:3]), exact(np.zeros(0), np.zeros(0))):
        dependence = fit_signal_dependence(silent)
        assert dependence.law == "unknown"
        assert dependence.confidence == 0
        assert math.isnan(dependence.gain)


def test_the_density_of_a_variance_integrates_to_one_where_it_is_not_raised():
    logs = np.linspace(-3, 3, 20_001)
    clean, _ = mixture(np.exp(logs), np.ones(20_001), np.full(20_001, 12.5))
    density = [np.exp(mixture(np.exp(x), np.ones(1), np.full(1, 12.5))[1]) for x in logs[:: 20_000 // 2000, None]]
    # 90 % gamma, and 10 % uniform over log 30 = 3.4, of which [0, 3] is in sight.
    assert np.trapezoid(density, logs[::10]) == pytest.approx(0.9 + 0.1 * 3 / np.log(30), abs=2e-3)
    assert np.all(clean[logs <= 0] == 1)
    assert clean[-1] < 1e-9


def poisson_gaussian(clean, gain, sigma, rng):
    return gain * rng.poisson(clean / gain) + sigma * rng.standard_normal(clean.shape)


@pytest.mark.parametrize("looks", [1, 4, 30])
def test_speckle_over_a_ramp_gives_its_looks(looks, rng):
    clean = np.broadcast_to(np.linspace(10, 200, 320), (256, 320))
    found = fit_signal_dependence(scatter(clean * rng.gamma(looks, 1 / looks, clean.shape)))
    assert found.law == "quadratic"
    # Low and high band of skewed noise are not independent, which at one look makes calm patches calmer: 4 %.
    assert found.looks == pytest.approx(looks, rel=0.04 + 4 * found.looks_error / looks)


@pytest.mark.shared
def test_photographs_in_linear_light_show_gain_and_read_noise(shared_data, rng):
    files = sorted((shared_data / "eval" / "CID22val").glob("*.png"))[::8]
    errors, laws = [], {"affine": 0, "constant": 0, "quadratic": 0}
    for file in files:
        encoded = np.asarray(Image.open(file).convert("L"), dtype=float) / 255
        clean = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
        mixed = fit_signal_dependence(scatter(poisson_gaussian(clean, 0.01, 0.03, rng)))
        errors.append([mixed.gain / 0.01 - 1, mixed.read_sigma / 0.03 - 1])
        white = fit_signal_dependence(scatter(encoded + 0.1 * rng.standard_normal(clean.shape)))
        speckled = fit_signal_dependence(scatter(encoded * rng.gamma(4, 1 / 4, clean.shape)))
        for law, found in (("affine", mixed), ("constant", white), ("quadratic", speckled)):
            laws[law] += found.law == law
    assert np.all(np.median(np.abs(errors), axis=0) < 0.1)
    assert min(laws.values()) >= len(files) - 1
