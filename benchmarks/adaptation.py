"""What a network gains when its gains are fitted to the one noisy image that it is to denoise.

    python benchmarks/adaptation.py DATA [--sets texture microscopy medical Set12] [--sigmas 25] [--every 1]
                                    [--budget 45]

The sets "texture" and "microscopy" are those of ensemble.py; "medical" is six slices of the head
DATA/domain/nifti/ch2 (MR), scaled to a maximum of 255; others are DATA/eval/SET/*.png. White noise from seed 0,
neither clipped nor rounded, sigma told. For each image: PSNR of the shipped network and of the adapted one, what was
predicted with 95 % probability, and seconds; then the mean gain, the least, and the part of the images that gained.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from ensemble import images, psnr

import noiseless
from noiseless.restoration import Recipe


def medical(root):
    """Two slices each across, along and through a head."""
    head = noiseless.read(root / "domain" / "nifti" / "ch2.nii.gz").pixels[0]
    planes = [np.take(head, head.shape[axis] // 2, axis) for axis in range(3)]
    planes += [np.take(head, head.shape[axis] // 3, axis) for axis in range(3)]
    return [255.0 * plane.astype(np.float64) / plane.max() for plane in planes]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["texture", "microscopy", "medical", "Set12"])
    parser.add_argument("--sigmas", nargs="+", type=float, default=[25])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--budget", type=float, default=45.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sets:
            cleans = medical(options.data) if name == "medical" else images(options.data, name, 1)
            for sigma in options.sigmas:
                gains = [
                    _gain(clean, sigma, options.budget, Path(folder) / f"{name}{index}-{sigma:g}.safetensors", name)
                    for index, clean in enumerate(cleans[:: options.every])
                ]
                print(
                    f"{name} {sigma:g}: {np.mean(gains):+.3f} dB, least {min(gains):+.3f}, "
                    f"{100 * np.mean(np.array(gains) > 0):.0f} % gained",
                    flush=True,
                )


def _gain(clean, sigma, budget, path, name):
    noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    began = time.perf_counter()
    adapted = noiseless.adapt(noisy, path, sigma=sigma, budget_s=budget)
    seconds = time.perf_counter() - began
    models = ["base", str(path)] if adapted.changed else ["base", "base"]
    before, after = (psnr(noiseless.restore(noisy, Recipe(model=model), sigma=sigma).image, clean) for model in models)
    low, high = (adapted.gain.decibels(end) for end in adapted.gain.interval)
    print(
        f"  {name} {clean.shape[0]}x{clean.shape[1]}: {before:.3f} to {after:.3f}, {after - before:+.3f} dB "
        f"(predicted {low:+.2f} to {high:+.2f}), {adapted.curve[-1][0]} steps, {seconds:.0f} s",
        flush=True,
    )
    return after - before


if __name__ == "__main__":
    main()
