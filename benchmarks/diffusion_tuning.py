"""How the defaults of the diffusion filters were chosen: PSNR over time and contrast, on images for tuning only.

    python benchmarks/diffusion_tuning.py --filter edge-enhancing --contrast 0.2 0.25 0.3 [--set integration=1.5]
    python benchmarks/diffusion_tuning.py --filter perona-malik --colour
    python benchmarks/diffusion_tuning.py --filter edge-enhancing --volume scan.nii.gz

Noise protocol of the project: default_rng(0) for each image, float on [0, 255], not clipped; output clipped. For each
setting the best time *common to all sigmas* is printed, with the PSNR there and at the usual time, and what the best
time for each sigma would have given. Never run on the evaluation sets.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import noiseless
from noiseless.diffusion import filter_named

TUNING_SET = Path(__file__).resolve().parents[2] / "shared" / "data" / "eval" / "CID22val"
SIGMAS = (15, 25, 50)
SIDE = 256


def psnr(estimate, clean):
    return -10.0 * np.log10(np.mean((estimate.clip(0.0, 1.0) - clean) ** 2))


def pictures(count, mode):
    """The middle of some of the tuning photographs, (C, Y, X) on [0, 1]."""
    paths = sorted(TUNING_SET.glob("*.png"))
    for path in paths[:: max(1, len(paths) // count)]:
        pixels = np.atleast_3d(np.asarray(Image.open(path).convert(mode), dtype=np.float64) / 255.0)
        top, left = ((size - SIDE) // 2 for size in pixels.shape[:2])
        yield pixels[top : top + SIDE, left : left + SIDE].transpose(2, 0, 1)


def noisy_version(clean, sigma):
    rng = np.random.default_rng(0)
    space_last = np.moveaxis(clean, 0, -1)  # the protocol draws in (height, width, channel) order
    noise = np.moveaxis(rng.standard_normal(space_last.shape), -1, 0)
    return (clean + sigma / 255.0 * noise).astype(np.float32)


def number(text):
    name, value = text.split("=")
    return name, int(value) if value.isdigit() else float(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--filter", default="perona-malik")
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--colour", action="store_true")
    parser.add_argument("--volume", type=Path, help="a clean volume instead of photographs; its middle is used")
    parser.add_argument("--contrast", type=float, nargs="+", help="contrasts per sigma; the default alone without")
    parser.add_argument("--longest", type=float, default=1.6, help="times the usual time")
    parser.add_argument("--set", type=number, nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    if options.volume is None:
        images = list(pictures(options.images, "RGB" if options.colour else "L"))
    else:
        whole = noiseless.read(options.volume).pixels
        middle = tuple(slice(size // 3, 2 * size // 3) for size in whole.shape[1:])
        images = [np.asarray(whole[(slice(None), *middle)], dtype=np.float64)]
    usual = filter_named(options.filter)
    for contrast in options.contrast or [usual.contrast_per_sigma]:
        given = {"contrast_per_sigma": contrast, **dict(options.set)}
        spacing = (1.0,) * (images[0].ndim - 1)
        smooth = filter_named(options.filter, spacing=spacing, **given)
        usual_time = list(smooth.states(np.zeros_like(images[0]), 1.0, most=1))[-1].time
        smooth = filter_named(options.filter, spacing=spacing, time=options.longest * usual_time, **given)
        table, times = [], []
        for sigma in SIGMAS:
            states = [list(smooth.states(noisy_version(clean, sigma), sigma / 255.0)) for clean in images]
            times = [state.time for state in states[0]]
            curves = [[psnr(state.image, clean) for state in run] for run, clean in zip(states, images, strict=True)]
            table.append(np.mean(curves, axis=0))
        means = np.array(table)
        best, now = int(means.mean(axis=0).argmax()), int(np.argmin(np.abs(np.array(times) - usual_time)))
        print(
            f"contrast {contrast:5.3f} best time {times[best]:5.2f}:",
            *(f"{value:6.2f}" for value in means[:, best]),
            f"mean {means[:, best].mean():7.3f} | usual {times[now]:5.2f}: {means[:, now].mean():7.3f} | by sigma",
            *(f"{row.max():6.2f}@{times[int(row.argmax())]:.1f}" for row in means),
            flush=True,
        )


if __name__ == "__main__":
    main()
