"""What the whole decides is decided once: the noise and the report, from a sample of all of it."""

import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.image import from_array
from noiseless.noise import Gaussian, Poisson
from noiseless.restoration import Recipe, block_decision, restore_image
from noiseless.restoration.block_sample import SIDE, sample_of

from .chunked import EXACT, MEMORY, Chunked, clean, noisy, of_whole, restored


@pytest.mark.usefixtures("small_blocks")
def test_the_noise_is_estimated_once_for_each_channel_and_never_for_a_block(monkeypatch):
    sigmas = np.array([0.02, 0.08]).reshape(1, 2, 1, 1)
    values = clean((3, 2, 150, 140)) + sigmas * np.random.default_rng(0).standard_normal((3, 2, 150, 140))
    source, calls = Chunked(values.astype(np.float32)), []
    known = block_decision.known_noise
    monkeypatch.setattr(block_decision, "known_noise", lambda *given: (calls.append(given), known(*given))[1])
    found, result = restored(source, Recipe(EXACT), (16, 16), noise="gaussian")
    assert len(calls) == 2
    for noise, sigma in zip(result.noise, (0.02, 0.08), strict=True):
        assert noise.sigma == pytest.approx(sigma, rel=0.1)
    assert [report["noise"] for report in result.reports] == ["gaussian", "gaussian"]
    for channel, noise in enumerate(result.noise):
        whole, _ = of_whole(source, 1, slice(channel, channel + 1), Recipe(EXACT), noise=noise.model)
        np.testing.assert_allclose(found[1, channel : channel + 1], whole, atol=1e-5)


def test_the_noise_of_a_large_image_is_known_from_a_sample_of_all_of_it():
    shape = (2, 1, 3, 500, 700)
    source = Chunked(noisy(shape, Gaussian(0.05)))
    sample = sample_of(source, slice(0, 1), memory_bytes=2**27, deep=False)
    assert sample.space[-2:] == (SIDE, SIDE)
    assert sample.pixels.nbytes < source.values.nbytes / 2
    assert sample.volumes == sample.space[0] > 8
    _, result = restored(source, Recipe("non-local-means"), (1, 64, 64), noise="gaussian")
    assert result.noise[0].sigma == pytest.approx(0.05, rel=0.05)


def test_windows_without_content_are_left_out_of_the_sample():
    values = np.zeros((1, 1, 2000, 1000), np.uint16)
    values[..., :500, :500] = np.rint(1000 * noisy((1, 1, 500, 500), Gaussian(0.05)))
    sample = sample_of(Chunked(values), slice(0, 1), memory_bytes=2**26, deep=False)
    assert (np.ptp(sample.pixels, axis=(-2, -1)) > 0).all()
    nothing = sample_of(Chunked(values[..., 500:, 500:]), slice(0, 1), memory_bytes=2**24, deep=False)
    assert nothing.pixels.shape == (1, 1, SIDE, SIDE)
    with pytest.raises(InvalidParameter, match="give sigma"):
        restored(Chunked(values[..., 500:, 500:]), Recipe(EXACT), (16, 16), memory=2**26)


def test_a_small_image_is_its_own_sample():
    values = noisy((2, 3, 4, 67, 51), Gaussian(0.05))
    sample = sample_of(Chunked(values), slice(1, 2), memory_bytes=MEMORY, deep=True)
    np.testing.assert_allclose(
        sample.in_stored_units(), np.moveaxis(values[:, 1:2], 0, 1).reshape(1, 8, 67, 51), atol=1e-6
    )
    assert sample.volumes == 2


def test_the_report_is_that_of_an_image_in_memory(small_blocks):
    source = Chunked(noisy((1, 1, 67, 51), Gaussian(0.1)))
    _, result = restored(source, Recipe(EXACT), (16, 16), sigma=0.1)
    (report,) = result.reports
    whole = restore_image(from_array(source.values[0], channel_axis=0), Recipe(EXACT), sigma=0.1).report
    assert report.keys() == whole.keys()
    assert report["audit"]["removed"] == pytest.approx(whole["audit"]["removed"], rel=1e-4)
    assert {**report, "seconds": 0, "audit": 0} == {**whole, "seconds": 0, "audit": 0}


def test_few_photons_are_told(small_blocks):
    source = Chunked(noisy((1, 1, 67, 51), Poisson(1.0), scale=3.0))
    _, result = restored(source, Recipe(EXACT), (16, 16), noise=Poisson(1.0))
    assert "few photons" in result.reports[0]["warnings"][0]
    source = Chunked(noisy((1, 1, 67, 51), Poisson(1.0), scale=300.0))
    _, result = restored(source, Recipe(EXACT), (16, 16), noise=Poisson(1.0))
    assert not any("few photons" in warning for warning in result.reports[0]["warnings"])


def test_the_error_is_predicted_from_the_sample():
    values = noisy((1, 1, 700, 700), Gaussian(0.1))
    result, report = restored(Chunked(values), Recipe("score", "tiny", predict=True), (64, 64), sigma=0.1, memory=2**27)
    true = float(np.mean(np.square(result - clean((1, 1, 700, 700)))))
    found = report.reports[0]["audit"]
    assert found["predicted_rmse"] ** 2 == pytest.approx(true, rel=0.3)  # waves alike everywhere, so windows suffice


def test_progress_rises_to_the_end(small_blocks):
    shares = []
    source = Chunked(noisy((1, 2, 67, 51), Gaussian(0.1)))
    _, result = restored(source, Recipe("non-local-means"), (16, 16), sigma=0.1, progress=shares.append)
    assert shares == [(number + 1) / result.blocks for number in range(result.blocks)]
