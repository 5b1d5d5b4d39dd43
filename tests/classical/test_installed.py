"""Denoisers of other packages: each is the library's own call, told what it should be."""

import importlib
import sys
from dataclasses import replace

import numpy as np
import pytest

from noiseless.classical import INSTALLED
from noiseless.errors import InvalidImage, InvalidParameter, MissingExtra

SIGMA = 25.0 / 255.0

LEAST_GAIN = 3.0
"""dB: at least half of the noise's energy goes and no more of the image than that. These waves of 56 pixels are easy: a
mean over 3 x 3 pixels gains 9 dB, wavelets, which do not follow them well, 6."""


ROUNDING = 1e-5
"""Sums of some hundred float32 numbers up to 1, each rounded by 2^-24."""


def peer(name):
    for module in INSTALLED[name].modules:
        pytest.importorskip(module)
    return INSTALLED[name]


def scene(channels, height=60, width=76):
    y, x = np.mgrid[:height, :width]
    shade = 0.5 + 0.2 * np.sin(x / 9) * np.cos(y / 9)
    return np.stack([shade * (1 - 0.2 * channel) for channel in range(channels)]).astype(np.float32)


def noisy_scene(channels, sigma=SIGMA):
    clean = scene(channels)
    return clean, (clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)).astype(np.float32)


def psnr(image, clean):
    return -10.0 * np.log10(np.mean((image - clean) ** 2))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", INSTALLED)
def test_noise_goes_and_the_image_stays(name, channels):
    denoise = peer(name)
    clean, noisy = noisy_scene(channels)
    kept = noisy.copy()
    noisy.flags.writeable = False
    denoised = denoise(noisy, SIGMA)
    assert (denoised.shape, denoised.dtype) == (noisy.shape, np.float32)
    np.testing.assert_array_equal(noisy, kept)
    assert not np.shares_memory(denoised, noisy)
    assert psnr(denoised, clean) > psnr(noisy, clean) + LEAST_GAIN
    # Sums and differences of float32 alone; colours are not exchanged, so that each channel is nearest to its own.
    errors = [[np.mean((one - other) ** 2) for other in clean] for one in denoised]
    assert list(np.argmin(errors, axis=1)) == list(range(channels))


@pytest.mark.parametrize("name", INSTALLED)
def test_strided_images_and_float64_give_the_same(name):
    denoise = peer(name)
    _, noisy = noisy_scene(1)
    wide = np.repeat(noisy, 2, axis=2).astype(np.float64)
    denoised = denoise(wide[:, :, ::2], SIGMA)
    assert denoised.dtype == np.float64
    # Threads of some add up in another order in every run.
    np.testing.assert_allclose(denoised, denoise(noisy, SIGMA), atol=ROUNDING)


@pytest.mark.parametrize("name", INSTALLED)
def test_no_noise_changes_nothing_and_more_removes_more(name):
    denoise = peer(name)
    _, noisy = noisy_scene(1)
    np.testing.assert_array_equal(denoise(noisy, 0.0), noisy)
    np.testing.assert_allclose(denoise(noisy, np.full((1, 1, 1), SIGMA)), denoise(noisy, SIGMA), atol=ROUNDING)
    removed = [np.std(denoise(noisy, sigma) - noisy) for sigma in (0.2 * SIGMA, SIGMA)]
    assert removed[0] < removed[1]
    assert np.std(replace(denoise, strength=denoise.strength / 3)(noisy, SIGMA) - noisy) < removed[1]


def test_what_is_returned_is_what_the_library_gives():
    restoration = pytest.importorskip("skimage.restoration")
    for channels in (1, 3):
        _, noisy = noisy_scene(channels)
        pixels = noisy[0] if channels == 1 else np.moveaxis(noisy, 0, -1)
        axis = None if channels == 1 else -1
        strength = INSTALLED["skimage-nlm"].strength
        expected = restoration.denoise_nl_means(
            pixels, patch_size=5, patch_distance=6, h=strength * SIGMA, sigma=SIGMA, channel_axis=axis
        )
        found = INSTALLED["skimage-nlm"](noisy, SIGMA)
        np.testing.assert_allclose(found, expected[None] if axis is None else np.moveaxis(expected, -1, 0), atol=1e-6)


def test_opencv_gets_eight_bits_and_its_range():
    cv2 = pytest.importorskip("cv2")
    _, noisy = noisy_scene(1)
    levels = np.clip(np.rint(255 * noisy[0]), 0, 255).astype(np.uint8)
    h = INSTALLED["opencv-nlm"].strength * 25.0
    found = INSTALLED["opencv-nlm"](noisy, SIGMA)
    np.testing.assert_allclose(255 * found[0], cv2.fastNlMeansDenoising(levels, None, h, 7, 21), atol=1e-3)


def test_wavelets_remove_noise_of_colours_too():
    """Where scikit-image takes sigma for one of another range, it removes nothing from colours and says nothing."""
    denoise = peer("skimage-wavelet")
    clean, noisy = noisy_scene(3)
    gray = psnr(denoise(noisy[:1], SIGMA), clean[:1]) - psnr(noisy[:1], clean[:1])
    colour = psnr(denoise(noisy, SIGMA), clean) - psnr(noisy, clean)
    assert abs(colour - gray) < 2.0


@pytest.mark.parametrize("name", INSTALLED)
def test_without_the_package_there_is_a_line_for_pip(name, monkeypatch):
    for module in INSTALLED[name].modules:
        monkeypatch.setitem(sys.modules, module, None)
    for attempt in (INSTALLED[name].check, lambda: INSTALLED[name](scene(1), SIGMA)):
        with pytest.raises(MissingExtra, match=f"pip install {INSTALLED[name].install}$"):
            attempt()


def test_what_cannot_be_done_is_refused_in_a_line(monkeypatch):
    monkeypatch.setattr(importlib, "import_module", lambda name: None)  # the package is not needed to refuse
    denoise = INSTALLED["skimage-tv"]
    for image, words in (
        (scene(1)[None], "takes images"),
        (scene(2), "takes images"),
        (np.full((1, 8, 8), np.nan, np.float32), "NaN"),
        (scene(1).astype(np.int16), "int16"),
        ([[1.0]], "NumPy"),
    ):
        with pytest.raises(InvalidImage, match=words):
            denoise(image, SIGMA)
    with pytest.raises(InvalidParameter, match="takes one number"):
        denoise(scene(1), np.linspace(0.1, 0.2, 76))
    with pytest.raises(InvalidParameter, match="at least 0"):
        denoise(scene(1), -0.1)
    for strength in (0.0, -1.0, np.inf):
        with pytest.raises(InvalidParameter, match="above 0"):
            replace(denoise, strength=strength)
