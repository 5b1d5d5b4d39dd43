"""The predicted error of large images, by windows of them."""

import numpy as np
import pytest

from noiseless import Recipe, psnr, restore
from noiseless.image import from_array
from noiseless.noise import Gaussian, NoiseEstimate, PoissonGaussian, Rician
from noiseless.restoration import sampled_risk
from noiseless.restoration.sampled_risk import Part, is_sampled, middle_of, parts_of, risk_of_parts, stack_of


def scene(side):
    """Waves that get finer to the right, with edges: some of it is hard, and some easy."""
    rows, columns = np.mgrid[0:side, 0:side] / side
    values = 120 + 60 * np.sin(80 * columns**2 * np.pi) * np.cos(25 * rows) + 50 * ((columns * 9).astype(int) % 2)
    return values.astype(np.float32)


def noisy_scene(side, sigma=20.0):
    return scene(side) + sigma * np.random.default_rng(0).standard_normal((side, side), np.float32)


def test_windows_are_from_all_over_and_not_constant():
    values = noisy_scene(1200)
    values[:, :500] = 0.0
    image = from_array(values)
    parts = parts_of(image)
    assert len(parts) == sampled_risk.WINDOWS
    assert all(part.window.pixels.std() > 0 for part in parts)
    assert all(part.window.space == (128, 128) for part in parts)
    assert max(max(part.image.space) for part in parts) == 128 + 2 * 24
    stack = stack_of(parts)
    assert (stack.volumes, stack.space) == (40, (40, 128, 128))
    np.testing.assert_array_equal(stack.volume(9).pixels, parts[9].window.pixels)
    middle = middle_of(image)
    np.testing.assert_array_equal(middle.window.pixels, image.pixels[:, 536:664, 536:664])
    np.testing.assert_array_equal(middle.image.pixels, image.pixels[:, 512:688, 512:688])


def test_a_constant_image_has_windows_too():
    assert len(parts_of(from_array(np.full((600, 600), 7.0, np.float32)))) == sampled_risk.WINDOWS


@pytest.mark.parametrize("noise", [None, Gaussian(20.0)])
def test_the_interval_holds_the_error_of_the_whole(monkeypatch, noise):
    monkeypatch.setattr(sampled_risk, "LARGE", 1000**2)
    values = noisy_scene(1100)
    restored = restore(values, Recipe(model="tiny", predict=True), noise=noise)
    risk = restored.audit.risk
    error = float(np.mean(np.square(restored.image - scene(1100))))
    # twice the interval of two standard errors: one scene and one noise are no statistics
    assert abs(risk.mse - error) < 4 * risk.standard_error
    if noise is not None:  # the error is 2 % of the energy of the noise, which a found sigma leaves unsure by as much
        assert risk.standard_error < 0.25 * error
    low, high = restored.report["audit"]["predicted_psnr_interval"]
    likely = restored.report["audit"]["predicted_psnr"]
    truth = psnr(restored.image, scene(1100), data_range=restored.audit.data_range)
    assert low - (likely - low) < truth < high + (high - likely)


def test_the_risk_of_windows_is_the_mean_of_theirs():
    image = from_array(noisy_scene(300))
    noise = NoiseEstimate(Gaussian(20.0), 1.0, "told", ())
    core = (slice(30, 200), slice(0, 170))
    parts = [Part(image, core), Part(image.with_pixels(image.pixels[:, ::-1].copy()), core)]

    def mean(part):
        return np.full_like(part.pixels, part.pixels.mean())

    recipe = Recipe("heat")
    single = [risk_of_parts([part], noise, recipe, mean) for part in parts]
    both = risk_of_parts(parts, noise, recipe, mean)
    assert both.mse == pytest.approx((single[0].mse + single[1].mse) / 2)


@pytest.mark.parametrize(
    ("model", "sampled"),
    [(Gaussian(9.0), True), (PoissonGaussian(1.0, 2.0), True), (Rician(9.0), False), ("map", False)],
)
def test_only_what_is_the_same_everywhere_is_sampled(monkeypatch, model, sampled):
    monkeypatch.setattr(sampled_risk, "LARGE", 99)
    image = from_array(noisy_scene(300))
    model = Gaussian(np.full((1, 300, 300), 9.0)) if model == "map" else model
    assert is_sampled(image, NoiseEstimate(model, 1.0, "told", ())) == sampled
    monkeypatch.setattr(sampled_risk, "LARGE", 10**6)
    assert not is_sampled(image, NoiseEstimate(model, 1.0, "told", ()))
