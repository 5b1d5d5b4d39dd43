"""Non-local means against OpenCV's, at equal windows: PSNR and time.

    python benchmarks/non_local_means.py DATA [--set Set12] [--patch 7] [--search 21] [--every 1]

DATA/SET/*.png are gray. Both get the same noisy image, clipped and rounded to 8 bits because OpenCV takes no other;
each strength is the best of a grid for the whole set and sigma, and ours the default besides. Times are wall seconds of
the whole set, the least of three runs that alternate, with one thread and with two; the ratio is what counts. Needs the
group `bench`.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

import noiseless
from noiseless.classical import NonLocalMeans

STRENGTHS = np.arange(0.5, 1.21, 0.05)
"""Of OpenCV's h, in units of sigma."""
TOLERANCES = np.arange(1.5, 6.1, 0.5)
RUNS = 3


def psnr(images, cleans):
    return np.mean(
        [10 * np.log10(255**2 / np.mean((image - clean) ** 2)) for image, clean in zip(images, cleans, strict=True)]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", default="Set12")
    parser.add_argument("--patch", type=int, default=7)
    parser.add_argument("--search", type=int, default=21)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    paths = sorted((options.data / options.set).glob("*.png"))[:: options.every]
    cleans = [255.0 * noiseless.read(path).pixels[0].astype(np.float64) for path in paths]
    print("sigma   OpenCV, best h   ours, best tolerance, default   seconds: OpenCV, ours, ratio; 1 thread   2 threads")
    for sigma in (15, 25, 50):
        noises = [sigma * np.random.default_rng(0).standard_normal(clean.shape) for clean in cleans]
        noisy = [np.clip(np.round(x + n), 0, 255).astype(np.uint8) for x, n in zip(cleans, noises, strict=True)]

        def theirs(strength, noisy=noisy, sigma=sigma):
            h = float(strength * sigma)
            return [cv2.fastNlMeansDenoising(y, None, h, options.patch, options.search) for y in noisy]

        def ours(threads, tolerance=NonLocalMeans.tolerance, noisy=noisy, sigma=sigma):
            denoise = NonLocalMeans(options.patch, options.search, tolerance, threads=threads)
            return [denoise(y[None].astype(np.float32), float(sigma))[0] for y in noisy]

        scores = [psnr([image.astype(np.float64) for image in theirs(s)], cleans) for s in STRENGTHS]
        best = STRENGTHS[int(np.argmax(scores))]
        own = [psnr(ours(0, tolerance), cleans) for tolerance in TOLERANCES]
        cells = [f"{sigma:5d}   {max(scores):.2f} (h = {best:.2f} sigma)"]
        cells += [f"{max(own):.2f} (tolerance {TOLERANCES[int(np.argmax(own))]:.1f})", f"{psnr(ours(1), cleans):.2f}"]
        for threads in (1, 2):
            cv2.setNumThreads(threads)
            seconds = ([], [])
            for _ in range(RUNS):
                for into, run in zip(seconds, (lambda: theirs(best), lambda: ours(threads)), strict=True):  # noqa: B023
                    start = time.perf_counter()
                    run()
                    into.append(time.perf_counter() - start)
            a, b = min(seconds[0]), min(seconds[1])
            cells.append(f"{a:.2f} {b:.2f} {a / b:.2f}")
        print("   ".join(cells), flush=True)


if __name__ == "__main__":
    main()
