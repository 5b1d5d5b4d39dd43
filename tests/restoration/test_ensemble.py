import numpy as np
import pytest

import noiseless
from noiseless.errors import InvalidParameter, UnknownName
from noiseless.noise import Correlated, Gaussian, gaussian_kernel
from noiseless.restoration import Ensemble, Recipe, SelfEnsemble, restore
from noiseless.restoration.combination import weights_of_least_risk
from noiseless.restoration.covariance import covariance_of
from noiseless.restoration.risk import response_of
from noiseless.score import GaussianPrior

SIGMA = 0.2
SHAPE = (1, 160, 160)


def low_half(image, sigma=None):
    """Projection onto the lower half of the frequencies along the rows."""
    keep = np.abs(np.fft.fftfreq(image.shape[-1])) < 0.25
    return np.fft.ifft(np.fft.fft(image, axis=-1) * keep, axis=-1).real.astype(image.dtype)


def keep_all(image, sigma=None):
    return image.copy()


def mean_of_all(image, sigma=None):
    return np.full_like(image, image.mean())


def scene(rng):
    """Left half smooth, right half noise-like texture as strong as the noise."""
    clean = np.zeros(SHAPE, np.float32)
    clean[..., 80:] = SIGMA * rng.standard_normal((1, 160, 80), dtype=np.float32)
    return clean, clean + np.float32(SIGMA) * rng.standard_normal(SHAPE, dtype=np.float32)


def combined_error(members, clean, noisy, **settings):
    ensemble = Ensemble({str(i): member for i, member in enumerate(members)}, **settings)
    return float(np.mean((ensemble(noisy, SIGMA) - clean) ** 2))


def test_two_denoisers_are_mixed_as_wiener_would(rng):
    """x ~ N(0, s^2): the best a y is a = s^2 / (s^2 + sigma^2), and the parts are y and its mean."""
    clean = np.float32(0.3) * rng.standard_normal(SHAPE, dtype=np.float32)
    noisy = clean + np.float32(SIGMA) * rng.standard_normal(SHAPE, dtype=np.float32)
    denoised = Ensemble({"all": keep_all, "mean": mean_of_all}, local=False)(noisy, SIGMA)
    weight = float(np.sum((denoised - noisy.mean()) * noisy) / np.sum(noisy**2))
    # the slope of the risk has the chance 2 sigma^2 |y|^2, its curvature is |y|^2: four standard errors
    allowed = 4 * np.sqrt(4 * SIGMA**2 / np.sum(noisy**2))
    assert abs(weight - 0.09 / (0.09 + SIGMA**2)) < allowed


def test_weights_sum_to_one_so_a_common_member_stays(rng):
    _, noisy = scene(rng)
    for local in (False, True):
        denoised = Ensemble({"a": keep_all, "b": keep_all}, local=local)(noisy, SIGMA)
        np.testing.assert_allclose(denoised, noisy, atol=1e-6)


def test_local_weights_follow_the_image(rng):
    clean, noisy = scene(rng)
    parts = [mean_of_all, keep_all]
    both = {local: combined_error(parts, clean, noisy, local=local) for local in (False, True)}
    # Wiener's error is sigma^2 / 2 in the texture and 0 beside it, sigma^2 / 4 on average; one weight for all, with
    # half the power of the texture on average, gives sigma^2 / 3.
    assert both[False] == pytest.approx(SIGMA**2 / 3, rel=0.03)
    assert both[True] < 0.9 * both[False]


def test_it_is_no_worse_than_the_first_where_nothing_helps(rng):
    """The first is the exact posterior mean; whatever is mixed in can only be chance, and is cut off as such."""
    excesses = []
    for _ in range(20):
        clean = np.float32(0.3) * rng.standard_normal((1, 64, 64), dtype=np.float32)
        noisy = clean + np.float32(SIGMA) * rng.standard_normal(clean.shape, dtype=np.float32)
        best = GaussianPrior(0.0, 0.3)
        error = float(np.mean((best(noisy, SIGMA) - clean) ** 2))
        excesses.append(combined_error([best, low_half, mean_of_all], clean, noisy) / error - 1)
    # 0.02 dB is half a percent
    assert np.mean(excesses) < 0.005


def test_different_denoisers_are_better_together(rng):
    """Each knows another half of the image: no single one comes near their mixture."""
    columns, rows = np.meshgrid(np.arange(160), np.arange(160))
    clean = (0.3 * np.sin(2 * np.pi * columns / 40) + 0.3 * np.sin(2 * np.pi * rows / 40))[None].astype(np.float32)
    noisy = clean + np.float32(SIGMA) * rng.standard_normal(SHAPE, dtype=np.float32)

    def along_rows(image, sigma):
        return np.broadcast_to(image.mean(axis=-1, keepdims=True), image.shape).copy()

    def along_columns(image, sigma):
        return np.broadcast_to(image.mean(axis=-2, keepdims=True), image.shape).copy()

    parts = [along_rows, along_columns, keep_all]
    single = min(float(np.mean((d(noisy, SIGMA) - clean) ** 2)) for d in parts)
    assert combined_error(parts, clean, noisy, local=False) < 0.75 * single


def test_colour_and_sigma_maps(rng):
    clean = np.zeros((3, 64, 64), np.float32)
    levels = np.linspace(0.05, 0.3, 64, dtype=np.float32)
    noisy = clean + levels * rng.standard_normal(clean.shape, dtype=np.float32)
    denoised = noiseless.denoise(
        255 * np.moveaxis(noisy, 0, -1),
        sigma=255 * np.broadcast_to(levels, (64, 64)),
        channel_axis=-1,
        method="ensemble",
    )
    assert np.mean(denoised**2) < 0.1 * np.mean((255 * noisy) ** 2)


def test_torch_goes_in_and_out(rng):
    torch = pytest.importorskip("torch")
    _, noisy = scene(rng)
    ensemble = Ensemble({"a": lambda y, s: 0.5 * y, "b": lambda y, s: 1.0 * y})
    result = ensemble(torch.from_numpy(noisy), SIGMA)
    assert isinstance(result, torch.Tensor)
    np.testing.assert_allclose(result.numpy(), ensemble(noisy, SIGMA), atol=1e-6)


def test_under_correlated_noise_its_own_risk_is_used(rng):
    """By the risk of white noise, keeping correlated noise looks best."""
    noise = Correlated(SIGMA, gaussian_kernel(1.0))
    noisy = noise.sample(np.zeros(SHAPE), rng).astype(np.float32)

    def weight_of_keeping(law):
        responses = [response_of(d, noisy, law, probes=4) for d in (low_half, mean_of_all)]
        fields = (np.stack([getattr(r, name) for r in responses]) for name in ("residual", "divergence"))
        return float(weights_of_least_risk(*fields, covariance_of(law, noisy), 4, local=False)[0].squeeze())

    assert weight_of_keeping(Gaussian(SIGMA)) > 0.2
    assert abs(weight_of_keeping(noise)) < 0.05


def test_noise_that_is_not_white_is_refused_where_sigma_was_told(rng):
    law = Correlated(25.0, gaussian_kernel(1.0))
    noisy = law.sample(np.full((1, 128, 128), 128.0), rng)[0]
    recipe = Recipe(method="ensemble", members=("total-variation", "heat"))
    with pytest.raises(InvalidParameter, match="not white"):
        restore(noisy, recipe, sigma=25)
    restored = restore(noisy, recipe, noise=law)
    assert np.std(restored.image) < 0.5 * np.std(noisy)


def test_a_self_ensemble_commutes_with_turns(rng):
    noisy = rng.random((2, 12, 17), dtype=np.float32)
    levels = rng.random((1, 12, 17), dtype=np.float32)

    def lopsided(image, sigma):
        return np.cumsum(image * sigma, axis=-1) / 10

    whole = SelfEnsemble(lopsided)
    turned = whole(np.rot90(noisy, axes=(1, 2)), np.rot90(levels, axes=(1, 2)))
    np.testing.assert_allclose(turned, np.rot90(whole(noisy, levels), axes=(1, 2)), atol=1e-6)
    assert np.abs(whole(noisy, levels) - lopsided(noisy, levels)).max() > 0.1


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"members": ("score",)}, InvalidParameter, "two members"),
        ({"members": ("score", "ensemble")}, InvalidParameter, "no member"),
        ({"members": ("score", "non-local-mean")}, UnknownName, "non-local-means"),
        ({"strength": 0.5}, InvalidParameter, "strength"),
        ({"steps": 5}, InvalidParameter, "steps"),
        ({"samples": 2}, InvalidParameter, "samples"),
    ],
)
def test_what_cannot_be_is_refused(settings, error, message):
    with pytest.raises(error, match=message):
        Recipe(method="ensemble", **settings)


def test_noise_without_a_risk_is_refused():
    image = np.tile(np.arange(64.0), (64, 1))
    with pytest.raises(InvalidParameter, match="measured"):
        restore(image, Recipe(method="ensemble"), noise=noiseless.noise.Quantisation(8.0))
