import json

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from noiseless.apps.cli import main  # noqa: E402
from noiseless.errors import UnwritableFile  # noqa: E402
from noiseless.score import Checkpoint, NetworkDenoiser, ResidualShape, load_shipped, save  # noqa: E402
from noiseless.score.onnx_export import write_onnx  # noqa: E402

SIZES = [(24, 30), (17, 41), (63, 2), (1, 1)]


@pytest.fixture(params=["base-gray", "base-colour", "factor 3"])
def model(request, tmp_path, rng):
    """The path of a checkpoint, and the checkpoint."""
    if request.param == "factor 3":
        shape = ResidualShape(channels=3, width=8, blocks=2, factor=3)
        kernels = {name: 0.1 * rng.standard_normal(size, np.float32) for name, size in shape.kernel_shapes().items()}
        checkpoint = Checkpoint(shape, {name: np.float32(np.float16(kernel)) for name, kernel in kernels.items()})
    else:
        checkpoint = load_shipped(request.param)
    save(checkpoint, tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors", checkpoint


def run(infer, noisy, sigma, factor):
    """The padding that stays outside of the graph."""
    height, width = noisy.shape[-2:]
    padding = [(0, 0), (0, -height % factor), (0, -width % factor)]
    padded = np.pad(noisy, padding, mode="edge")[None]
    levels = np.full_like(padded, sigma)
    return infer(padded, levels)[0][:, :height, :width]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_file_denoises_as_the_network_does(model, runtime, rng, tmp_path):
    path, checkpoint = model
    write_onnx(checkpoint, tmp_path / "m.onnx")
    module = pytest.importorskip(runtime)
    if runtime == "onnxruntime":
        session = module.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])

        def infer(noisy, sigma):
            return session.run(["denoised"], {"noisy": noisy, "sigma": sigma})[0]
    else:
        compiled = module.Core().compile_model(tmp_path / "m.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

        def infer(noisy, sigma):
            return compiled([noisy, sigma])[0]

    torch = pytest.importorskip("torch")
    denoise = NetworkDenoiser(str(path), precision="float32")
    for size in SIZES:
        noisy = rng.random((checkpoint.shape.channels, *size), dtype=np.float32)
        exported = run(infer, noisy, 0.1, checkpoint.shape.factor)
        # the bar of the design for two engines in float32
        np.testing.assert_allclose(exported, denoise(torch.from_numpy(noisy), 0.1).numpy(), atol=1e-4)


def test_the_card_travels(tmp_path):
    checkpoint = load_shipped("base-gray")
    write_onnx(checkpoint, tmp_path / "m.onnx")
    properties = {entry.key: entry.value for entry in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert properties["factor"] == "2"
    assert json.loads(properties["noiseless"])["sha256"] == checkpoint.digest


def test_a_file_that_exists_is_kept(tmp_path):
    (tmp_path / "m.onnx").write_text("mine")
    with pytest.raises(UnwritableFile):
        write_onnx(load_shipped("base-gray"), tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_text() == "mine"


def test_the_verb(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "base-gray", "-o", "m.onnx"]) == 0
    assert capfd.readouterr().out == "m.onnx\n"
    for arguments, message in (
        (["export", "base-grey", "-o", "n.onnx"], "did you mean 'base-gray'"),
        (["export", "missing.safetensors", "-o", "n.onnx"], "cannot read"),
        (["export", "base-gray", "-o", "n.onnx", "--format", "onyx"], "did you mean 'onnx'"),
        (["export", "base-gray", "-o", "m.onnx"], "exists"),
    ):
        assert main(arguments) == 1
        assert message in capfd.readouterr().err
