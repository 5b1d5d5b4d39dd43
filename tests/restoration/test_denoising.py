import numpy as np
import pytest

import noiseless
from noiseless.errors import Diverged, InvalidImage, InvalidParameter, UnknownName
from noiseless.noise import Gaussian
from noiseless.restoration import METHODS, Recipe, denoise, methods, restore, restore_image

STORED = {
    "uint8": (255, 0),
    "uint16": (65535, 0),
    "int16": (4000, -1000),
    "float16": (1, 0),
    "float32": (1, 0),
    "float64": (300, -50),
}


def picture(shape, dtype, noise, rng):
    """A soft ramp with an edge, in the range of its dtype, with noise of a twentieth of that range; and its sigma."""
    span, offset = STORED[dtype]
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape[:2])
    clean = 0.2 + 0.3 * rows + 0.3 * (columns > 0.4)
    if len(shape) == 3:
        clean = np.stack([clean, clean[::-1], 0.9 * clean], axis=-1)
    stored = span * (clean + noise * rng.standard_normal(clean.shape)) + offset
    if np.dtype(dtype).kind in "iu":
        stored = np.rint(stored).clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
    return span * clean + offset, stored.astype(dtype), span * noise


def half_precision(sigma):
    """How far two results may lie apart where the engine computes in bfloat16; 0 where it does not.

    Five standard errors of 36 roundings (18 layers in both), each of 2^-9 / sqrt(3) of values of up to 3 sigma. The
    largest of 6000 normal values is beyond five once in 300 times, beyond four once in three.
    """
    return 5 * 36**0.5 * 2**-9 / 3**0.5 * 3 * sigma if "bfloat16" in noiseless.score.engine_description() else 0.0


@pytest.mark.parametrize("shape", [(64, 71), (64, 71, 3)], ids=["gray", "colour"])
@pytest.mark.parametrize("dtype", STORED)
def test_dtype_range_and_shape_come_back(dtype, shape, rng):
    clean, noisy, sigma = picture(shape, dtype, 0.05, rng)
    before = noisy.copy()
    denoised = denoise(noisy, sigma=sigma, channel_axis=-1 if len(shape) == 3 else None)
    assert denoised.dtype == noisy.dtype
    assert denoised.shape == noisy.shape
    np.testing.assert_array_equal(noisy, before)
    left = np.mean((denoised.astype(np.float64) - clean) ** 2)
    assert left < 0.25 * sigma**2  # in the units that were given: at least 6 dB gained


def test_every_dtype_gives_the_same_picture(rng):
    _, noisy, sigma = picture((64, 71), "uint8", 0.05, rng)
    reference = denoise(noisy, sigma=sigma).astype(np.float64)
    # Half a grey level of rounding, and the arithmetic of the engine.
    arithmetic = half_precision(sigma) or 0.01
    for dtype, factor in (("uint16", 257), ("float32", 1 / 255), ("float64", 1.0), ("int16", 1)):
        other = denoise((noisy.astype(np.float64) * factor).astype(dtype), sigma=sigma * factor) / factor
        assert np.abs(other - reference).max() <= 0.5 + arithmetic


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gains_on_a_noisy_picture(method, rng):
    clean, noisy, sigma = picture((64, 71), "float64", 0.05, rng)
    denoised = denoise(noisy, sigma=sigma, method=method)
    assert np.mean((denoised - clean) ** 2) < 0.6 * np.mean((noisy - clean) ** 2)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_the_channels_may_be_on_any_axis(axis, rng):
    _, noisy, sigma = picture((48, 50, 3), "float32", 0.05, rng)
    moved = denoise(np.moveaxis(noisy, -1, axis), sigma=sigma, channel_axis=axis)
    np.testing.assert_array_equal(np.moveaxis(moved, axis, -1), denoise(noisy, sigma=sigma, channel_axis=-1))


def test_strides_byte_order_and_read_only_arrays_do_not_matter(rng):
    _, noisy, sigma = picture((64, 70), "uint16", 0.05, rng)
    expected = denoise(noisy, sigma=sigma)
    locked = noisy.copy()
    locked.flags.writeable = False
    swapped = noisy.astype(">u2")
    for same in (np.asfortranarray(noisy), np.repeat(noisy, 2, axis=1)[:, ::2], locked, swapped):
        np.testing.assert_array_equal(denoise(same, sigma=sigma), expected)


def test_sigma_may_be_a_number_one_a_channel_or_a_map(rng):
    _, noisy, sigma = picture((40, 50, 3), "float64", 0.05, rng)
    expected = denoise(noisy, sigma=sigma, channel_axis=-1)
    for same in (np.full(3, sigma), np.full((40, 50), sigma), np.full((40, 50, 3), sigma)):
        np.testing.assert_allclose(denoise(noisy, sigma=same, channel_axis=-1), expected, rtol=1e-6)
    np.testing.assert_array_equal(denoise(noisy, noise=Gaussian(sigma), channel_axis=-1), expected)


def test_noise_is_estimated_when_it_is_not_given(rng):
    clean, noisy, sigma = picture((160, 171), "float64", 0.05, rng)
    restored = restore(noisy)
    assert abs(restored.report["sigma"] - sigma) < 0.1 * sigma
    assert restored.noise.confidence > 0
    assert np.mean((restored.image - clean) ** 2) < 0.25 * sigma**2


def test_zero_sigma_and_zero_strength_change_nothing(rng):
    _, noisy, sigma = picture((40, 50), "uint8", 0.05, rng)
    np.testing.assert_array_equal(denoise(noisy, sigma=0), noisy)
    np.testing.assert_array_equal(denoise(noisy, sigma=sigma, strength=0), noisy)


def test_strength_is_a_factor_on_sigma(rng):
    _, noisy, sigma = picture((40, 50), "float32", 0.05, rng)
    np.testing.assert_array_equal(denoise(noisy, sigma=sigma, strength=0.5), denoise(noisy, sigma=sigma / 2))


def test_tiles_do_not_show(rng):
    _, noisy, sigma = picture((150, 171), "float32", 0.05, rng)
    np.testing.assert_allclose(denoise(noisy, sigma=sigma, tile=64), denoise(noisy, sigma=sigma), atol=1e-5)


def test_steps_follow_the_probability_flow(rng):
    _, noisy, sigma = picture((64, 71), "float32", 0.05, rng)
    mean, flow = (denoise(noisy, sigma=sigma, steps=steps, sampler="heun") for steps in (1, 4))
    # the flow keeps some of the variance that the mean gives up
    assert np.var(noisy - flow) < np.var(noisy - mean)


def test_a_torch_tensor_comes_back_as_one(rng):
    torch = pytest.importorskip("torch")
    _, noisy, sigma = picture((40, 50, 3), "float32", 0.05, rng)
    denoised = denoise(torch.from_numpy(noisy), sigma=sigma, channel_axis=-1)
    assert isinstance(denoised, torch.Tensor)
    assert denoised.dtype == torch.float32
    np.testing.assert_allclose(
        denoised.numpy(), denoise(noisy, sigma=sigma, channel_axis=-1), atol=1e-4 + half_precision(sigma)
    )


def test_a_volume_is_denoised(rng):
    volume = np.stack([picture((40, 50), "float32", 0.05, rng)[1] for _ in range(3)])
    assert denoise(volume, sigma=0.05).shape == volume.shape


def test_an_image_keeps_its_header(rng):
    _, noisy, sigma = picture((40, 50), "uint8", 0.05, rng)
    image = noiseless.Image(noisy[None] / np.float32(255), scale=255.0, stored_dtype="uint8", header={"format": "png"})
    restored = restore_image(image, sigma=sigma)
    assert restored.image.header == {"format": "png"}
    np.testing.assert_array_equal(restored.image.stored()[0], denoise(noisy, sigma=sigma))


def test_the_report_says_what_was_done(rng):
    _, noisy, sigma = picture((64, 71), "uint8", 0.05, rng)
    report = restore(noisy, sigma=sigma).report
    assert report["method"] == "score"
    assert report["sigma"] == sigma
    assert 0.8 < report["audit"]["removed_over_noise"] < 1.05
    assert report["warnings"] == []
    wrong = restore(noisy, sigma=5 * sigma).report
    assert any("check the noise" in warning for warning in wrong["warnings"])


BAD_IMAGES = {
    "empty": (np.zeros((0, 5)), "empty"),
    "one number": (np.float64(3.0), "spatial axes"),
    "a row": (np.zeros(5), "spatial axes"),
    "not a number": (np.array([[0.0, np.nan], [0.0, np.inf]]), "2 of 4 pixels"),
    "complex": (np.zeros((4, 4), complex), "complex"),
    "objects": (np.array([[object()]]), "dtype object"),
    "text": (np.array([["a"]]), "dtype"),
    "a mask": (np.zeros((4, 4), bool), "bool mask"),
    "five axes": (np.zeros((2, 2, 2, 2, 2)), "channel_axis"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_what_is_no_image_is_refused_in_one_line(name):
    array, words = BAD_IMAGES[name]
    with pytest.raises(InvalidImage, match=words) as caught:
        denoise(array, sigma=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("choices", "error", "words"),
    [
        ({"sigma": -1}, InvalidParameter, "-1"),
        ({"sigma": float("nan")}, InvalidParameter, "nan"),
        ({"sigma": np.ones((3, 7))}, InvalidImage, "does not fit"),
        ({"sigma": 1, "noise": Gaussian(1)}, InvalidParameter, "one of them"),
        ({"sigma": 1, "method": "perona-malk"}, UnknownName, "did you mean 'perona-malik'"),
        ({"sigma": 1, "model": "bass"}, UnknownName, "did you mean 'base'"),
        ({"sigma": 1, "steps": 2, "sampler": "eular"}, UnknownName, "did you mean 'euler'"),
        ({"sigma": 1, "strength": 9}, InvalidParameter, "0 to 4"),
        ({"sigma": 1, "steps": 0}, InvalidParameter, "steps is 0"),
        ({"sigma": 1, "tile": 100}, InvalidParameter, "multiple of 8"),
        ({"sigma": 1, "channel_axis": 2}, InvalidParameter, "has 2 axes"),
    ],
)
def test_a_choice_out_of_range_is_refused_in_one_line(choices, error, words):
    with pytest.raises(error, match=words) as caught:
        denoise(np.zeros((20, 20)), **choices)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("image", [np.zeros((1, 1)), np.full((30, 30), 7.0)], ids=["one pixel", "constant"])
def test_noise_that_cannot_be_known_is_asked_for(image):
    with pytest.raises(InvalidParameter, match="give sigma"):
        denoise(image)
    np.testing.assert_allclose(denoise(image, sigma=1), image, atol=6)


def test_a_method_that_breaks_down_is_not_passed_on(monkeypatch):
    monkeypatch.setattr(methods, "METHODS", {"broken": lambda: lambda noisy, sigma: noisy * np.float32("nan")})
    with pytest.raises(Diverged, match="broken"):
        denoise(np.ones((5, 5)), sigma=1, method="broken")


def test_a_recipe_is_a_value():
    assert Recipe() == Recipe("auto", "base")
    assert Recipe(method="heat") != Recipe()


def test_a_filter_takes_blind_noise_that_is_uneven(rng):
    shape = (160, 171)
    clean, _, _ = picture(shape, "float64", 0.05, rng)
    noisy = clean + np.linspace(4, 40, shape[1]) * rng.standard_normal(shape)
    restored = restore(noisy, Recipe("perona-malik"))
    assert np.mean((restored.image - clean) ** 2) < 0.6 * np.mean((noisy - clean) ** 2)
    assert restore(noisy).noise.sigma.shape == (1, *shape)  # the network takes the map
