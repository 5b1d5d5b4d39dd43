"""What a network gains when its gains are fitted to the one noisy image that it is to denoise.

    python benchmarks/adaptation.py DATA [--sets texture microscopy medical Set12] [--sigmas 25] [--every 1]
                                    [--budget 45] [--ensemble]

The sets "texture" and "microscopy" are those of ensemble.py; "medical" is the head DATA/domain/nifti/ch2 (MR, a
volume of 181 slices, one image), scaled to a maximum of 255; "slices" are six of its slices, each an image; others are
DATA/eval/SET/*.png. White noise from seed 0, neither clipped nor rounded, sigma told. For each image: PSNR of the
shipped network and of the adapted one, what was predicted with 95 % probability, and seconds; then the mean gain, the
least, and the part of the images that gained. --ensemble adds what the usual ensemble gains over the shipped network
when the adapted one is in it (not of a volume).
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from ensemble import images, psnr

import noiseless
from noiseless.restoration import Recipe


def head(root):
    volume = noiseless.read(root / "domain" / "nifti" / "ch2.nii.gz").pixels[0].astype(np.float64)
    return 255.0 * volume / volume.max()


def slices(root):
    """Two each across, along and through a head."""
    volume = head(root)
    planes = [np.take(volume, volume.shape[axis] // part, axis) for part in (2, 3) for axis in range(3)]
    return [255.0 * plane / plane.max() for plane in planes]


def cleans_of(root, name):
    if name == "medical":
        return [head(root)]
    return slices(root) if name == "slices" else images(root, name, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["texture", "microscopy", "medical", "slices", "Set12"])
    parser.add_argument("--sigmas", nargs="+", type=float, default=[25])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--budget", type=float, default=45.0)
    parser.add_argument("--ensemble", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sets:
            cleans = cleans_of(options.data, name)
            for sigma in options.sigmas:
                gains = np.array(
                    [
                        _gains(clean, sigma, options, Path(folder) / f"{name}{index}-{sigma:g}.safetensors", name)
                        for index, clean in enumerate(cleans[:: options.every])
                    ]
                )
                for what, gained in zip(("adapted", "ensemble"), gains.T, strict=False):
                    print(
                        f"{name} {sigma:g}, {what}: {gained.mean():+.3f} dB, least {gained.min():+.3f}, "
                        f"{100 * np.mean(gained > 0):.0f} % gained",
                        flush=True,
                    )


def _gains(clean, sigma, options, path, name):
    noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    began = time.perf_counter()
    adapted = noiseless.adapt(noisy, path, sigma=sigma, budget_s=options.budget)
    seconds = time.perf_counter() - began
    model = str(path) if adapted.changed else "base"
    size = "x".join(map(str, clean.shape))
    ensemble = options.ensemble and clean.ndim == 2
    recipes = [Recipe(), Recipe(model=model), *([Recipe("ensemble", model)] if ensemble else [])]
    before, *after = (psnr(noiseless.restore(noisy, recipe, sigma=sigma).image, clean) for recipe in recipes)
    low, high = (adapted.gain.decibels(end) for end in adapted.gain.interval)
    print(
        f"  {name} {size}: {before:.3f} to {after[0]:.3f}, {after[0] - before:+.3f} dB "
        f"(predicted {low:+.2f} to {high:+.2f}), share {adapted.share:g}, {adapted.steps} steps, {seconds:.0f} s",
        flush=True,
    )
    return [value - before for value in after]


if __name__ == "__main__":
    main()
