"""How the defaults of Perona-Malik were chosen: PSNR over steps, contrast and presmoothing, on images for tuning only.

    python benchmarks/diffusion_tuning.py [--images 14] [--colour] [--conductivity rational]

Noise protocol of the project: default_rng(0) for each image, float on [0, 255], not clipped; output clipped. For each
setting the best number of steps *common to all sigmas* is printed, with the PSNR there, and what the best number of
steps for each sigma, and for each image (known only to an oracle), would have given. Never run on the evaluation sets.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from PIL import Image

from noiseless.diffusion import Heat, PeronaMalik

TUNING_SET = Path(__file__).resolve().parents[2] / "shared" / "data" / "eval" / "CID22val"
SIGMAS = (5, 15, 25, 50)
MOST_STEPS = 60


def psnr(estimate, clean):
    return -10.0 * np.log10(np.mean((estimate.clip(0.0, 1.0) - clean) ** 2))


def pictures(count, mode):
    paths = sorted(TUNING_SET.glob("*.png"))
    for path in paths[:: max(1, len(paths) // count)]:
        pixels = np.asarray(Image.open(path).convert(mode), dtype=np.float64) / 255.0
        yield np.atleast_3d(pixels).transpose(2, 0, 1)


def noisy_version(clean, sigma):
    rng = np.random.default_rng(0)
    space_last = clean.transpose(1, 2, 0)  # the protocol draws in (height, width, channel) order
    noise = rng.standard_normal(space_last.shape).transpose(2, 0, 1)
    return (clean + sigma / 255.0 * noise).astype(np.float32)


def curve(step, clean, sigma):
    """PSNR after 1, 2, ... steps: one step at a time is the same as all at once."""
    image = noisy_version(clean, sigma)
    for _ in range(MOST_STEPS):
        image = step(image, sigma / 255.0)
        yield psnr(image, clean)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=14)
    parser.add_argument("--colour", action="store_true")
    parser.add_argument("--conductivity", default="rational")
    parser.add_argument("--presmoothing", type=float, nargs="+", default=[0.0, 0.5, 0.6, 0.7])
    parser.add_argument("--contrast", type=float, nargs="+", default=[0.2, 0.25, 0.3])
    options = parser.parse_args()
    images = list(pictures(options.images, "RGB" if options.colour else "L"))

    heat = [[psnr(Heat()(noisy_version(x, s), s / 255.0), x) for x in images] for s in SIGMAS]
    print("sigma                     ", *(f"{s:6d}" for s in SIGMAS))
    print("heat, time of least risk  ", *(f"{np.mean(row):6.2f}" for row in heat))
    for presmoothing, contrast in itertools.product(options.presmoothing, options.contrast):
        step = PeronaMalik(
            steps=1, contrast_per_sigma=contrast, presmoothing=presmoothing, conductivity=options.conductivity
        )
        table = np.array([[list(curve(step, x, s)) for x in images] for s in SIGMAS])
        means = table.mean(axis=1)
        best = int(means.mean(axis=0).argmax())
        print(
            f"presmoothing {presmoothing:4.2f} contrast {contrast:5.3f} steps {best + 1:2d}:",
            *(f"{value:6.2f}" for value in means[:, best]),
            f"mean {means[:, best].mean():7.3f} | by sigma",
            *(
                f"{value:6.2f}@{steps + 1}"
                for value, steps in zip(means.max(axis=1), means.argmax(axis=1), strict=True)
            ),
            "| oracle",
            *(f"{value:6.2f}" for value in table.max(axis=2).mean(axis=1)),
            flush=True,
        )


if __name__ == "__main__":
    main()
