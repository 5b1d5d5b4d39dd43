"""Score networks on NumPy arrays, by OpenVINO: the engine of the plain install."""

import functools
import os
import warnings
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.image import FloatArray
from noiseless.score.checkpoint import Checkpoint
from noiseless.score.engines.unreported import openvino, ops
from noiseless.threads import cores, quota, threads_of_environment

MOST_DIFFERENT = 0.05
"""Of bfloat16 from float32, as a part of the noise that is found. A number is off by 2^-9 at most when it is rounded,
by 0.6 of that on average. Thirty layers that round their input and their kernels add up to 5 % if all errors had one
sign, and to 1 % if they are independent."""


class OpenVINOEngine:
    """A compiled network: (noisy, sigma map) in, sigma * eps out.

    Parameters
    ----------
    checkpoint : shape and kernels
    precision : "float32", "bfloat16" (inside the network: input, output and the rest of the method stay float32),
        or "auto", see :func:`fastest_precision`.
    threads : CPU threads; 0 takes OMP_NUM_THREADS (schedulers of clusters set it), else all cores.
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: str, threads: int = 0) -> None:
        self.compiled = _compiled(checkpoint, fastest_precision() if precision == "auto" else precision, threads)
        if precision == "auto" and fastest_precision() == "bfloat16":
            exact = _compiled(checkpoint, "float32", threads)
            error = _difference(self.compiled, exact, checkpoint.shape.channels)
            if not error < MOST_DIFFERENT:
                warnings.warn(
                    f"bfloat16 on this CPU is {error:.0%} off float32, more than rounding explains; float32 is used",
                    stacklevel=2,
                )
                self.compiled = exact
        # An inference request may serve one thread at a time; denoisers are called from several. They are kept here,
        # and not with their threads: one that ends with a thread of Qt, say, takes the process with it.
        self.idle: deque[openvino.InferRequest] = deque()

    def __call__(self, noisy: FloatArray, sigma: FloatArray) -> FloatArray:
        """(B, C, H, W) image and sigma map, H and W multiples of the factor; returns sigma * eps."""
        try:
            request = self.idle.pop()
        except IndexError:
            request = self.compiled.create_infer_request()
        result: NDArray[np.float32] = request.infer([noisy, sigma], share_inputs=True)[0]
        self.idle.append(request)
        return result


def _compiled(checkpoint: Checkpoint, precision: str, threads: int) -> openvino.CompiledModel:
    options: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "PERFORMANCE_HINT": "LATENCY",
    }
    if threads := threads or threads_of_environment() or _bound_of_container():
        # Unpinned: two bounded processes would be pinned to the same first cores.
        options |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    return openvino.Core().compile_model(build_graph(checkpoint), "CPU", options)


def _difference(compiled: openvino.CompiledModel, exact: openvino.CompiledModel, channels: int) -> float:
    """How far apart two networks are on a small picture of noise, over what they find in it."""
    sigma = np.full((1, channels, 32, 32), 0.1, np.float32)
    noisy = 0.5 + sigma * np.random.default_rng(0).standard_normal(sigma.shape, np.float32)
    found, wanted = (model([noisy, sigma])[0] for model in (compiled, exact))
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def build_graph(checkpoint: Checkpoint) -> openvino.Model:
    """The network of ``checkpoint`` as an OpenVINO graph with any batch, height and width."""
    shape, kernels = checkpoint.shape, checkpoint.kernels
    size = openvino.PartialShape([-1, shape.channels, -1, -1])
    noisy = ops.parameter(size, np.float32, name="noisy")
    sigma = ops.parameter(size, np.float32, name="sigma")

    def convolve(features: Any, name: str) -> Any:
        kernel = kernels[name]
        pad = [kernel.shape[-1] // 2] * 2
        return ops.convolution(features, ops.constant(kernel), [1, 1], pad, pad, [1, 1])

    hidden = ops.space_to_depth(ops.concat([noisy, sigma], axis=1), "depth_first", shape.factor)
    hidden = convolve(hidden, "head.weight")
    for block in range(shape.blocks):
        update = convolve(ops.relu(convolve(hidden, f"body.{block}.first.weight")), f"body.{block}.second.weight")
        hidden = ops.add(hidden, update)
    residual = ops.depth_to_space(convolve(hidden, "tail.weight"), "depth_first", shape.factor)
    return openvino.Model([residual], [noisy, sigma], "noiseless")


@functools.cache
def fastest_precision() -> str:
    """Bfloat16 where this CPU gains from it, else float32.

    Having bfloat16 instructions is not enough: AMD Zen 4 runs a network in them 2.0 to 2.7 times as fast as in
    float32, a CPU with AMX faster still, but an Intel Xeon without AMX takes 1.6 times as long (all measured). Decided
    by what the CPU is and not by a stopwatch, so that the result is the same in every run.
    """
    try:
        description = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "float32"
    flags = set(next((line for line in description.splitlines() if line.startswith("flags")), "").split())
    gains = "amx_bf16" in flags or ("AuthenticAMD" in description and "avx512_bf16" in flags)
    return "bfloat16" if gains else "float32"


def _bound_of_container() -> int:
    """Threads, where a container pays for fewer cores than it shows; else 0, and OpenVINO takes what is there."""
    return cores() if quota() < (os.cpu_count() or 1) else 0


def description() -> str:
    """The engine in a line: which CPU, and the precision that "auto" means on it."""
    return f"OpenVINO on {openvino.Core().get_property('CPU', 'FULL_DEVICE_NAME')}, {fastest_precision()}"
