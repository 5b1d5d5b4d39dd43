"""Images larger than memory, through ``noiseless denoise``: memory and time by size.

    python benchmarks/large_images.py FOLDER [--sides 5000 10000 20000] [--model base] [--compression lzw]

Tiled TIFF files of RGB, uint8, the images of the folder side by side with noise of 25 (of 255), are denoised by the
command line in a process of its own, and blind. Its greatest resident memory (``VmHWM``, all of it: Python, engine,
arrays and files that it maps) and its seconds are told, beside the seconds of the network alone for as many pixels
(``benchmarks/engine_speed.py``). With ``--check`` the smallest is also denoised as a whole (``--memory`` large), with
sigma told to both, and the results are compared byte by byte.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from engine_speed import SIGMA, medians, network_alone, noisy_picture

from noiseless.score.network_denoiser import engine_description
from noiseless.threads import usual_threads

TILE, TIMED = 512, (1080, 1920)


def write_image(path, side, folder, compression):
    """A square image, a row of tiles at a time."""
    band = noisy_picture(folder, side, 4 * TILE)

    def tiles():
        for top in range(0, side, TILE):
            rows = band[top % (4 * TILE) :][: min(TILE, side - top)]
            for left in range(0, side, TILE):
                part = rows[:, left : left + TILE]
                yield np.pad(part, [(0, TILE - part.shape[0]), (0, TILE - part.shape[1]), (0, 0)])

    tifffile.imwrite(
        path, tiles(), shape=(side, side, 3), dtype=np.uint8, tile=(TILE, TILE), photometric="rgb",
        compression=compression,
    )  # fmt: skip


def denoised(source, target, *options):
    """MiB at most, and seconds, of the command line in a process of its own."""
    # Asked of the process itself: what ``wait`` tells of it is no less than what this one had when it began it.
    program = (
        "import sys; from noiseless.apps.cli import main; code = main(sys.argv[1:]); "
        "print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0]); sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "denoise", str(source), "-o", str(target), "--force", *options]
    start = time.perf_counter()
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(result.stdout.split("VmHWM:")[1].split()[0]) / 1024, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sides", type=int, nargs="+", default=[5000, 10000, 20000])
    parser.add_argument("--model", default="base")
    parser.add_argument("--compression", default="lzw")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    print(f"{engine_description()}, {usual_threads()} threads, {given.model}")
    picture = noisy_picture(given.folder, TIMED[1], TIMED[0])
    nominal = np.ascontiguousarray(np.moveaxis(picture, -1, 0), dtype=np.float32)[None] / np.float32(255)
    with tempfile.TemporaryDirectory() as scratch:
        for side in given.sides:
            source, target = Path(scratch) / "noisy.tif", Path(scratch) / "clean.tif"
            write_image(source, side, given.folder, given.compression)
            alone = medians({"network": network_alone(given.model, "cpu", nominal)}, 3)["network"]
            alone *= side**2 / (TIMED[0] * TIMED[1])
            memory, seconds = denoised(source, target, "--model", given.model)
            print(
                f"{side:6} x {side:<6} {side**2 / 1e6:6.0f} megapixels {memory:6.0f} MiB {seconds:7.1f} s, "
                f"{seconds / alone:.2f} times the network alone",
                flush=True,
            )
            if given.check and side == min(given.sides):
                told = ["--model", given.model, "--sigma", str(SIGMA)]
                denoised(source, target, *told)
                in_blocks = tifffile.imread(target)
                largest, _ = denoised(source, target, *told, "--memory", "1000")
                whole = tifffile.imread(target)
                differ = int(np.count_nonzero(in_blocks != whole))
                print(f"       whole in memory: {largest:.0f} MiB; {differ} of {whole.size} bytes differ")


if __name__ == "__main__":
    main()
