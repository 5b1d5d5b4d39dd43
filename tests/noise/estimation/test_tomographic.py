import numpy as np

from noiseless.noise.estimation.tomographic import RAMP, tomographic_spectrum


def frequency(side):
    return np.hypot(np.fft.fftfreq(side)[:, np.newaxis], np.fft.fftfreq(side))


def test_the_spectrum_of_back_projection_stays_as_it_is():
    radius = frequency(64)
    power = radius * np.exp(-((radius / 0.3) ** 2))
    # Rings are a pixel wide, and the mean over the ring where the ramp ends lies a little beyond it.
    found = tomographic_spectrum(power)
    inside = radius > RAMP
    np.testing.assert_allclose(found[inside], power[inside], rtol=0.2, atol=0.05 * power.max())
    assert found[0, 0] == 0.0


def test_what_a_body_adds_at_low_frequencies_is_taken_off(rng):
    radius = frequency(64)
    noise = np.minimum(radius, 0.3)
    body = 50.0 / (1.0 + (radius / 0.02) ** 4)
    found = tomographic_spectrum(noise + body)
    assert found.sum() < 1.1 * noise.sum()
    assert (noise + body).sum() > 1.3 * noise.sum()
    noisy = noise * rng.exponential(1.0, noise.shape)
    assert np.std(tomographic_spectrum(noisy)[20] / noise[20]) < 0.5 * np.std(noisy[20] / noise[20])
