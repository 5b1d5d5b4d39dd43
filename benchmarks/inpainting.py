"""What edges are worth to inpainting: PSNR of the missing pixels, harmonic and edge-enhancing.

    python benchmarks/inpainting.py [--images 6]

On the tuning photographs, where the constants of the edge-enhancing kind were chosen; without noise.
"""

import argparse

import numpy as np
from diffusion_tuning import pictures

from noiseless.diffusion import inpaint


def scattered(shape, share, rng):
    return rng.random(shape) < share


def scratches(shape, _, rng):
    """Twelve lines, five pixels wide."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    missing = np.zeros(shape, bool)
    for row, column, angle in zip(
        rng.uniform(0, shape[0], 12), rng.uniform(0, shape[1], 12), rng.uniform(0, np.pi, 12), strict=True
    ):
        along = (y - row) * np.sin(angle) + (x - column) * np.cos(angle)
        across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
        missing |= (np.abs(across) < 2.5) & (along > 0) & (along < 120)
    return missing


def holes(shape, side, rng):
    """Fifteen squares."""
    missing = np.zeros(shape, bool)
    for row, column in rng.integers(0, min(shape) - side, (15, 2)):
        missing[row : row + side, column : column + side] = True
    return missing


CASES = {
    "90 % of the pixels": (scattered, 0.9),
    "70 % of the pixels": (scattered, 0.7),
    "scratches": (scratches, None),
    "holes of 14x14": (holes, 14),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=6)
    images = [picture.astype(np.float32) for picture in pictures(parser.parse_args().images, "L")]
    for name, (kind_of_gap, parameter) in CASES.items():
        results = {}
        for kind in ("harmonic", "edge-enhancing"):
            errors = []
            for seed, clean in enumerate(images):
                missing = kind_of_gap(clean.shape[1:], parameter, np.random.default_rng(seed))[np.newaxis]
                filled = inpaint(np.where(missing, np.float32(0), clean), missing, kind=kind)
                errors.append(-10 * np.log10(np.mean((filled - clean)[missing] ** 2)))
            results[kind] = np.mean(errors)
        print(f"{name:20s}", *(f"{kind} {value:6.2f}" for kind, value in results.items()))


if __name__ == "__main__":
    main()
