import numpy as np
import pytest

from noiseless.diffusion import PeronaMalik
from noiseless.errors import InvalidParameter
from noiseless.generation import PlugAndPlay
from noiseless.generation.plug_and_play import MOST_LEVELS, alternate, prior_levels


def spectrum_of_blur(space, width, sigma):
    frequency = np.add.outer(np.fft.fftfreq(space[0]) ** 2, np.fft.fftfreq(space[1]) ** 2)
    power = np.exp(-4 * np.pi**2 * width**2 * frequency)
    return power / power.mean() * sigma**2


def noise_of(spectrum, rng):
    return np.fft.ifft2(np.fft.fft2(rng.standard_normal(spectrum.shape)) * np.sqrt(spectrum)).real


@pytest.fixture
def picture():
    rows, columns = np.mgrid[0:96, 0:100]
    return (0.2 + 0.3 * (columns > 40) + 0.3 * (rows + columns > 110))[np.newaxis]


def test_white_noise_is_one_call_of_the_denoiser(picture, rng):
    noisy = picture + 0.1 * rng.standard_normal(picture.shape)
    white = np.full(picture.shape[1:], 0.01)
    np.testing.assert_allclose(PlugAndPlay(PeronaMalik())(noisy, white), PeronaMalik()(noisy, 0.1), atol=1e-12)


def test_no_noise_changes_nothing(picture):
    np.testing.assert_array_equal(PlugAndPlay(PeronaMalik())(picture, np.zeros(picture.shape[1:])), picture)


@pytest.mark.parametrize("width", [0.8, 1.5])
def test_it_beats_the_white_denoiser_at_its_best_level(width, picture, rng):
    spectrum = spectrum_of_blur(picture.shape[1:], width, 0.1)
    noisy = picture + noise_of(spectrum, rng)
    single = min(np.mean((PeronaMalik()(noisy, 0.1 * f) - picture) ** 2) for f in (0.7, 1, 1.4, 2, 2.8))
    assert np.mean((PlugAndPlay(PeronaMalik())(noisy, spectrum) - picture) ** 2) < single


def test_frequencies_without_noise_are_trusted(picture):
    # The noise lives on the rows' means only; what is not a row mean must come through where it is an edge.
    spectrum = np.zeros(picture.shape[1:])
    spectrum[:, 0] = 0.01 * picture.shape[2]
    spectrum += 1e-6
    rng = np.random.default_rng(1)
    noisy = picture + 0.1 * rng.standard_normal((1, picture.shape[1], 1))
    restored = PlugAndPlay(PeronaMalik())(noisy, spectrum)
    assert np.mean((restored - picture) ** 2) < 0.3 * np.mean((noisy - picture) ** 2)


def test_image_and_noise_scale_together(picture, rng):
    spectrum = spectrum_of_blur(picture.shape[1:], 1.0, 0.1)
    noisy = picture + noise_of(spectrum, rng)
    restored = PlugAndPlay(PeronaMalik())(noisy, spectrum)
    np.testing.assert_allclose(PlugAndPlay(PeronaMalik())(50 * noisy, 2500 * spectrum), 50 * restored, rtol=1e-9)


def test_each_channel_may_have_its_spectrum(picture, rng):
    spectrum = spectrum_of_blur(picture.shape[1:], 1.0, 0.1)
    noisy = np.concatenate([picture + noise_of(spectrum, rng)] * 2)
    both = PlugAndPlay(PeronaMalik())(noisy, np.stack([spectrum, spectrum]))
    np.testing.assert_allclose(both, PlugAndPlay(PeronaMalik())(noisy, spectrum), rtol=1e-12)


def test_torch_takes_the_same_road(picture, rng):
    torch = pytest.importorskip("torch")
    spectrum = spectrum_of_blur(picture.shape[1:], 1.0, 0.1)
    noisy = picture + noise_of(spectrum, rng)
    restored = PlugAndPlay(PeronaMalik())(torch.from_numpy(noisy), torch.from_numpy(spectrum))
    # the compiled kernel and the torch filter agree to 1e-6 a call
    np.testing.assert_allclose(restored.numpy(), PlugAndPlay(PeronaMalik())(noisy, spectrum), atol=1e-5)


def test_levels_fall_from_the_strongest_to_the_weakest_power():
    levels = prior_levels(spectrum_of_blur((64, 64), 1.0, 10.0))
    assert levels == tuple(sorted(levels, reverse=True))
    assert levels[0] == pytest.approx(30)
    assert levels[-1] == pytest.approx(2)
    assert prior_levels(np.full((4, 4), 9.0)) == (3.0,)
    assert prior_levels(np.zeros((4, 4))) == ()


@pytest.mark.parametrize("bad", [np.ones((5, 5)), -np.ones((96, 100)), np.full((96, 100), np.nan)])
def test_a_spectrum_that_does_not_fit_is_refused(bad, picture):
    with pytest.raises(InvalidParameter, match="spectrum"):
        PlugAndPlay(PeronaMalik())(picture, bad)


def test_data_and_denoiser_take_turns_and_the_denoiser_has_the_last_word():
    asked = []

    def denoiser(image, level):
        asked.append(("denoiser", image, level))
        return image + 1

    def data(image, variance):
        asked.append(("data", image, variance))
        return 2 * image

    assert alternate(denoiser, data, 1, [3.0, 2.0, 1.0]) == 2 * (2 * 2 + 1) + 1
    assert asked == [
        ("denoiser", 1, 3.0),
        ("data", 2, 16.0),
        ("denoiser", 4, 2.0),
        ("data", 5, 4.0),
        ("denoiser", 10, 1.0),
    ]


def test_the_most_coloured_noise_takes_eight_levels():
    powers = np.array([0.0] * 400 + [1.0])
    assert len(prior_levels(powers)) == MOST_LEVELS == 8
    # two levels from a ratio of the square root of 1.5 on
    assert [len(prior_levels(np.array([1.0, ratio**2]))) for ratio in (1.22, 1.23)] == [1, 2]
