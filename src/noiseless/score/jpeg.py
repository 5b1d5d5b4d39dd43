"""JPEG compression of a batch of patches, for training: what it does to pixels, without the file."""

import functools

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

# ITU-T T.81, annex K: the tables that encoders scale.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
_CHROMINANCE = (
    (17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99),
)  # fmt: skip
# ITU-R BT.601, full range.
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def compress(image: Tensor, quality: Tensor, halved: Tensor) -> Tensor:
    """Patches after JPEG compression and back, clipped to [0, 1].

    Parameters
    ----------
    image : (batch, C, H, W), range [0, 1], C 1 or 3
    quality : (batch, 1, 1, 1), from 1 to 100 as libjpeg counts
    halved : (batch, 1, 1, 1) bool, whether chrominance is stored at half the resolution
    """
    height, width = image.shape[-2:]
    padding = (0, -width % 16, 0, -height % 16)
    values = F.pad(image.clamp(0, 1), padding, mode="replicate") * 255.0
    colour = image.shape[1] == 3
    turn = image.new_tensor(_TO_YCC)
    if colour:
        values = torch.einsum("ij,bjhw->bihw", turn, values)
    values = values.round()  # as encoders do
    values = torch.cat([values[:, :1] - 128.0, values[:, 1:]], dim=1)
    # libjpeg: 5000 / quality percent below 50, 200 - 2 quality above.
    scale = torch.where(quality < 50, 5000.0 / quality, 200.0 - 2.0 * quality) / 100.0
    result = _quantised(values[:, :1], _table(_LUMINANCE, scale))
    if colour:
        steps = _table(_CHROMINANCE, scale)
        whole = _quantised(values[:, 1:], steps)
        half = _quantised(F.avg_pool2d(values[:, 1:], 2), steps)
        half = F.interpolate(half, scale_factor=2, mode="bilinear", align_corners=False)
        result = torch.cat([result, torch.where(halved, half, whole)], dim=1)
    result = torch.cat([result[:, :1] + 128.0, result[:, 1:]], dim=1).round()
    if colour:
        result = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(turn), result)
    return (result.clamp(0, 255).round() / 255.0)[..., :height, :width]


def _quantised(values: Tensor, steps: Tensor) -> Tensor:
    """Cosine coefficients of 8x8 blocks rounded to multiples of ``steps``, (batch, 8, 8)."""
    batch, channels, height, width = values.shape
    basis = _cosines().to(values)
    blocks = values.view(batch, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    coefficients = basis @ blocks @ basis.T
    steps = steps.view(batch, 1, 1, 1, 8, 8)
    blocks = basis.T @ ((coefficients / steps).round() * steps) @ basis
    return blocks.transpose(3, 4).reshape(values.shape)


def _table(table: tuple[tuple[int, ...], ...], scale: Tensor) -> Tensor:
    """(batch, 8, 8) whole steps, from 1 to 255; what a table leaves out is 99."""
    full = np.full((8, 8), 99.0)
    full[: len(table), : len(table)] = table
    steps = torch.as_tensor(full, dtype=scale.dtype, device=scale.device) * scale.view(-1, 1, 1)
    return (steps + 0.5).floor().clamp(1, 255)


@functools.cache
def _cosines() -> Tensor:
    """The orthonormal cosine transform of eight values."""
    k, i = np.arange(8)[:, None], np.arange(8)
    basis = np.cos(np.pi * k * (i + 0.5) / 8) * np.sqrt(np.where(k == 0, 1.0, 2.0) / 8)
    return torch.from_numpy(basis)
