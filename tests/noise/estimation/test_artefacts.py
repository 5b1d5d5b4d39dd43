"""JPEG grids, enlargement and texture: found where they were made, and not elsewhere."""

import io

import numpy as np
import pytest
from PIL import Image

from noiseless.noise.estimation.artefacts import _border_score, jpeg_grid, resampled, texture_only
from noiseless.noise.estimation.correlation import measure_correlation


def compressed(image, quality):
    stream = io.BytesIO()
    Image.fromarray(np.clip(np.round(image), 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), dtype=np.float64)


def enlarged(image, factor, method=Image.Resampling.BICUBIC):
    height, width = image.shape
    size = (int(width * factor), int(height * factor))
    return np.asarray(Image.fromarray(image.astype(np.float32)).resize(size, method))[:height, :width]


def scene(rng, sigma, shape=(320, 320)):
    y, x = np.indices(shape)
    return 120 + 40 * np.sin(x / 9 + y / 17) * np.cos(y / 7) + sigma * rng.standard_normal(shape)


@pytest.fixture(scope="module")
def photographs(shared_data):
    files = sorted((shared_data / "eval" / "CID22val").glob("*.png"))[::8]
    return [np.asarray(Image.open(path).convert("L"), dtype=np.float64) for path in files]


def test_the_grid_of_jpeg_is_found_with_its_offset(rng):
    decoded = compressed(scene(rng, 8.0), 60)
    for y, x in ((0, 0), (3, 5), (7, 1)):
        grid = jpeg_grid(decoded[y:, x:])
        assert grid.found
        assert grid.offset == (-y % 8, -x % 8)


def test_noise_without_jpeg_has_no_grid(rng):
    # The weakest of 64 grids must be 4.5 deviations below the others: by chance in 64 * 3e-6.
    assert not any(jpeg_grid(scene(rng, sigma)).found for sigma in (0.0, 1.0, 10.0, 40.0))
    assert not jpeg_grid(np.zeros((100, 100))).found
    assert not jpeg_grid(scene(rng, 5.0, (63, 200))).found


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_an_enlarged_noisy_image_has_a_period_at_the_factor(rng, method):
    for factor in (1.25, 1.6):
        found = resampled(enlarged(scene(rng, 5.0, (512, 512)), factor, method))
        assert found.periodic
        # The pattern repeats with the old grid, 1 / factor, or its mirror image beyond the Nyquist frequency.
        alias = [abs(k / factor - round(k / factor)) for k in (1, 2, 3)]
        assert min(abs(found.frequency - f) for f in alias) < 3 / 512


def test_a_twice_enlarged_image_has_empty_top_frequencies_even_after_rounding(rng):
    twice = enlarged(scene(rng, 5.0, (512, 512)), 2.0)
    assert resampled(twice).empty
    assert resampled(np.round(twice), step=1.0).empty


def test_white_noise_was_not_resampled(rng):
    for sigma in (1.0, 10.0, 40.0):
        assert not resampled(scene(rng, sigma, (400, 300))).found
    assert not resampled(np.zeros((100, 100))).found
    assert not resampled(scene(rng, 5.0, (3, 128, 128)[1:])).found


def test_flat_noise_is_not_texture(rng):
    assert texture_only(measure_correlation(scene(rng, 20.0))) < 0.2


@pytest.mark.shared
def test_photographs_show_a_grid_after_jpeg_and_none_before(photographs, rng):
    for clean in photographs:
        for sigma in (0.0, 5.0):
            noisy = clean + sigma * rng.standard_normal(clean.shape)
            assert not jpeg_grid(noisy).found
            assert not resampled(noisy).found
            for quality in (75, 95):
                grid = jpeg_grid(compressed(noisy, quality))
                assert grid.found
                assert grid.offset == (0, 0)


@pytest.mark.shared
def test_blocks_show_where_jpeg_was_coarse(photographs, rng):
    noisy = [clean + 5 * rng.standard_normal(clean.shape) for clean in photographs]
    # Quality 95 rounds the highest frequencies to steps of 10, the noise's own deviation is 5.
    assert np.mean([jpeg_grid(compressed(image, 60)).visible for image in noisy]) > 0.8
    assert not any(jpeg_grid(compressed(image, 95)).visible for image in noisy)


@pytest.mark.parametrize("factor", [2, 4])
def test_an_enlarged_image_has_several_weak_grids_and_is_not_called_jpeg(factor, rng):
    assert not jpeg_grid(np.round(enlarged(scene(rng, 5.0, (512, 512)), factor, Image.Resampling.NEAREST))).found


@pytest.mark.shared
def test_enlarged_photographs_are_recognised_with_their_noise(photographs, rng):
    for clean in photographs:
        noisy = clean + 8 * rng.standard_normal(clean.shape)
        for factor in (1.3, 2.0):
            assert resampled(np.round(enlarged(noisy, factor)), step=1.0).found


@pytest.mark.shared
def test_texture_is_told_from_white_noise(photographs, rng):
    noisy = [texture_only(measure_correlation(clean + 15 * rng.standard_normal(clean.shape))) for clean in photographs]
    clean = [measure_correlation(clean) for clean in photographs]
    assert max(noisy) < 0.5
    # Where the calmest patches show more than a grey level, it is texture in most photographs.
    assert np.mean([texture_only(found) > 0.5 for found in clean if found.sigma > 1]) > 0.5


def test_a_constant_image_has_no_borders():
    assert _border_score(np.ones((1, 80, 80), np.float32)) == 0
