"""The learned denoiser: a score network, Tweedie's identity, and the engine that fits the array."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np

from noiseless.argument_checks import shown, whole, word
from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.names import Lazy, load
from noiseless.progress import tell
from noiseless.score.checkpoint import Checkpoint, load_model, model_reach
from noiseless.sigma_map import sigma_array

DESCRIPTION = Lazy("noiseless.score.engines.openvino_engine:description")
OPENVINO = Lazy("noiseless.score.engines.openvino_engine:OpenVINOEngine")
TORCH = Lazy("noiseless.score.engines.torch_engine:TorchEngine", extra="torch")

# |E[n | y]| is kept below this many sigma. A Gaussian exceeds it once in 5e8 pixels, so no PSNR is lost, and it
# bounds what the network may change: never more than 6 sigma, nothing at all where sigma is 0.
LARGEST_NOISE = 6.0

LARGEST_BATCH = 2**21
"""Pixels: a volume goes through a network so many slices at a time. More are no faster, and take 0.2 KB each."""


@dataclass(frozen=True)
class NetworkDenoiser:
    """E[x | y] by a trained score network, in one step.

        D(y, sigma) = y - sigma * eps(y, sigma),   |eps| <= 6

    A NumPy array is denoised by OpenVINO, a torch tensor by torch on its own device; the two agree to 1e-4 in
    float32. Gray and colour have networks of their own; any other number of channels is denoised channel by channel
    by the gray one, and a volume slice by slice.

    Parameters
    ----------
    model : "base", or the path of a checkpoint
    precision : "float32", "bfloat16", or "auto": bfloat16 where this machine runs it faster, else float32
    threads : CPU threads of the NumPy engine; 0 takes OMP_NUM_THREADS where it is set, else all cores.

    Raises
    ------
    InvalidParameter : sigma is negative, not finite, or does not broadcast.
    UnknownName, IncompatibleCheckpoint : there is no such model.
    """

    model: str = "base"
    precision: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        word("model", self.model, "the name of a shipped model, or the path of a checkpoint")
        whole("threads", self.threads, 0, "it is a number of threads, or 0 for all cores")
        if not isinstance(self.precision, str) or self.precision not in ("auto", "float32", "bfloat16"):
            raise InvalidParameter(f"precision is {shown(self.precision)}; use 'auto', 'float32' or 'bfloat16'")

    def reach(self, sigma: float, /) -> int:  # noqa: ARG002  the receptive field does not depend on sigma
        """Pixels, along each axis, that an output pixel can depend on."""
        return model_reach(self.model)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        xp = array_api_compat.array_namespace(noisy)
        if noisy.ndim not in (3, 4):
            raise InvalidImage(f"an image has the axes (C, Y, X) or (C, Z, Y, X); this one has shape {noisy.shape}")
        single = xp.astype(noisy, xp.float32, copy=False)
        level = sigma_array(sigma, single, xp)
        bound = LARGEST_NOISE * level
        levels, least, most = (
            _batched(xp.broadcast_to(values, tuple(single.shape)), xp) for values in (level, -bound, bound)
        )
        batch = _batched(single, xp)
        checkpoint = _checkpoint(self.model, int(batch.shape[1]))
        count = max(1, LARGEST_BATCH // (batch.shape[-2] * batch.shape[-1]))
        parts = []
        for part in (slice(start, start + count) for start in range(0, batch.shape[0], count)):
            noise = self._residual(batch[part, ...], levels[part, ...], checkpoint, xp)
            parts.append(_without(batch[part, ...], noise, least[part, ...], most[part, ...], xp))
            tell(math.prod(parts[-1].shape))
        clean = parts[0] if len(parts) == 1 else xp.concat(parts)
        return xp.astype(_unbatched(clean, tuple(noisy.shape), xp), noisy.dtype, copy=False)

    def _residual(self, batch: Array, sigma: Array, checkpoint: Checkpoint, xp: Any) -> Array:
        """The noise, sigma * eps, in a batch of any height and width."""
        factor = checkpoint.shape.factor
        height, width = batch.shape[-2:]
        padded = _padded(batch, factor, xp), _padded(sigma, factor, xp)
        engine: Any
        if array_api_compat.is_torch_array(batch):
            engine = _torch_engine(self.model, checkpoint.shape.channels, self.precision, str(batch.device))
        else:
            engine = _openvino_engine(self.model, checkpoint.shape.channels, self.precision, self.threads)
        return engine(*padded)[..., :height, :width]


def engine_description() -> str:
    """The engine of NumPy arrays in a line: CPU and precision."""
    return str(load(DESCRIPTION)())


def _without(batch: Array, noise: Array, least: Array, most: Array, xp: Any) -> Array:
    """The batch less its noise, which is held to its bounds and not needed afterwards."""
    if array_api_compat.is_numpy_array(noise):
        # In place: new arrays of this size cost as much as the arithmetic.
        np.clip(noise, least, most, out=noise)
        return np.subtract(batch, noise, out=noise)
    return batch - xp.minimum(xp.maximum(noise, least), most)


def _batched(array: Array, xp: Any) -> Array:
    """(C, *space) as the (B, channels, H, W) that the gray (1) or colour (3) network takes."""
    array = xp.permute_dims(array, (1, 0, 2, 3)) if array.ndim == 4 else array[None, ...]
    if array.shape[1] in (1, 3):
        return array
    return xp.reshape(array, (-1, 1, *array.shape[-2:]))


def _unbatched(batch: Array, shape: tuple[int, ...], xp: Any) -> Array:
    """The inverse of :func:`_batched`."""
    if len(shape) == 3:
        return xp.reshape(batch, shape)
    channels, depth, height, width = shape
    return xp.permute_dims(xp.reshape(batch, (depth, channels, height, width)), (1, 0, 2, 3))


def _padded(batch: Array, factor: int, xp: Any) -> Array:
    """Height and width made multiples of ``factor`` by repeating the last row and column."""
    for axis in (-2, -1):
        missing = -batch.shape[axis] % factor
        last = batch[..., -1:, :] if axis == -2 else batch[..., -1:]
        batch = xp.concat([batch, *[last] * missing], axis=axis) if missing else batch
    return batch


@functools.cache
def _checkpoint(model: str, channels: int) -> Checkpoint:
    return load_model(model, channels)


@functools.cache
def _openvino_engine(model: str, channels: int, precision: str, threads: int) -> Any:
    return load(OPENVINO)(_checkpoint(model, channels), precision=precision, threads=threads)


@functools.cache
def _torch_engine(model: str, channels: int, precision: str, device: str) -> Any:
    return load(TORCH)(_checkpoint(model, channels), precision=precision, device=device)
