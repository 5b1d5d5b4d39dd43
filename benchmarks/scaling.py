"""How time grows with pixels, and shrinks with processes.

    python benchmarks/scaling.py FOLDER [--model base] [--images 24] [--side 1000]

First one picture in colour of growing size through ``noiseless.denoise``, sigma told, by all threads: seconds, and
seconds a megapixel, which would all be one number if nothing but pixels cost. Then a folder of PNG files (8 bits,
colour, blind) through ``noiseless denoise FOLDER -o FOLDER`` with ``--jobs 1``, whose one process has all threads, and
with one process a core: seconds, images a second, and how many times as fast. Then the same command again, which finds
everything done. The pictures are cut from the images of FOLDER, side by side, with noise of 25 (of 255).
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from engine_speed import medians, noisy_picture
from PIL import Image

import noiseless
from noiseless.score.network_denoiser import engine_description
from noiseless.threads import usual_threads

SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (2800, 2100), (4000, 3000), (6000, 4000))
SIGMA = 25


def by_pixels(folder, model):
    print("   width height megapixels  seconds  seconds a megapixel")
    for width, height in SIZES:
        noisy = noisy_picture(folder, width, height)
        call = {"denoise": lambda noisy=noisy: noiseless.denoise(noisy, sigma=SIGMA, channel_axis=-1, model=model)}
        seconds = medians(call, 3 if width < 2000 else 1)["denoise"]
        area = width * height / 1e6
        print(f"  {width:6} {height:6} {area:10.2f} {seconds:8.3f} {seconds / area:20.3f}", flush=True)


def run(source, target, jobs, model):
    command = [sys.executable, "-m", "noiseless", "denoise", str(source), "-o", str(target), "--jobs", str(jobs)]
    start = time.perf_counter()
    subprocess.run([*command, "--model", model], check=True, capture_output=True)
    return time.perf_counter() - start


def by_processes(folder, model, images, side, scratch):
    source = scratch / "noisy"
    source.mkdir()
    rng = np.random.default_rng(0)
    large = noisy_picture(folder, 2 * side, 2 * side)
    for number in range(images):
        top, left = rng.integers(0, side, 2)
        Image.fromarray(large[top : top + side, left : left + side]).save(source / f"{number:03}.png")
    print(f"{images} PNG files of {side} x {side}, blind, {model}")
    first = None
    for jobs in (1, usual_threads()):
        target = scratch / f"clean-{jobs}"
        seconds = run(source, target, jobs, model)
        again = run(source, target, jobs, model)
        first = first or seconds
        print(
            f"  --jobs {jobs}, {usual_threads() // jobs} threads each: {seconds:7.1f} s, {images / seconds:.2f} images "
            f"a second, {first / seconds:.2f} times as fast; once more, all done: {again:.1f} s",
            flush=True,
        )
        shutil.rmtree(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--side", type=int, default=1000)
    given = parser.parse_args()
    print(f"{engine_description()}, {usual_threads()} threads, {given.model}, colour")
    by_pixels(given.folder, given.model)
    with tempfile.TemporaryDirectory() as scratch:
        by_processes(given.folder, given.model, given.images, given.side, Path(scratch))


if __name__ == "__main__":
    main()
