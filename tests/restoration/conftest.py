from dataclasses import dataclass

import numpy as np
import pytest

from noiseless.restoration import methods


@dataclass(frozen=True)
class BoxMean:
    """The mean over 3x3 pixels: local, and different from its input. The image is continued by its edge pixels."""

    def reach(self, sigma):
        return 1

    def __call__(self, noisy, sigma):
        padded = np.pad(noisy, [(0, 0)] * (noisy.ndim - 2) + [(1, 1), (1, 1)], mode="edge")
        rows, columns = noisy.shape[-2:]
        return sum(padded[..., i : i + rows, j : j + columns] for i in range(3) for j in range(3)) / np.float32(9)


@pytest.fixture
def box_mean(monkeypatch):
    """The box mean as a method by name."""
    monkeypatch.setattr(methods, "METHODS", {**methods.METHODS, "box-mean": BoxMean})
    return BoxMean()
