"""Does blind denoising help on real photon noise? PSNR of microscope images before and after, against averages.

    python benchmarks/microscopy.py FOLDER

FOLDER holds pairs NAME_noisy.* (one capture) and NAME_avg*.* (the mean of many). The average is brought to the scale of
the noisy image by least squares first (each file was stretched by itself); the peak is the full range of the file.
Beside it: the same image denoised as white Gaussian noise of blind sigma. Exits with 1 if any pair became worse.
"""

import sys
import time
from pathlib import Path

import numpy as np

import noiseless
from noiseless.noise import estimate_sigma_per_channel


def main(folder: Path) -> int:
    print("| image | noise, found blind | trust | noisy | as Gaussian | blind | gain | s |")
    print("|---|---|---|---|---|---|---|---|")
    gains = []
    for path in sorted(folder.glob("*_noisy.*")):
        (average,) = folder.glob(path.name.split("_noisy")[0] + "_avg*")
        image = noiseless.read(path)
        noisy, mean = (file.stored()[0].astype(np.float64) for file in (image, noiseless.read(average)))
        slope, offset = np.polyfit(mean.ravel(), noisy.ravel(), 1)
        clean, peak = slope * mean + offset, image.scale
        started = time.perf_counter()
        restored = noiseless.restore_image(image)
        seconds = time.perf_counter() - started
        (sigma,) = estimate_sigma_per_channel(image.pixels)
        gaussian = noiseless.restore_image(image, sigma=sigma * image.scale)
        before, plain, after = (
            10 * np.log10(peak**2 / np.mean((values - clean) ** 2))
            for values in (noisy, *(each.image.in_stored_units()[0] for each in (gaussian, restored)))
        )
        gains.append(after - before)
        # A map and a kernel are told by dictionaries of their own.
        numbers = {name: value for name, value in restored.report["parameters"].items() if not isinstance(value, dict)}
        words = ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        print(
            f"| {path.name.split('_noisy')[0]} | {restored.report['noise']}: {words} | {restored.report['trust']} "
            f"| {before:.2f} | {plain:.2f} | {after:.2f} | {gains[-1]:+.2f} | {seconds:.1f} |",
            flush=True,
        )
    print(f"\ngain {min(gains):+.2f} to {max(gains):+.2f} dB; {sum(gain < 0 for gain in gains)} pairs became worse")
    return int(min(gains) < 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
