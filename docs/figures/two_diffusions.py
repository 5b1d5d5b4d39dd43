"""The two diffusions: one smooths a picture, the other smooths the density of all pictures.

    python docs/figures/two_diffusions.py

Writes two-diffusions.jpg beside. The photograph is scikit-image's ``camera`` (CC0).
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from skimage import data

import noiseless

mpl.use("agg")
import matplotlib.pyplot as plt

TIMES = (0.0, 1.0, 4.0, 16.0)
SIGMAS = (0.0, 15.0, 45.0, 90.0)
MEANS, SPREAD = (60.0, 190.0), 9.0


def density(value, sigma):
    """Of two kinds of pixels, dark and bright, after noise of that sigma: each a Gaussian that gets wider."""
    width = np.hypot(SPREAD, sigma)
    return sum(np.exp(-0.5 * ((value - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi)) for mean in MEANS) / 2


def main():
    clean = data.camera()[60:220, 150:310].astype(np.float64)
    rng = np.random.default_rng(0)
    figure, axes = plt.subplots(3, 4, figsize=(10, 7.9), layout="constrained", height_ratios=(1, 1, 0.72))
    edge = noiseless.diffusion.EdgeEnhancing
    for column, time in zip(axes.T, TIMES, strict=True):
        smooth = edge(time=time)(clean[np.newaxis].astype(np.float32), 15.0)[0] if time else clean
        column[0].imshow(smooth, cmap="gray", vmin=0, vmax=255)
        column[0].set_title(f"time {time:g}", fontsize=11)
    grid = np.linspace(-120, 380, 500)
    for column, sigma in zip(axes.T, SIGMAS, strict=True):
        column[1].imshow(clean + sigma * rng.standard_normal(clean.shape), cmap="gray", vmin=0, vmax=255)
        column[1].set_title(f"sigma {sigma:g}", fontsize=11)
        column[2].fill_between(grid, density(grid, sigma), color="#3b7dbd", alpha=0.5, lw=0)
        column[2].plot(grid, density(grid, sigma), color="#0b5cad")
        column[2].set(yticks=[], xticks=[0, 255], xlim=(-120, 380), ylim=(0, None))
    for axis in axes[:2].flat:
        axis.set(xticks=[], yticks=[])
    names = ("image diffusion:\nthe picture", "density diffusion:\none picture", "density diffusion:\nall values")
    for axis, text in zip(axes[:, 0], names, strict=True):
        axis.set_ylabel(text, fontsize=11)
    figure.savefig(Path(__file__).with_name("two-diffusions.jpg"), dpi=90, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main()
