"""Kinds of noise: what each looks like, and how its strength depends on the brightness.

    python docs/figures/noise_kinds.py

Writes noise-kinds.jpg beside. The photograph is scikit-image's ``coins`` (Brooklyn Museum, no known copyright).
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from skimage import data

import noiseless

mpl.use("agg")
import matplotlib.pyplot as plt

KINDS = (
    "gaussian:25",
    "poisson:gain=6",
    "rician:sigma=25",
    "speckle:looks=12",
    "salt-and-pepper:density=0.1",
    "correlated:sigma=25,width=1",
    "stripes:stripe=15,sigma=8",
    "poisson-gaussian:gain=4,sigma=12",
)


def main():
    clean = data.coins()[20:140, 230:380].astype(np.float64)
    ramp = np.broadcast_to(np.linspace(5, 250, 50)[:, None, None], (50, 200, 200))
    figure, axes = plt.subplots(4, 4, figsize=(10.4, 8.2), layout="constrained", height_ratios=(1, 0.62, 1, 0.62))
    places = [(row, column) for row in (0, 2) for column in range(4)]
    for text, (row, column) in zip(KINDS, places, strict=True):
        noise = noiseless.noise.parse_noise(text)
        rng = np.random.default_rng(0)
        above, below = axes[row, column], axes[row + 1, column]
        above.imshow(noise.sample(clean[np.newaxis], rng)[0], cmap="gray", vmin=0, vmax=255)
        above.set_title(text, fontsize=10)
        above.axis("off")
        measured = [noise.sample(level[np.newaxis], rng).std() for level in ramp]
        below.plot(ramp[:, 0, 0], measured, ".", ms=3, color="#c2410c")
        below.plot(ramp[:, 0, 0], np.sqrt(noise.variance(ramp[:, :1, :1])[:, 0, 0]), color="#0b5cad", lw=1)
        below.set(xlim=(0, 255), ylim=(0, 90), xticks=[0, 255], yticks=[0, 40, 80])
        if column == 0:
            below.set_ylabel("strength")
        if row == 2:
            below.set_xlabel("brightness", labelpad=-6)
    figure.savefig(Path(__file__).with_name("noise-kinds.jpg"), dpi=88, pil_kwargs={"quality": 84})


if __name__ == "__main__":
    main()
