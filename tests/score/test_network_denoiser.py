from dataclasses import replace

import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.score import NetworkDenoiser, network_denoiser
from noiseless.score.checkpoint import load_model
from noiseless.score.engines import openvino_engine
from noiseless.score.engines.openvino_engine import OpenVINOEngine
from noiseless.score.network_denoiser import LARGEST_NOISE


@pytest.fixture
def denoiser(model_file):
    return NetworkDenoiser(str(model_file), precision="float32")


@pytest.fixture
def noisy(rng, checkpoint):
    return rng.random((checkpoint.shape.channels, 37, 50), dtype=np.float32)


def test_the_two_engines_agree(denoiser, noisy):
    torch = pytest.importorskip("torch")
    other = denoiser(torch.from_numpy(noisy), 0.1)
    assert isinstance(other, torch.Tensor)
    # the bar of the design; the difference is float32 rounding through 6 layers, about 1e-6
    np.testing.assert_allclose(other.numpy(), denoiser(noisy, 0.1), atol=1e-4)


def test_scaling_image_and_noise_scales_the_result(denoiser, noisy):
    # a power of two changes no rounding, so the law holds to the bit
    np.testing.assert_array_equal(denoiser(4 * noisy, 0.4) / 4, denoiser(noisy, 0.1))


def test_no_pixel_moves_by_more_than_the_largest_noise(denoiser, noisy):
    sigma = 0.01
    moved = np.abs(denoiser(noisy, sigma) - noisy).max()
    rounding = 2 * np.finfo(np.float32).eps  # of the subtraction, for values up to 1
    assert moved <= LARGEST_NOISE * sigma + rounding


def test_a_sigma_map_of_one_value_is_that_number(denoiser, noisy):
    np.testing.assert_array_equal(denoiser(noisy, np.full(noisy.shape, 0.1, np.float32)), denoiser(noisy, 0.1))


def test_pixels_without_noise_stay_as_they_are(denoiser, noisy):
    sigma = np.zeros((1, *noisy.shape[1:]), np.float32)
    sigma[:, :, 25:] = 0.1
    denoised = denoiser(noisy, sigma)
    np.testing.assert_array_equal(denoised[:, :, :25], noisy[:, :, :25])
    assert np.abs(denoised[:, :, 25:] - noisy[:, :, 25:]).max() > 0


def test_an_output_pixel_depends_on_its_reach_and_no_further(denoiser, checkpoint, rng):
    noisy = rng.random((checkpoint.shape.channels, 48, 48), dtype=np.float32)
    changed = noisy.copy()
    changed[:, 24, 24] += 1.0
    touched = np.argwhere(np.abs(denoiser(changed, 0.5) - denoiser(noisy, 0.5)).max(axis=0) > 0)
    assert np.abs(touched - 24).max() <= denoiser.reach(0.5)
    assert np.abs(touched - 24).max() > denoiser.reach(0.5) // 2


def test_a_volume_is_denoised_slice_by_slice(denoiser, checkpoint, rng):
    volume = rng.random((checkpoint.shape.channels, 3, 20, 22), dtype=np.float32)
    by_slice = np.stack([denoiser(volume[:, z], 0.1) for z in range(3)], axis=1)
    # batches may be summed in another order: float32 rounding through 6 layers
    np.testing.assert_allclose(denoiser(volume, 0.1), by_slice, atol=1e-5)


@pytest.mark.parametrize("checkpoint", [1], indirect=True, ids=["gray"])
def test_other_numbers_of_channels_are_denoised_one_by_one(denoiser, rng):
    noisy = rng.random((4, 20, 22), dtype=np.float32)
    one_by_one = np.concatenate([denoiser(noisy[c : c + 1], 0.1) for c in range(4)])
    np.testing.assert_allclose(denoiser(noisy, 0.1), one_by_one, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 3), (17, 4)])
def test_the_smallest_and_oddest_images_pass(denoiser, checkpoint, shape, rng):
    noisy = rng.random((checkpoint.shape.channels, *shape), dtype=np.float32)
    denoised = denoiser(noisy, 0.1)
    assert denoised.shape == noisy.shape
    assert np.isfinite(denoised).all()


@pytest.mark.parametrize("sigma", [-0.1, float("nan"), float("inf"), np.array([0.1, -0.1, 0.1])[:, None, None]])
def test_sigma_out_of_range_is_refused(denoiser, noisy, sigma):
    with pytest.raises(InvalidParameter, match="finite, at least 0"):
        denoiser(noisy, sigma)


def test_sigma_of_another_shape_is_refused(denoiser, noisy):
    with pytest.raises(InvalidParameter, match="does not broadcast"):
        denoiser(noisy, np.full((1, 3, 3), 0.1))


def test_an_image_without_a_channel_axis_is_refused(denoiser):
    with pytest.raises(InvalidImage, match="axes"):
        denoiser(np.zeros((8, 8), np.float32), 0.1)


def test_an_unknown_precision_is_refused():
    with pytest.raises(InvalidParameter, match="precision"):
        NetworkDenoiser(precision="float8")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_shipped_model_beats_every_linear_filter_on_an_edge(channels, rng):
    clean = np.zeros((channels, 64, 64), np.float32)
    clean[:, :, 32:] = 1.0
    sigma = 0.1
    noisy = (clean + sigma * rng.standard_normal(clean.shape)).astype(np.float32)
    error = np.mean((NetworkDenoiser()(noisy, sigma) - clean) ** 2)
    # a box filter of width w leaves sigma**2 / w**2 of noise and about w / (6 * 64) of blur on this edge;
    # over all w the sum is least near w = 3, at 0.0011 + 0.0069
    assert error < 0.001


def test_bfloat16_inside_the_network_costs_little(noisy, rng):
    clean = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (1, 96, 1))
    noisy = (clean + 0.1 * rng.standard_normal(clean.shape)).astype(np.float32)
    exact = NetworkDenoiser(precision="float32")(noisy, 0.1)
    short = NetworkDenoiser(precision="bfloat16")(noisy, 0.1)
    # bfloat16 keeps 8 bits: every layer rounds by up to 2**-9 of its values, here of size 1; 18 layers at random
    assert np.sqrt(np.mean((exact - short) ** 2)) < 2**-9 * 18**0.5


def test_bfloat16_is_checked_before_it_is_used(monkeypatch):
    checkpoint = load_model("base", 1)
    monkeypatch.setattr(openvino_engine, "fastest_precision", lambda: "bfloat16")
    engine = OpenVINOEngine(checkpoint, precision="auto")  # sound, so nothing is said
    assert engine.compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "bf16"


def test_a_cpu_whose_bfloat16_is_wrong_is_told_of_and_not_believed(monkeypatch, rng):
    checkpoint = load_model("tiny", 1)
    compiled = openvino_engine._compiled

    def broken(checkpoint, precision, threads):
        if precision == "bfloat16":
            kernels = {name: kernel * 1.02 for name, kernel in checkpoint.kernels.items()}
            checkpoint = replace(checkpoint, kernels=kernels)
        return compiled(checkpoint, "float32", threads)

    monkeypatch.setattr(openvino_engine, "fastest_precision", lambda: "bfloat16")
    monkeypatch.setattr(openvino_engine, "_compiled", broken)
    with pytest.warns(UserWarning, match="bfloat16 on this CPU is .* off float32.*float32 is used"):
        engine = OpenVINOEngine(checkpoint, precision="auto")
    image, sigma = rng.random((1, 1, 16, 16), dtype=np.float32), np.full((1, 1, 16, 16), 0.1, np.float32)
    exact = OpenVINOEngine(checkpoint, precision="float32")
    np.testing.assert_array_equal(engine(image, sigma), exact(image, sigma))


def test_a_volume_goes_through_in_parts(monkeypatch, denoiser, checkpoint, rng):
    volume = rng.random((checkpoint.shape.channels, 7, 40, 50), dtype=np.float32)
    sigma = np.float32(0.05) + np.float32(0.1) * rng.random((1, 7, 1, 1), dtype=np.float32)
    at_once = denoiser(volume, sigma)
    monkeypatch.setattr(network_denoiser, "LARGEST_BATCH", 3 * 40 * 50)
    np.testing.assert_array_equal(denoiser(volume, sigma), at_once)


@pytest.mark.parametrize(("variable", "argument", "threads"), [("1", 0, 1), ("1,4", 0, 1), ("1", 2, 2)])
def test_the_engine_keeps_to_the_threads_of_the_environment(checkpoint, monkeypatch, variable, argument, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    engine = OpenVINOEngine(checkpoint, precision="float32", threads=argument)
    assert engine.compiled.get_property("INFERENCE_NUM_THREADS") == threads
    # or several bounded processes would share the same first cores
    assert not engine.compiled.get_property("ENABLE_CPU_PINNING")
