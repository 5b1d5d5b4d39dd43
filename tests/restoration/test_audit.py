import json

import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.image import from_array
from noiseless.noise import Correlated, Gaussian, NoiseEstimate, PoissonGaussian, Rician, SaltAndPepper, gaussian_kernel
from noiseless.restoration import Recipe, restore
from noiseless.restoration.audit import audit_of

SIDE = 160


def scene():
    """Smooth shading, an edge, and a fine grating."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    clean = 100.0 + 0.3 * rows + 60.0 * (columns > 80)
    return clean + np.where(rows > 110, 25.0 * np.sin(columns), 0.0)


def noisy_scene(rng, sigma=20.0):
    clean = scene()
    return clean, clean + sigma * rng.standard_normal(clean.shape)


def test_a_good_result_has_no_verdicts(rng):
    _, noisy = noisy_scene(rng)
    restored = restore(noisy, sigma=20)
    assert restored.audit.verdicts == ()
    assert not restored.audit.structure.found
    assert restored.audit.risk is None
    assert restored.report["audit"]["structure"]["found"] is False


def test_structure_that_went_with_the_noise_is_told(rng):
    _, noisy = noisy_scene(rng)
    restored = restore(noisy, Recipe("heat:time=4"), sigma=20)
    assert restored.audit.structure.found
    # the edge and the grating
    worst = np.argwhere(restored.audit.structure.z[:6] > restored.audit.structure.limit)
    assert {int(column) for _, column in worst} <= {4, 5}
    assert any("structure" in warning for warning in restored.report["warnings"])


def test_correlated_noise_said_to_be_white_is_told(rng):
    noise = Correlated(20.0, gaussian_kernel(1.0))
    noisy = noise.sample(scene()[np.newaxis], rng)[0]
    restored = restore(noisy, Recipe("heat:time=1"), sigma=20)
    assert restored.audit.neighbours > restored.audit.neighbours_limit
    assert restore(noisy, noise=noise).audit.structure is None


@pytest.mark.parametrize("method", ["score", "total-variation", "non-local-means"])
def test_the_predicted_psnr_holds(rng, method):
    clean, noisy = noisy_scene(rng)
    restored = restore(noisy, Recipe(method, predict=True), sigma=20)
    mse = np.mean((restored.image - clean) ** 2)
    risk = restored.audit.risk
    assert abs(risk.mse - mse) < 4 * risk.standard_error
    found = restored.report["audit"]
    low, high = found["predicted_psnr_interval"]
    # An error below what the chance of the risk can resolve leaves the interval open above.
    assert (high is None) == (risk.mse < 1.96 * risk.standard_error)
    assert low < found["predicted_psnr"] < (np.inf if high is None else high)
    assert found["predicted_rmse"] ** 2 == pytest.approx(risk.mse)
    assert found["data_range"] == pytest.approx(np.ptp(restored.image), rel=1e-5)


def test_it_holds_for_photon_noise_in_stored_units(rng):
    noise = PoissonGaussian(2.0, 5.0)
    clean = scene()
    noisy = noise.sample(clean[np.newaxis], rng)[0]
    restored = restore(noisy, Recipe(predict=True), noise=noise)
    risk = restored.audit.risk
    assert abs(risk.mse - np.mean((restored.image - clean) ** 2)) < 4 * risk.standard_error
    assert not restored.audit.structure.found


def test_an_estimated_sigma_widens_the_interval(rng):
    _, noisy = noisy_scene(rng)
    widened = {}
    for method in ("score", "total-variation"):
        told, found = (restore(noisy, Recipe(method, predict=True), sigma=sigma).audit.risk for sigma in (20, None))
        widened[method] = found.standard_error / told.standard_error
    # Where the Jacobian tells the error too, less depends on sigma.
    assert 1.0 < widened["score"] < widened["total-variation"]
    assert widened["total-variation"] > 1.2


@pytest.mark.parametrize(("told", "wrong"), [(14.0, True), (20.0, False), (21.0, False), (28.0, True)])
def test_noise_that_is_not_as_strong_as_was_said_is_told(rng, told, wrong):
    _, noisy = noisy_scene(rng)
    audit = restore(noisy, Recipe("total-variation", predict=True), sigma=told).audit
    assert any("not" in verdict and "as was said" in verdict for verdict in audit.verdicts) == wrong


def test_prediction_is_refused_where_it_would_mislead(rng):
    noisy = Correlated(20.0, gaussian_kernel(1.0)).sample(scene()[np.newaxis], rng)[0]
    with pytest.raises(InvalidParameter, match="not white"):
        restore(noisy, Recipe(predict=True), sigma=20)
    with pytest.raises(InvalidParameter, match="measured"):
        restore(scene(), Recipe(predict=True), noise=SaltAndPepper(0.1))


def test_values_cut_off_at_the_end_of_their_range_are_told(rng):
    _, noisy = noisy_scene(rng, 60.0)
    restored = restore(np.clip(noisy, 0, 200).round().astype(np.uint8), sigma=60)
    assert restored.audit.clipped > 0.05
    assert any("piled up" in verdict for verdict in restored.audit.verdicts)


def test_what_changes_nothing_is_told(rng):
    _, noisy = noisy_scene(rng)
    restored = restore(noisy, Recipe("heat:time=0"), noise=Gaussian(20.0))
    assert restored.report["audit"]["removed_over_noise"] < 0.01
    assert any("0.00 times" in verdict for verdict in restored.audit.verdicts)


def test_the_summary_is_plain(rng):
    _, noisy = noisy_scene(rng)
    for recipe in (Recipe(predict=True), Recipe("heat")):
        summary = restore(noisy, recipe, sigma=20).report["audit"]
        assert json.loads(json.dumps(summary)) == summary


def test_a_background_that_was_set_to_zero_is_no_structure(rng):
    clean = 200 + 50 * np.sin(np.mgrid[0:128, 0:128][0] / 12)
    noisy = Rician(15.0).sample(clean[np.newaxis], rng)[0]
    noisy[:, :60] = 0.0
    audit = restore(noisy, noise=Rician(15.0)).audit
    assert audit.clipped > 0.4
    assert not audit.structure.found


@pytest.mark.parametrize(("confidence", "guessed"), [(0.05, True), (0.15, False), (1.0, False)])
def test_a_guess_is_called_a_guess(rng, confidence, guessed):
    clean, noisy = noisy_scene(rng)
    image = from_array(noisy)
    pixels = from_array(clean).in_stored_units().astype(np.float32)
    noise = NoiseEstimate(Gaussian(20.0), confidence, "for this test")
    audit = audit_of(image, (pixels - image.offset) / image.scale, noise, Recipe(), None)
    assert any("guessed" in verdict for verdict in audit.verdicts) == guessed


def test_content_unlike_what_was_learned_is_told(rng):
    clean = np.kron(scene(), np.ones((2, 2)))
    noise = rng.normal(0.0, 20.0, clean.shape)
    usual = restore(clean + noise, Recipe(predict=True), sigma=20.0).audit
    assert not any("unlike" in verdict for verdict in usual.verdicts)
    # A surface that varies from pixel to pixel looks like noise to the network, which cannot know what it took away.
    grain = clean + rng.normal(0.0, 8.0, clean.shape)
    audit = restore(grain + noise, Recipe(predict=True), sigma=20.0).audit
    assert any("unlike" in verdict for verdict in audit.verdicts)
    assert audit.risk.over_own[0] > 2.0
