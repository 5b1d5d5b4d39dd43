"""How each diffusion filter evolves, on a photograph and on a fingerprint: the picture docs/diffusion.jpg.

    python benchmarks/diffusion_figure.py [docs/diffusion.jpg]

The photograph is scikit-image's ``astronaut`` (NASA, public domain). The fingerprint is grown from noise by filters
along the orientation of one core and one delta (Sherlock & Monro 1993), with scars across its ridges.
"""

import sys

import matplotlib as mpl
import numpy as np

from noiseless.diffusion import FILTERS

mpl.use("agg")
import matplotlib.pyplot as plt
from scipy.ndimage import convolve
from skimage import data, transform

SIGMA = 25 / 255
SIDE = 144
RIDGE = 7.0  # pixels from ridge to ridge
MOMENTS = (0.0, 0.25, 1.0, 4.0)  # parts of the usual time


def photograph():
    whole = transform.rescale(data.astronaut() / 255.0, 0.8, channel_axis=-1, anti_aliasing=True)
    return whole[10 : 10 + SIDE, 110 : 110 + SIDE].transpose(2, 0, 1)


def fingerprint(rng):
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    core, delta = np.arctan2(y - 0.42, x - 0.5), np.arctan2(y - 0.95, x - 0.25)
    orientation = 0.5 * (core - delta) % np.pi
    angles = np.arange(16) * np.pi / 16
    nearest = np.rint(orientation / (np.pi / 16)).astype(int) % 16
    v, u = np.mgrid[-9:10, -9:10]
    image = rng.standard_normal((SIDE, SIDE))
    for _ in range(25):
        responses = []
        for angle in angles:
            across = -u * np.sin(angle) + v * np.cos(angle)
            ridge = np.exp(-(u**2 + v**2) / (2 * 3.5**2)) * np.cos(2 * np.pi * across / RIDGE)
            ridge -= ridge.mean()
            responses.append(convolve(image, ridge / np.abs(ridge).sum(), mode="reflect"))
        image = np.tanh(6 * np.choose(nearest, responses))
    for _ in range(6):
        row, column = rng.uniform(20, SIDE - 20, 2)
        angle = rng.uniform(0, np.pi)
        distance = np.abs((y * SIDE - row) * np.cos(angle) - (x * SIDE - column) * np.sin(angle))
        along = np.hypot(y * SIDE - row, x * SIDE - column)
        image[(distance < 1.2) & (along < 22)] = 1.0
    return 0.5 + 0.4 * image[np.newaxis]


def moments(smooth, noisy):
    """The images at some parts of the usual time; the last one is far beyond it."""
    found = [noisy]
    for part in MOMENTS[1:]:
        if smooth.__class__.__name__ == "Heat":
            longest = smooth.states(noisy, SIGMA, most=1)
            time = [state.time for state in longest][-1]
            found.append(type(smooth)(time=part * time)(noisy, SIGMA))
        else:
            found.append(type(smooth)(time=part * smooth.usual_time)(noisy, SIGMA))
    return found


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "docs/diffusion.jpg"
    rng = np.random.default_rng(0)
    subjects = [photograph(), fingerprint(rng)]
    noisy = [(clean + SIGMA * rng.standard_normal(clean.shape)).astype(np.float32) for clean in subjects]
    columns = len(MOMENTS) * len(subjects)
    figure, axes = plt.subplots(len(FILTERS), columns, figsize=(columns * 1.5, len(FILTERS) * 1.56), dpi=100)
    for row, (name, kind) in zip(axes, FILTERS.items(), strict=True):
        shown = [image for subject in noisy for image in moments(kind(), subject)]
        for axis, image in zip(row, shown, strict=True):
            axis.imshow(np.squeeze(image.clip(0, 1).transpose(1, 2, 0)), cmap="gray", vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
        row[0].set_ylabel(name, fontsize=8)
    for axis, part in zip(axes[0], MOMENTS * len(subjects), strict=True):
        axis.set_title("noisy" if part == 0 else f"{part:g} x usual time", fontsize=8)
    figure.subplots_adjust(left=0.03, right=0.998, top=0.975, bottom=0.003, wspace=0.03, hspace=0.03)
    figure.savefig(target, pil_kwargs={"quality": 80})


if __name__ == "__main__":
    main()
