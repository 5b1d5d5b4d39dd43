"""A score network as an ONNX file, for runtimes that know nothing of this package."""

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from noiseless.atomic import replacing
from noiseless.score.checkpoint import CARD_KEY, Checkpoint
from noiseless.score.network_denoiser import LARGEST_NOISE

_OPSET = 17  # of 2022: runtimes that are older than that do not matter, and nothing newer is needed


def write_onnx(checkpoint: Checkpoint, path: Path, *, overwrite: bool = False) -> None:
    """Write the denoiser of a network: D(y, sigma) = y - clip(sigma * eps, -6 sigma, 6 sigma).

    Inputs "noisy" and "sigma", output "denoised", all (batch, C, height, width) float32; batch, height and width are
    free, but the last two must be multiples of the metadata entry "factor": repeat the last row and column, and cut
    the result. The card of the checkpoint is in the metadata.

    Raises
    ------
    UnwritableFile : the file exists and ``overwrite`` is not given, or the folder cannot be written.
    """
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(_model(checkpoint).SerializeToString())


def _model(checkpoint: Checkpoint) -> onnx.ModelProto:
    shape, kernels = checkpoint.shape, checkpoint.kernels
    nodes: list[onnx.NodeProto] = []
    initializers = []

    def node(kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(value: NDArray[np.float32], name: str) -> str:
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def convolve(features: str, name: str, output: str) -> str:
        kernel = kernels[name] if name != "head.weight" else _in_block_order(kernels[name], shape.factor)
        return node("Conv", [features, constant(kernel, name)], output, pads=[kernel.shape[-1] // 2] * 4)

    both = node("Concat", ["noisy", "sigma"], "both", axis=1)
    hidden = convolve(node("SpaceToDepth", [both], "folded", blocksize=shape.factor), "head.weight", "head")
    for block in range(shape.blocks):
        first = node("Relu", [convolve(hidden, f"body.{block}.first.weight", f"first{block}")], f"relu{block}")
        hidden = node(
            "Add", [hidden, convolve(first, f"body.{block}.second.weight", f"second{block}")], f"block{block}"
        )
    tail = convolve(hidden, "tail.weight", "tail")
    residual = node("DepthToSpace", [tail], "residual", blocksize=shape.factor, mode="CRD")
    bound = node("Mul", ["sigma", constant(np.array(LARGEST_NOISE, np.float32), "largest_noise")], "bound")
    above = node("Max", [residual, node("Neg", [bound], "lower")], "above")
    node("Sub", ["noisy", node("Min", [above, bound], "noise")], "denoised")

    def image(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", shape.channels, "height", "width"])

    graph = helper.make_graph(nodes, "noiseless", [image("noisy"), image("sigma")], [image("denoised")], initializers)
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, producer_name="noiseless", opset_imports=[opset], ir_version=8)
    card = {**checkpoint.card, "sha256": checkpoint.digest}
    helper.set_model_props(model, {"factor": str(shape.factor), CARD_KEY: json.dumps(card)})
    onnx.checker.check_model(model)
    return model


def _in_block_order(kernel: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Input channels as SpaceToDepth lays them out: place in the block first, then channel; ours are the other way."""
    out, folded = kernel.shape[:2]
    channels = folded // factor**2
    by_channel = kernel.reshape(out, channels, factor**2, *kernel.shape[2:])
    return by_channel.swapaxes(1, 2).reshape(kernel.shape)
