import numpy as np
import pytest

from noiseless.score import Checkpoint, ResidualShape, save


@pytest.fixture(params=[1, 3], ids=["gray", "colour"])
def checkpoint(request, rng):
    """A small network with random kernels: the laws of a network do not depend on what it learned."""
    shape = ResidualShape(channels=request.param, width=8, blocks=2)
    kernels = {
        name: (rng.standard_normal(size) / np.sqrt(np.prod(size[1:]))).astype(np.float16).astype(np.float32)
        for name, size in shape.kernel_shapes().items()
    }
    return Checkpoint(shape, kernels, {"data": "none", "steps": 0})


@pytest.fixture
def model_file(checkpoint, tmp_path):
    path = tmp_path / "model.safetensors"
    save(checkpoint, path)
    return path
