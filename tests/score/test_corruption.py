import io

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from noiseless.score.corruption import _blurred, _developed, _filter_array, camera, white  # noqa: E402
from noiseless.score.jpeg import compress  # noqa: E402


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def photograph(rng, channels=3, height=64, width=80):
    """Smooth shapes and a little texture, as uint8 (H, W, C)."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [np.sin(rows / (5 + c)) * np.cos(columns / (7 + 2 * c)) for c in range(channels)]
    return np.uint8(np.clip(128 + 80 * np.stack(planes, -1) + 6 * rng.standard_normal((height, width, 1)), 0, 255))


def numbers(*values):
    return torch.tensor(values).view(-1, 1, 1, 1)


@pytest.mark.parametrize("quality", [50, 75, 90, 97])
@pytest.mark.parametrize("channels", [1, 3])
def test_compression_is_that_of_libjpeg(quality, channels, rng):
    picture = photograph(rng, channels)
    stream = io.BytesIO()
    Image.fromarray(picture[..., 0] if channels == 1 else picture).save(stream, "JPEG", quality=quality, subsampling=0)
    decoded = np.asarray(Image.open(stream), np.float64).reshape(picture.shape)
    batch = torch.from_numpy(picture).permute(2, 0, 1).float()[None] / 255
    ours = compress(batch, numbers(float(quality)), numbers(False))[0].permute(1, 2, 0).numpy() * 255
    # libjpeg transforms in integers: coefficients on the edge between two steps fall on either side.
    lost = np.abs(decoded - picture).mean()
    assert np.abs(ours - decoded).mean() < 0.5
    assert abs(np.abs(ours - picture).mean() - lost) < 0.05


def test_each_patch_is_compressed_by_its_own_quality(rng):
    batch = torch.from_numpy(photograph(rng)).permute(2, 0, 1).float()[None].expand(3, -1, -1, -1) / 255
    errors = (compress(batch, numbers(95.0, 70.0, 30.0), numbers(False, False, True)) - batch).square().mean((1, 2, 3))
    assert errors[0] < errors[1] < errors[2]


def test_sides_that_are_no_multiple_of_a_block_come_back(rng):
    batch = torch.from_numpy(photograph(rng, height=21, width=13)).permute(2, 0, 1).float()[None] / 255
    assert compress(batch, numbers(95.0), numbers(True)).shape == batch.shape


def test_white_noise_has_the_level_it_says():
    clean, sigma = torch.full((4, 3, 64, 64), 0.5), torch.full((4, 3, 64, 64), 0.1)
    made = white(clean, sigma, generator())
    assert torch.equal(made.sigma, sigma)
    assert float((made.noisy - clean).std()) == pytest.approx(0.1, rel=4 / (2 * clean.numel()) ** 0.5)


def test_blurred_noise_keeps_its_variance_and_is_correlated_by_its_width():
    noise = torch.randn((3, 1, 400, 400), generator=generator())
    blurred = _blurred(noise, numbers(0.0, 0.6, 1.2))
    assert torch.allclose(blurred[0], noise[0], atol=1e-6)
    inside = blurred[:, 0, 8:-8, 8:-8]
    beside = (inside[:, :, 1:] * inside[:, :, :-1]).mean((1, 2)) / inside.square().mean((1, 2))
    for found, width in zip(beside[1:], (0.6, 1.2), strict=True):
        kernel = np.exp(-0.5 * (np.arange(-4, 5) / width) ** 2)
        exact = (kernel[1:] * kernel[:-1]).sum() / (kernel**2).sum()
        assert float(found) == pytest.approx(exact, abs=8 / 384)  # 8 standard errors of white samples
    # Correlated samples count less: 8 standard errors of white ones.
    assert inside.square().mean((1, 2)).numpy() == pytest.approx(1.0, abs=8 * (2 / 384**2) ** 0.5)


def test_every_pixel_of_the_sensor_sees_one_colour_and_half_see_green():
    seen = _filter_array(20, 8, 10, generator(), torch.device("cpu"))
    assert torch.equal(seen.sum(1), torch.ones(20, 8, 10))
    assert torch.equal(seen.mean((0, 2, 3)), torch.tensor([0.25, 0.5, 0.25]))
    assert len({tuple(one.flatten().tolist()) for one in seen}) == 4


def test_developed_noise_is_stronger_in_shadows_and_coarse():
    dark, bright = torch.full((60, 3, 48, 48), 0.12), torch.full((60, 3, 48, 48), 0.8)
    noise = [_developed(clean, generator(1)) for clean in (dark, bright)]
    spread = [float(one.std()) for one in noise]
    # The slope of the curve falls 2.8 times between them, and the light of shadows makes a third of the noise at most.
    assert spread[0] > 1.1 * spread[1]
    for one in noise:
        beside = float((one[..., 1:] * one[..., :-1]).mean() / one.square().mean())
        assert 0.15 < beside < 0.8


def test_camera_noise_stays_below_its_strength_and_the_level_told_errs_as_estimates_do():
    patches = 600
    clean = 0.2 + 0.6 * torch.rand((patches, 3, 1, 1), generator=generator()).expand(patches, 3, 32, 32)
    made = camera(clean, torch.full(clean.shape, 0.1), generator(2))
    done = (made.noisy - clean).square().mean((1, 2, 3)).sqrt()
    # Where a coefficient is rounded up JPEG adds to it, at most 1.3 times the energy of normal ones.
    assert float(done.max()) < 0.1 * 1.3**0.5 + 0.01
    # Strengths are a uniform share of sigma; JPEG takes away the finest part of the noise.
    assert float((done < 0.05).float().mean()) > 0.5 - 4 * 0.5 / patches**0.5
    error = (made.sigma[:, 0, 0, 0] / done).log()
    # White noise that was not compressed, 0.4 * 0.4 of the patches, is told as it is; the rest too little by a quarter.
    white_share, spread = 0.16, 0.5
    mean = (1 - white_share) * -0.3
    assert float(error.mean()) == pytest.approx(mean, abs=4 * spread / patches**0.5)
    close = float((error.abs() < 0.1).float().mean())  # 2 deviations of 0.05; of the rest normal ones of -0.3 and 0.5
    expected = white_share * 0.954 + (1 - white_share) * 0.133
    assert close == pytest.approx(expected, abs=4 * (expected * (1 - expected) / patches) ** 0.5)


def test_the_same_generator_makes_the_same_images():
    clean = torch.rand((5, 3, 24, 24), generator=generator())
    sigma = torch.full(clean.shape, 0.05)
    assert torch.equal(camera(clean, sigma, generator(3)).noisy, camera(clean, sigma, generator(3)).noisy)
    assert not torch.equal(camera(clean, sigma, generator(3)).noisy, camera(clean, sigma, generator(4)).noisy)
