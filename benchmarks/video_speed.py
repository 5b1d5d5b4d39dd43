"""How many frames a second: video over time, on NumPy arrays, and where the time goes.

    python benchmarks/video_speed.py CLIP [--frames 40] [--device cuda]

The clip is resized, and noise of 25 (of 255) added. Times are of the whole of ``push`` and, in the same run, of the
network alone on the same frames with one level; threads: all cores, or OMP_NUM_THREADS. *Latency*: 95th percentile,
from the arrival of a frame to its result through ``noiseless.Stream``, when frames arrive at nine tenths of the rate
that was measured; in frame times. With ``--device`` the frames are torch tensors there, and stay.
"""

import argparse
import os
import time
from pathlib import Path

import av
import numpy as np

import noiseless
from noiseless.score import NetworkDenoiser
from noiseless.score.network_denoiser import engine_description

CASES = (("tiny", 640, 480, 1), ("tiny", 640, 480, 3), ("tiny", 1280, 720, 3), ("base", 1280, 720, 3))
LARGE = (("base", 1920, 1080, 3),)
SIGMA = 25 / 255


def frames_of(path, width, height, channels, count):
    rng = np.random.default_rng(0)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == count:
                return
            layout = "gray" if channels == 1 else "rgb24"
            pixels = frame.reformat(width, height, layout, interpolation="BICUBIC").to_ndarray()
            planes = pixels[None] if channels == 1 else np.moveaxis(pixels, -1, 0)
            yield (planes / np.float32(255) + SIGMA * rng.standard_normal(planes.shape)).astype(np.float32)


def timed(function, frames):
    """Milliseconds a frame: median, and the ninety-fifth percentile."""
    times = []
    for frame in frames:
        start = time.perf_counter()
        result = function(frame)
        if hasattr(result, "cpu"):
            float(result[0, 0, 0])  # waits for the device
        times.append(1000 * (time.perf_counter() - start))
    steady = times[5:]  # compilation, and the first frames
    return float(np.median(steady)), float(np.percentile(steady, 95))


def latency(frames, model, rate):
    """The 95th percentile of the delay of 8-bit frames that arrive at ``rate``, in frame times."""
    stored = [np.clip(np.rint(255 * frame), 0, 255).astype(np.uint8) for frame in frames]
    pictures = [frame[0] if len(frame) == 1 else np.ascontiguousarray(np.moveaxis(frame, 0, -1)) for frame in stored]
    delays = []
    with noiseless.Stream(sigma=255 * SIGMA, model=model) as stream:
        for picture in pictures[:5]:
            stream.push(picture)
        start = time.perf_counter()
        for number, picture in enumerate(pictures[5:]):
            arrival = start + number / rate
            time.sleep(max(0.0, arrival - time.perf_counter()))
            stream.push(picture)
            delays.append(time.perf_counter() - arrival)
    return float(np.percentile(delays, 95)) * rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--device")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}")
    print(engine_description())
    columns = (
        "model",
        "frame",
        "frames/s",
        "ms, median (95 %)",
        "still camera",
        "fusion alone",
        "network alone",
        "latency",
    )
    print(f"\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for model, width, height, channels in CASES + (LARGE if arguments.device else ()):
        frames = list(frames_of(arguments.clip, width, height, channels, arguments.frames))
        if arguments.device:
            import torch

            frames = [torch.from_numpy(frame).to(arguments.device) for frame in frames]
        network = NetworkDenoiser(model)
        median, high = timed(noiseless.TemporalDenoiser(sigma=SIGMA, model=model).push, frames)
        still, _ = timed(noiseless.TemporalDenoiser(sigma=SIGMA, model=model, motion="none").push, frames)
        fusion, _ = timed(noiseless.TemporalDenoiser(sigma=SIGMA, model="none").push, frames)
        alone, _ = timed(lambda frame, network=network: network(frame, SIGMA), frames)
        delay = "" if arguments.device else f"{latency(frames, model, 900 / median):.2f}"
        size = f"{width}x{height} {'gray' if channels == 1 else 'colour'}"
        print(
            f"| {model} | {size} | {1000 / median:.1f} | {median:.1f} ({high:.1f}) | {still:.1f} | {fusion:.1f} |"
            f" {alone:.1f} | {delay} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
