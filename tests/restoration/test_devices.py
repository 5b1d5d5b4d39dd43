"""Where the work is done: GPUs by name, and what happens when their memory is short."""

import numpy as np
import pytest

import noiseless
from noiseless.errors import InvalidParameter
from noiseless.restoration import devices
from noiseless.restoration.tiling import Tiled

torch = pytest.importorskip("torch")

ENGINES = 1e-4
"""What OpenVINO and torch agree to in float32, nominal units; see the laws of shipped models."""


@pytest.fixture
def noisy(rng):
    return np.clip(rng.normal(120.0, 25.0, (70, 90, 3)), 0, 255).astype(np.uint8)


@pytest.fixture
def torch_for_gpu(monkeypatch):
    """Whoever asks for a GPU gets torch on the CPU: the same road but for the chip."""
    monkeypatch.setattr(devices, "load", lambda lazy: lambda name: torch.empty(0))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_refused(noisy, device):
    with pytest.raises(InvalidParameter, match=f"'{device}'.*no GPU.*'cpu'"):
        noiseless.denoise(noisy, sigma=25, channel_axis=-1, device=device)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "mps:0:1", ""])
def test_a_name_that_is_no_device_is_refused(noisy, device):
    with pytest.raises(InvalidParameter, match="use 'cpu', 'cuda'"):
        noiseless.denoise(noisy, sigma=25, channel_axis=-1, device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_auto_without_a_gpu_is_the_cpu(noisy):
    told = {"sigma": 25, "channel_axis": -1, "model": "tiny"}
    np.testing.assert_array_equal(
        noiseless.denoise(noisy, device="auto", **told), noiseless.denoise(noisy, device="cpu", **told)
    )


def test_a_tensor_stays_where_it_is(noisy):
    with pytest.raises(InvalidParameter, match="'cuda', and the tensor is on 'cpu'"):
        noiseless.denoise(torch.from_numpy(noisy), sigma=25, channel_axis=-1, device="cuda")


def test_a_device_does_the_work_of_an_array(noisy, torch_for_gpu):
    told = {"sigma": 25, "channel_axis": -1, "model": "tiny"}
    nominal = (noisy / 255).astype(np.float32)
    there = noiseless.denoise(nominal, device="cuda", **told | {"sigma": 25 / 255})
    here = noiseless.denoise(nominal, **told | {"sigma": 25 / 255})
    assert isinstance(there, np.ndarray)
    assert not np.array_equal(there, nominal)
    np.testing.assert_allclose(there, here, atol=ENGINES)


class Cramped:
    """A box mean on a device whose memory holds so many pixels."""

    def __init__(self, denoiser, pixels):
        self.denoiser, self.pixels, self.refused = denoiser, pixels, 0

    def reach(self, sigma):
        return self.denoiser.reach(sigma)

    def __call__(self, noisy, sigma):
        if noisy.shape[-1] * noisy.shape[-2] > self.pixels:
            self.refused += 1
            raise MemoryError
        return self.denoiser(noisy, sigma)


def test_tiles_become_smaller_where_memory_is_short(box_mean, rng):
    image = rng.random((1, 400, 300), dtype=np.float32)
    cramped = Cramped(box_mean, 20_000)
    np.testing.assert_array_equal(Tiled(cramped)(image, 0.1), Tiled(box_mean)(image, 0.1))
    assert cramped.refused > 0


def test_memory_that_holds_no_tile_at_all_is_said_in_a_line(box_mean, rng):
    image = rng.random((1, 100, 100), dtype=np.float32)
    with pytest.raises(InvalidParameter, match=r"memory of cpu is too small.*--device cpu"):
        devices.on_device(Tiled(Cramped(box_mean, 100)), torch.empty(0))(image, 0.1)


def test_the_engine_says_when_the_memory_of_its_device_is_short(monkeypatch, rng):
    from noiseless.score import NetworkDenoiser
    from noiseless.score.networks.residual import ResidualNetwork

    image = torch.from_numpy(rng.random((3, 300, 200), dtype=np.float32))
    denoiser = NetworkDenoiser("tiny", precision="float32")
    whole = denoiser(image, 0.1)
    forward = ResidualNetwork.forward

    def cramped(self, noisy, sigma):
        if noisy.shape[-1] * noisy.shape[-2] > 200 * 200:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, noisy, sigma)

    monkeypatch.setattr(ResidualNetwork, "forward", cramped)
    with pytest.raises(MemoryError, match="no room"):
        denoiser(image, 0.1)
    np.testing.assert_allclose(Tiled(denoiser)(image, 0.1), whole, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 1e-3)])
def test_a_gpu_gives_what_the_cpu_gives(precision, tolerance, rng):
    from noiseless.score import NetworkDenoiser

    image = rng.random((3, 300, 200), dtype=np.float32)
    there = NetworkDenoiser(precision=precision)(torch.from_numpy(image).cuda(), 0.1).cpu().numpy()
    np.testing.assert_allclose(there, NetworkDenoiser(precision="float32")(image, 0.1), atol=tolerance)
