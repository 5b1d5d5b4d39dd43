"""Memory that is short, of the machine or of a GPU: one line with a remedy, and nothing half-written."""

import numpy as np
import pytest

from noiseless.apps.cli import main

TINY = ["--model", "tiny", "--sigma", "20"]


@pytest.fixture
def engine(monkeypatch):
    """``engine(limit, kind)``: the network fails on more pixels than that, by an error of that kind; its calls."""

    def limited(limit, kind):
        chosen = pytest.importorskip("noiseless.score.engines.openvino_engine").OpenVINOEngine
        real, calls = chosen.__call__, []

        def call(self, noisy, sigma):
            calls.append(noisy.shape[-2:])
            if noisy.shape[-2] * noisy.shape[-1] > limit:
                raise kind
            return real(self, noisy, sigma)

        monkeypatch.setattr(chosen, "__call__", call)
        return calls

    return limited


def test_of_the_machine_it_is_told_in_a_line(engine, inputs, tmp_path, capfd):
    engine(0, MemoryError())
    (tmp_path / "out.png").write_bytes(b"old")
    assert main(["denoise", str(inputs / "a.png"), "-o", str(tmp_path / "out.png"), "--force", *TINY]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        "noiseless: memory was short; close other programs, or give --tile or --memory less, or a smaller image\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_in_a_folder_each_is_told_and_another_run_does_them(engine, inputs, tmp_path, capfd, monkeypatch):
    words = ["denoise", str(inputs / "many"), "-o", str(tmp_path), *TINY]
    calls = engine(0, MemoryError())
    assert main(words) == 1
    _, err = capfd.readouterr()
    assert calls
    assert err.count("memory was short; fewer --jobs, less --memory, a smaller --tile") == 4
    assert "unforeseen" not in err
    assert list(tmp_path.glob("*.png")) == []
    monkeypatch.undo()
    assert main(words) == 0
    assert len(list(tmp_path.glob("*.png"))) == 4


def test_of_a_gpu_smaller_tiles_are_taken_and_then_it_is_told(monkeypatch):
    torch = pytest.importorskip("torch")
    from noiseless.errors import InvalidParameter
    from noiseless.restoration import denoise
    from noiseless.score.networks.residual import ResidualNetwork

    noisy = torch.from_numpy(np.random.default_rng(0).random((256, 256), np.float32))
    real, limit = ResidualNetwork.forward, [256 * 200]

    def forward(self, image, sigma):
        if image.shape[-2] * image.shape[-1] > limit[0]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")
        return real(self, image, sigma)

    whole = denoise(noisy, sigma=0.1, model="tiny", method="score")
    monkeypatch.setattr(ResidualNetwork, "forward", forward)
    tiled = denoise(noisy, sigma=0.1, model="tiny", method="score")
    np.testing.assert_allclose(np.asarray(tiled), np.asarray(whole), atol=1e-5)
    limit[0] = 0
    with pytest.raises((InvalidParameter, MemoryError), match=r"room for|too small for an image"):
        denoise(noisy, sigma=0.1, model="tiny", method="score")
