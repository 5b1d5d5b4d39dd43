"""The posterior mean, samples of the posterior, and where they differ.

    python docs/figures/samples.py

Writes samples.jpg beside. The photograph is scikit-image's ``camera`` (CC0).
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from skimage import data

import noiseless

mpl.use("agg")
import matplotlib.pyplot as plt

SIGMA = 50.0


def main():
    clean = data.camera()[70:230, 150:310].astype(np.float64)
    noisy = clean + SIGMA * np.random.default_rng(0).standard_normal(clean.shape)
    restored = noiseless.restore(noisy, noiseless.Recipe(samples=8, steps=20), sigma=SIGMA)
    first, second, *_ = restored.samples
    panels = {
        "clean": clean,
        "noisy": noisy,
        f"mean, {noiseless.psnr(restored.image, clean):.1f} dB": restored.image,
        f"a sample, {noiseless.psnr(first, clean):.1f} dB": first,
        f"another, {noiseless.psnr(second, clean):.1f} dB": second,
    }
    figure, axes = plt.subplots(2, 3, figsize=(9, 6.4), layout="constrained")
    for axis, (title, picture) in zip(axes.flat, panels.items(), strict=False):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axis.set_title(title, fontsize=11)
    axes[1, 2].imshow(np.std(restored.samples, axis=0, ddof=1), cmap="magma")
    axes[1, 2].set_title("where eight samples differ", fontsize=11)
    for axis in axes.flat:
        axis.axis("off")
    figure.savefig(Path(__file__).with_name("samples.jpg"), dpi=84, pil_kwargs={"quality": 86})


if __name__ == "__main__":
    main()
