"""How the constants of the denoisers of other packages were chosen: mean PSNR over their strength.

    python benchmarks/peers_tuning.py FOLDER [--methods skimage-tv opencv-nlm] [--images 8] [--side 256] [--step 1.1]

FOLDER holds photographs for tuning only, never an evaluation set. The middle of some of them, in gray and in colour, at
sigma 15, 25 and 50; noise by the protocol of the project, results clipped. For each strength, and each of the choices
that a method has besides, the mean PSNR of all and that of every level; strengths go by steps up from the present one
and down from it, until two in a row are worse, within a quarter and four times. The last line of a method is its best.
Needs the group `bench`.
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from noiseless.classical import INSTALLED

SIGMAS = (15, 25, 50)
CHOICES = {
    "opencv-bilateral": ("width", (1.5, 2.0, 2.5, 3.0)),
    "itk-gradient": ("conductance", (1.5, 2.0, 2.5)),
    "itk-curvature": ("conductance", (1.0, 1.5, 2.0, 4.0)),
}
"""What is tried besides the strength."""


def psnr(estimate, clean):
    return -10.0 * np.log10(np.mean((estimate.clip(0.0, 1.0) - clean) ** 2))


def pictures(folder, count, side, mode):
    """The middle of some photographs, (C, Y, X) on [0, 1]."""
    paths = sorted(folder.glob("*.png"))
    for path in paths[:: max(1, len(paths) // count)][:count]:
        pixels = np.atleast_3d(np.asarray(Image.open(path).convert(mode), dtype=np.float64) / 255.0)
        top, left = ((size - side) // 2 for size in pixels.shape[:2])
        yield pixels[top : top + side, left : left + side].transpose(2, 0, 1)


def noisy_version(clean, sigma):
    rng = np.random.default_rng(0)
    space_last = np.moveaxis(clean, 0, -1)  # the protocol draws in (height, width, channel) order
    noise = np.moveaxis(rng.standard_normal(space_last.shape), -1, 0)
    return (clean + sigma / 255.0 * noise).astype(np.float32)


def scores(denoiser, pairs):
    """Mean PSNR of each kind and level, in the order of ``pairs``."""
    return [
        float(np.mean([psnr(denoiser(noisy, sigma / 255.0), clean) for noisy, clean in images]))
        for (_, sigma), images in pairs.items()
    ]


def best_strength(denoiser, pairs, step, said):
    """The strength of the best mean, by steps from the present one, up and then down."""
    tried = {}

    def mean(strength):
        found = scores(replace(denoiser, strength=strength), pairs)
        tried[strength] = float(np.mean(found))
        print(f"{said} strength {strength:6.3f}  {tried[strength]:.3f} ", *(f"{s:.2f}" for s in found), flush=True)
        return tried[strength]

    mean(denoiser.strength)
    for factor in (step, 1.0 / step):
        strength, worse = denoiser.strength, 0
        while worse < 2 and 0.25 < strength / denoiser.strength < 4.0:
            strength *= factor
            top = max(tried.values())
            worse = 0 if mean(strength) > top else worse + 1
    best = max(tried, key=tried.get)
    return tried[best], best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", nargs="+", default=[name for name in INSTALLED if name != "bm3d"])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--step", type=float, default=1.1)
    given = parser.parse_args()
    pairs = {
        (mode, sigma): [
            (noisy_version(clean, sigma), clean) for clean in pictures(given.folder, given.images, given.side, mode)
        ]
        for mode in ("L", "RGB")
        for sigma in SIGMAS
    }
    print("mean, then", *(f"{mode} {sigma}" for mode, sigma in pairs))
    for name in given.methods:
        choice, values = CHOICES.get(name, ("", (None,)))
        found = []
        for value in values:
            denoiser, said = INSTALLED[name], name
            if choice:
                denoiser = replace(denoiser, function=partial(denoiser.function, **{choice: value}))
                said = f"{name} {choice} {value:g}"
            found.append((*best_strength(denoiser, pairs, given.step, said), said))
        mean, strength, said = max(found)
        print(f"BEST {said}: strength {strength:.3f}, {mean:.3f} dB", flush=True)


if __name__ == "__main__":
    main()
