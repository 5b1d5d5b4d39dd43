"""The first result on the page "Get started": noisy, denoised, what was removed, how far it may be wrong.

    python docs/figures/first_result.py

Writes first-result.jpg beside. The photograph is scikit-image's ``astronaut`` (NASA, public domain).
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from skimage import data

import noiseless

mpl.use("agg")
import matplotlib.pyplot as plt

SIGMA = 30.0


def main():
    clean = data.astronaut()[:256, 96:352].astype(np.float64)
    drawn = clean + SIGMA * np.random.default_rng(0).standard_normal(clean.shape)
    noisy = np.clip(np.rint(drawn), 0, 255).astype(np.uint8)
    restored = noiseless.restore(noisy, noiseless.Recipe(error=True), channel_axis=-1)
    removed = noisy.astype(float) - restored.image
    panels = {
        f"noisy, {noiseless.psnr(noisy, clean):.1f} dB": noisy,
        f"denoised, {noiseless.psnr(restored.image, clean):.1f} dB": restored.image,
        "what was removed": np.clip(128 + removed, 0, 255).astype(np.uint8),
        "how far it may be wrong": np.linalg.norm(restored.error.half68, axis=-1),
    }
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.35), layout="constrained")
    for axis, (title, picture) in zip(axes, panels.items(), strict=True):
        axis.imshow(picture, cmap="magma")
        axis.set_title(title, fontsize=11)
        axis.axis("off")
    target = Path(__file__).with_name("first-result.jpg")
    figure.savefig(target, dpi=96, pil_kwargs={"quality": 86})


if __name__ == "__main__":
    main()
