import numpy as np
import pytest

from noiseless.errors import IncompatibleCheckpoint, InvalidImage, InvalidParameter
from noiseless.score import Experts, Mixture
from noiseless.score.density_file import decode, save_density

SIGMA = 0.1


def haar():
    return np.float32([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2


@pytest.fixture
def two_kinds(tmp_path):
    """Patches of 2x2 that are calm or lively."""
    mixture = Mixture(haar(), np.float32([0.7, 0.3]), np.float32([[1e-3, 2e-3, 5e-4], [0.05, 0.02, 0.01]]))
    save_density(mixture, tmp_path / "two.safetensors")
    return Experts(tmp_path / "two.safetensors")


def test_one_expert_is_a_wiener_filter_of_patches(tmp_path, rng):
    variances = np.float32([[0.03, 0.01, 0.002]])
    save_density(Mixture(haar(), np.float32([1]), variances), tmp_path / "one.safetensors")
    noisy = rng.standard_normal((1, 7, 9)).astype(np.float32)
    gains = np.concatenate([[1.0], variances[0] / (variances[0] + SIGMA**2)])
    filtered = haar().T @ np.diag(gains) @ haar()
    total, count = np.zeros((7, 9)), np.zeros((7, 9))
    for y in range(6):
        for x in range(8):
            patch = noisy[0, y : y + 2, x : x + 2].reshape(4)
            total[y : y + 2, x : x + 2] += (filtered @ patch).reshape(2, 2)
            count[y : y + 2, x : x + 2] += 1
    denoised = Experts(tmp_path / "one.safetensors")(noisy, SIGMA)
    np.testing.assert_allclose(denoised[0], total / count, atol=1e-6)


def test_noise_diffuses_the_density_in_closed_form(two_kinds, rng):
    # E_n p_s(y + t n) = p_sqrt(s^2 + t^2)(y) for a single patch: a convolution of Gaussians, by Monte Carlo
    s, t, draws = 0.08, 0.06, 20_000
    patch = np.array([[0.3, 0.1], [0.2, 0.25]])
    moved = patch + t * rng.standard_normal((draws, 2, 2))
    # A single patch stands for one of four tilings, so its log-density is four times what is returned.
    densities = np.exp([4 * float(two_kinds.log_density(one[None], s)) for one in moved])
    exact = np.exp(4 * float(two_kinds.log_density(patch[None], (s**2 + t**2) ** 0.5)))
    assert abs(densities.mean() - exact) < 4 * densities.std() / draws**0.5


def test_the_gradient_of_the_log_density_is_the_score(two_kinds, rng):
    torch = pytest.importorskip("torch")
    for experts in (two_kinds, Experts()):
        side = experts.mixture.side
        noisy = torch.from_numpy(0.5 + 0.2 * rng.standard_normal((1, 3 * side, 3 * side + 1)).astype(np.float32))
        noisy.requires_grad_()
        (gradient,) = torch.autograd.grad(experts.log_density(noisy, SIGMA), noisy)
        score = (experts(noisy.detach(), SIGMA) - noisy.detach()) / SIGMA**2
        inside = (slice(None), slice(side, -side), slice(side, -side))
        # float32 with a division by sigma^2 = 0.01
        np.testing.assert_allclose(gradient[inside], score[inside], atol=2e-3)


def test_a_map_of_one_level_is_that_level(rng):
    noisy = rng.random((1, 20, 30), dtype=np.float32)
    experts = Experts()
    np.testing.assert_array_equal(experts(noisy, np.full((1, 20, 30), SIGMA, np.float32)), experts(noisy, SIGMA))


def test_two_levels_are_each_treated_as_their_own(rng):
    noisy = np.float32(0.5 + 0.1 * rng.standard_normal((1, 24, 60)))
    levels = np.full((1, 24, 60), 0.05, np.float32)
    levels[..., 30:] = 0.2
    experts = Experts()
    mixed = experts(noisy, levels)
    # Levels are rounded by at most 1 %, and the denoised image moves by less than that of the noise.
    np.testing.assert_allclose(mixed[..., :22], experts(noisy, 0.05)[..., :22], atol=0.01 * 0.05)
    np.testing.assert_allclose(mixed[..., 38:], experts(noisy, 0.2)[..., 38:], atol=0.02 * 0.2)


def test_pixels_without_noise_stay(rng):
    noisy = rng.random((3, 20, 30), dtype=np.float32)
    levels = np.full((1, 20, 30), 0.1, np.float32)
    levels[:, 5:9, 3:20] = 0
    changed = Experts()(noisy, levels) != noisy
    assert not changed[:, 5:9, 3:20].any()
    assert changed[:, 12:, :].all()


@pytest.mark.parametrize("sigma", [0.02, 0.06, 0.2])
def test_the_likeliest_sigma_of_a_smooth_picture_in_noise(sigma, rng):
    rows, columns = np.mgrid[0:200, 0:220]
    clean = 0.5 + 0.3 * np.sin(rows / 17) * np.cos(columns / 23) + 0.2 * (columns > 90)
    found = Experts().likeliest_sigma(clean + sigma * rng.standard_normal(clean.shape))
    # 1 / sqrt(2 n) for n = 44000 pixels is 0.3 %; the prior is not that of this picture
    assert found == pytest.approx(sigma, rel=0.03)


def test_an_image_in_its_own_range_is_more_likely_than_noise(rng):
    rows, columns = np.mgrid[0:64, 0:64]
    smooth = np.float32(0.5 + 0.3 * np.sin(rows / 9) * np.cos(columns / 7))[None]
    shuffled = rng.permutation(smooth.ravel()).reshape(smooth.shape)
    experts = Experts()
    assert experts.log_density(smooth, 0.02) > experts.log_density(shuffled, 0.02) + 64 * 64


@pytest.mark.parametrize("call", [
    lambda experts: experts(np.zeros((8, 8), np.float32), 0.1),
    lambda experts: experts.log_density(np.zeros((1, 4, 40), np.float32), 0.1),
    lambda experts: experts.likeliest_sigma(np.zeros((1, 40, 40), np.float32)),
])  # fmt: skip
def test_images_that_do_not_fit_are_refused(call):
    with pytest.raises(InvalidImage):
        call(Experts())


@pytest.mark.parametrize("sigma", [-0.1, np.nan, np.ones((1, 3, 3))])
def test_levels_that_do_not_fit_are_refused(sigma):
    with pytest.raises(InvalidParameter):
        Experts()(np.zeros((1, 16, 16), np.float32), sigma)
    with pytest.raises(InvalidParameter):
        Experts().log_density(np.zeros((1, 16, 16), np.float32), 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"basis": 2 * haar()}, "not orthonormal"),
        ({"basis": haar()[:, :3]}, "basis of shape"),
        ({"variances": np.ones((2, 3), np.float32)}, "variances of shape"),
        ({"weights": -np.ones(1, np.float32)}, "above 0"),
        ({"variances": np.full((1, 3), np.nan, np.float32)}, "finite"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused(tmp_path, change, message):
    parts = {"basis": haar(), "weights": np.ones(1, np.float32), "variances": np.ones((1, 3), np.float32), **change}
    save_density(Mixture(**parts), tmp_path / "bad.safetensors")
    with pytest.raises(IncompatibleCheckpoint, match=message):
        decode((tmp_path / "bad.safetensors").read_bytes(), name="bad")


def test_a_file_that_is_no_density_is_refused():
    with pytest.raises(IncompatibleCheckpoint, match="no density"):
        decode(b"not a file", name="bad")


def test_fitting_finds_the_density_that_made_the_patches(tmp_path, rng):
    pytest.importorskip("torch")
    from noiseless.score import fit_experts

    # An image of independent 2x2 patches, half calm and half lively along one diagonal: two experts explain it.
    spread = np.where(rng.random((60, 60, 1)) < 0.5, 0.01, 0.12)
    coefficients = np.concatenate([np.full((60, 60, 1), 1.0), spread * rng.standard_normal((60, 60, 3))], axis=2)
    tiles = (coefficients @ haar()).reshape(60, 60, 2, 2)
    image = np.float32(tiles.transpose(0, 2, 1, 3).reshape(1, 120, 120))
    path = tmp_path / "fitted.safetensors"
    states = list(fit_experts([image], path, side=2, experts=4, steps=300))
    late, early = (np.mean([state.log_likelihood for state in part]) for part in (states[-50:], states[:50]))
    assert late > early
    fitted = Experts(path)
    noisy = image + np.float32(0.05 * rng.standard_normal(image.shape))
    gain = np.mean((noisy - image) ** 2) / np.mean((fitted(noisy, 0.05) - image) ** 2)
    assert gain > 1.3
