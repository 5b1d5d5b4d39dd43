"""Video over time: still and moving scenes, cuts, changes of light, tensors, what is told and what is found."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

import noiseless
from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.restoration import TemporalDenoiser

SIGMA = 25 / 255


def scene(seed=0, shape=(96, 128)):
    """Texture on two scales, within [0.1, 0.9]."""
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.standard_normal(shape), 6) * 6 + gaussian_filter(rng.standard_normal(shape), 1.5)
    return np.clip(0.5 + 0.2 * image / image.std(), 0.1, 0.9).astype(np.float32)[np.newaxis]


def noisy(clean, rng, sigma=SIGMA):
    return (clean + sigma * rng.standard_normal(clean.shape)).astype(np.float32)


def psnr(image, clean):
    return noiseless.psnr(np.clip(image, 0, 1), clean, data_range=1.0)


def single(frame, sigma=SIGMA):
    return TemporalDenoiser(sigma=sigma, model="tiny").push(frame)


def test_the_first_frame_is_what_the_network_makes_of_it(rng):
    frame = noisy(scene(), rng)
    network = noiseless.score.NetworkDenoiser("tiny")
    np.testing.assert_array_equal(single(frame), network(frame, SIGMA))


def test_what_stands_still_is_averaged_and_its_noise_is_known(rng):
    clean = scene()
    denoiser = TemporalDenoiser(sigma=SIGMA, model="tiny")
    for _ in range(12):
        last = noisy(clean, rng)
        result = denoiser.push(last)
    assert psnr(result, clean) > psnr(single(last), clean) + 2.0
    # Twelve frames leave 1 / sqrt(12) = 0.29 of the noise, and more where a test was alarmed by chance.
    assert np.median(denoiser.sigma_map) == pytest.approx(SIGMA / 12**0.5, rel=0.05)
    fusion = TemporalDenoiser(sigma=SIGMA, model="none")
    for _ in range(12):
        mean = fusion.push(noisy(clean, rng))
    error, told = np.std(mean - clean), float(np.sqrt(np.mean(np.square(fusion.sigma_map))))
    assert error == pytest.approx(told, rel=0.15)


def test_a_pan_by_fractions_of_pixels_is_followed(rng):
    wide = scene(shape=(120, 180))[0]
    denoiser, gains = TemporalDenoiser(sigma=SIGMA, model="tiny"), []
    for index in range(10):
        clean = shift(wide, (-0.6 * index, -2.3 * index), order=3, mode="nearest")[8:104, 8:136][np.newaxis]
        frame = noisy(clean, rng)
        gains.append(psnr(denoiser.push(frame), clean) - psnr(single(frame), clean))
    assert np.mean(gains[4:]) > 1.0


def test_what_moves_leaves_no_ghost(rng):
    """A square as bright as the noise is strong crosses a flat ground: behind it the ground is as good as ever."""
    denoiser, ghosts, plain = TemporalDenoiser(sigma=SIGMA, model="tiny"), [], []
    for index in range(24):
        clean = np.full((1, 96, 160), 0.4, np.float32)
        left = 10 + 4 * index
        clean[:, 30:60, left : left + 30] += SIGMA
        frame = noisy(clean, rng)
        error, alone = denoiser.push(frame) - clean, single(frame) - clean
        if index > 8:
            behind = np.s_[0, 34:56, left - 12 : left - 2]
            ghosts.append(error[behind].mean())
            plain.append(np.sqrt(np.mean(alone[behind] ** 2)))
    # The bias of what was uncovered is below the error that one frame has there.
    assert abs(np.mean(ghosts)) < np.mean(plain)


def test_a_cut_begins_anew(rng):
    first, second = scene(1), 1.0 - scene(2)
    denoiser = TemporalDenoiser(sigma=SIGMA, model="tiny")
    for _ in range(6):
        denoiser.push(noisy(first, rng))
    frame = noisy(second, rng)
    result = denoiser.push(frame)
    assert denoiser.report()["cuts"] == 1
    np.testing.assert_array_equal(result, single(frame))


def test_a_change_of_light_is_followed_without_losing_what_was_known(rng):
    clean = scene()
    denoiser = TemporalDenoiser(sigma=SIGMA, model="tiny")
    for _ in range(12):
        denoiser.push(noisy(clean, rng))
    brighter = (1.25 * clean - 0.05).astype(np.float32)
    frame = noisy(brighter, rng)
    result = denoiser.push(frame)
    assert denoiser.report()["exposure_changes"] == 1
    assert denoiser.report()["cuts"] == 0
    assert abs(float((result - brighter).mean())) < 0.1 * SIGMA
    assert psnr(result, brighter) > psnr(single(frame), brighter) + 1.0


@pytest.mark.parametrize("channels", [1, 3])
def test_sigma_is_found_and_followed(channels, rng):
    clean = np.repeat(scene(), channels, axis=0)
    denoiser = TemporalDenoiser(model="none")
    for _ in range(8):
        denoiser.push(noisy(clean, rng))
    assert denoiser.sigma == pytest.approx(np.full(channels, SIGMA), rel=0.12)
    found = denoiser.sigma.copy()
    for factor in (1.1, 1.5):  # slowly, and at once
        for _ in range(30):
            denoiser.push(noisy(clean, rng, factor * SIGMA))
        assert denoiser.sigma / found == pytest.approx(np.full(channels, factor), rel=0.06)


def test_noise_that_a_codec_tied_together_is_fused_and_not_found_too_weak(rng):
    clean = scene(shape=(160, 192))
    denoiser = TemporalDenoiser(model="tiny")
    for _ in range(12):
        tied = gaussian_filter(rng.standard_normal(clean.shape), (0, 0.8, 0.8))
        frame = (clean + SIGMA * tied / tied.std()).astype(np.float32)
        result = denoiser.push(frame)
    assert denoiser.report()["cuts"] == 0
    assert denoiser.sigma > 0.8 * SIGMA
    # Twelve frames that share no noise have 10.8 dB less of it, whatever it looks like. What the first frames saw move,
    # before it was known that their noise is tied together, costs some.
    assert psnr(result, clean) > psnr(frame, clean) + 6.0


def test_noise_of_the_luminance_alone_is_not_taken_for_that_of_one_colour(rng):
    """As after storing colour differences at half resolution: the same noise in all colours."""
    gray = noisy(scene(shape=(160, 192)), rng)
    denoiser = TemporalDenoiser(model="none")
    denoiser.push(np.repeat(gray, 3, axis=0))
    assert denoiser.sigma == pytest.approx(np.full(3, SIGMA / (0.299**2 + 0.587**2 + 0.114**2) ** 0.5), rel=0.1)


def test_the_mean_is_of_so_many_frames_as_memory_says(rng):
    denoiser = TemporalDenoiser(sigma=SIGMA, model="none", memory=4)
    clean = scene()
    for _ in range(30):
        denoiser.push(noisy(clean, rng))
    # The least gain K = 1/4 leaves K / (2 - K) of the variance, where no test was alarmed by chance.
    assert denoiser.sigma_map.min() == pytest.approx(SIGMA * (0.25 / 1.75) ** 0.5, rel=1e-3)


def test_a_state_goes_on_as_if_there_had_been_no_break(rng):
    clean = scene()
    frames = [noisy(shift(clean, (0, 0, 0.7 * index), order=1, mode="nearest"), rng) for index in range(6)]
    whole, first, second = (TemporalDenoiser(model="tiny") for _ in range(3))
    expected = [whole.push(frame) for frame in frames]
    for frame in frames[:3]:
        first.push(frame)
    second.resume(first.state())
    for frame, result in zip(frames[3:], expected[3:], strict=True):
        np.testing.assert_array_equal(second.push(frame), result)
    assert second.report() == whole.report()


def test_a_new_size_begins_anew_and_another_model_goes_on(rng):
    denoiser = TemporalDenoiser(sigma=SIGMA, model="tiny")
    denoiser.push(noisy(scene(), rng))
    small = noisy(scene()[:, :40, :48], rng)
    np.testing.assert_array_equal(denoiser.push(small), single(small))
    denoiser.model, denoiser.motion = "none", "none"
    assert denoiser.push(small).shape == small.shape
    # The same frame twice: the mean of both is the frame.
    np.testing.assert_allclose(denoiser.push(small), small, atol=1e-6)


def test_the_noise_of_other_channels_is_found_anew(rng):
    denoiser = TemporalDenoiser(model="none")
    denoiser.push(noisy(np.repeat(scene(), 3, axis=0), rng))
    denoiser.push(noisy(scene(), rng, 0.5 * SIGMA))
    assert denoiser.sigma == pytest.approx([0.5 * SIGMA], rel=0.15)


def test_without_noise_a_frame_stays_as_it_is(rng):
    frame = scene()
    denoiser = TemporalDenoiser(sigma=0.0, model="tiny")
    for _ in range(2):
        np.testing.assert_array_equal(denoiser.push(frame), frame)


@pytest.mark.parametrize("motion", ["flow", "none"])
def test_tensors_stay_tensors_and_agree_with_arrays(motion, rng):
    torch = pytest.importorskip("torch")
    arrays = TemporalDenoiser(sigma=SIGMA, model="tiny", motion=motion, precision="float32")
    tensors = TemporalDenoiser(sigma=SIGMA, model="tiny", motion=motion, precision="float32")
    clean = scene(shape=(48, 64))
    for index in range(3):
        frame = noisy(shift(clean, (0, 0.4 * index, 1.3 * index), order=1, mode="nearest"), rng)
        expected, result = arrays.push(frame), tensors.push(torch.from_numpy(frame))
        assert isinstance(result, torch.Tensor)
        # The engines agree to 1e-4; a displacement on the border of two sixty-fourths of a pixel may round either way.
        assert np.mean(np.abs(result.numpy() - expected) > 2e-4) < 0.01


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sigma": -0.1}, "sigma is -0.1"),
        ({"sigma": float("nan")}, "sigma is nan"),
        ({"motion": "fast"}, "motion is 'fast'"),
        ({"strength": -1.0}, "strength is -1"),
        ({"memory": 0.5}, "memory is 0.5 frames"),
    ],
)
def test_bad_parameters_are_named(arguments, said):
    with pytest.raises(InvalidParameter, match=said):
        TemporalDenoiser(**arguments)


def test_bad_frames_are_named(rng):
    denoiser = TemporalDenoiser(sigma=(0.1, 0.2, 0.1))
    with pytest.raises(InvalidImage, match="uint8"):
        denoiser.push(np.zeros((1, 8, 8), np.uint8))
    with pytest.raises(InvalidImage, match="shape"):
        denoiser.push(np.zeros((8, 8), np.float32))
    with pytest.raises(InvalidImage, match="NaN"):
        denoiser.push(np.full((1, 8, 8), np.nan, np.float32))
    with pytest.raises(InvalidParameter, match="3 sigmas and 1 channels"):
        denoiser.push(np.zeros((1, 8, 8), np.float32))
    with pytest.raises(InvalidParameter, match="no frame yet"):
        _ = TemporalDenoiser().sigma_map


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5), (1, 7, 300)])
def test_small_and_narrow_frames(shape, rng):
    denoiser = TemporalDenoiser(sigma=0.1, model="tiny")
    for _ in range(3):
        assert denoiser.push(rng.random(shape, dtype=np.float32)).shape == shape
