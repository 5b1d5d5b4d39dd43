"""What our networks cost against plain stacks of convolutions of the size of FFDNet, in one run and one engine.

    python benchmarks/plain_networks.py [--size 1024x1024] [--repeats 5] [--precision auto]

FFDNet's architecture: the image folded 2x2 into channels, and a map of sigma beside it; gray 15 convolutions of 64, in
colour 12 of 96, each with ReLU and without a bias (as its batch normalisation is folded in, a bias costs nothing that
can be measured). Its kernels are random here: time does not depend on them, and its published quality stands in
docs/results.md. All networks are compiled by OpenVINO with the options of the project, take the whole image at once,
and run in turn; times are the least of the repeats. Multiply-adds are those of a pixel, in millions; the last column
compares what an engine makes of both architectures.
"""

import argparse
import itertools
import time

import numpy as np
import openvino
from openvino import opset13 as ops

from noiseless.score import load_shipped
from noiseless.score.engines.openvino_engine import OpenVINOEngine, description, fastest_precision
from noiseless.threads import threads_of_environment, usual_threads

PLAIN = {1: (15, 64), 3: (12, 96)}
"""Convolutions and their width, by channels of the image."""

SIGMA = 25 / 255


def plain_graph(channels):
    """FFDNet's architecture with random kernels, and its multiply-adds for a pixel."""
    depth, width = PLAIN[channels]
    folded = 4 * channels
    rng = np.random.default_rng(0)
    noisy = ops.parameter(openvino.PartialShape([-1, channels, -1, -1]), np.float32, name="noisy")
    sigma = ops.parameter(openvino.PartialShape([-1, 1, -1, -1]), np.float32, name="sigma")
    hidden = ops.concat([ops.space_to_depth(noisy, "depth_first", 2), sigma], axis=1)
    sizes = [folded + 1, *[width] * (depth - 1), folded]
    for layer, (before, after) in enumerate(itertools.pairwise(sizes)):
        scale = np.sqrt(2.0 / (9 * before))
        kernel = (scale * rng.standard_normal((after, before, 3, 3))).astype(np.float32)
        hidden = ops.convolution(hidden, ops.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1])
        hidden = ops.relu(hidden) if layer < depth - 1 else hidden
    graph = openvino.Model([ops.depth_to_space(hidden, "depth_first", 2)], [noisy, sigma], "plain")
    return graph, sum(9 * before * after for before, after in itertools.pairwise(sizes)) / 4


def compiled(graph, precision):
    """As the engine of the project does it."""
    options = {"INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision]}
    options |= {"PERFORMANCE_HINT": "LATENCY"}
    if threads := threads_of_environment():
        options |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    return openvino.Core().compile_model(graph, "CPU", options).create_infer_request()


def contenders(channels, height, width, precision):
    """Name, multiply-adds for a pixel, and a call without arguments."""
    noisy = np.random.default_rng(0).random((1, channels, height, width), dtype=np.float32)
    graph, cost = plain_graph(channels)
    request = compiled(graph, precision)
    level = np.full((1, 1, height // 2, width // 2), SIGMA, np.float32)
    yield "FFDNet's", cost, lambda: request.infer([noisy, level], share_inputs=True)
    kind = {1: "gray", 3: "colour"}[channels]
    sigma = np.full_like(noisy, SIGMA)
    for name in ("base", "tiny"):
        checkpoint = load_shipped(f"{name}-{kind}")
        engine = OpenVINOEngine(checkpoint, precision=precision)
        yield name, checkpoint.shape.multiply_adds, lambda engine=engine: engine(noisy, sigma)


def least_seconds(calls, repeats):
    """Of each, taken in turn, so that what else the machine does falls on all; the first call compiles."""
    times = [[] for _ in calls]
    for _ in range(repeats + 1):
        for into, call in zip(times, calls, strict=True):
            start = time.perf_counter()
            call()
            into.append(time.perf_counter() - start)
    return [min(seconds[1:]) for seconds in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1024x1024")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    precision = fastest_precision() if given.precision == "auto" else given.precision
    print(f"{description()}, here {precision}, {usual_threads()} threads, {width} x {height}")
    print(f"{'':7} {'network':9} {'MMAC':>6} {'s/MP':>7} {'x FFDNet':>9} {'MMAC x':>7} {'GMAC/s':>7}")
    for channels in PLAIN:
        names, costs, calls = zip(*contenders(channels, height, width, precision), strict=True)
        seconds = least_seconds(calls, given.repeats)
        for name, cost, time_s in zip(names, costs, seconds, strict=True):
            megapixel = time_s / (width * height) * 1e6
            kind = {1: "gray", 3: "colour"}[channels]
            ratios = f"{time_s / seconds[0]:9.2f} {cost / costs[0]:7.2f} {cost / megapixel / 1e3:7.0f}"
            print(f"{kind:7} {name:9} {cost / 1e6:6.3f} {megapixel:7.3f} {ratios}", flush=True)


if __name__ == "__main__":
    main()
