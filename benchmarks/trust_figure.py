"""What an audit sees: the picture docs/trust.jpg.

    python benchmarks/trust_figure.py [docs/trust.jpg]

The photograph is scikit-image's ``camera`` (CC0). White noise of sigma 25; the result of the network, of heat, and of
heat for four times as long, with what each removed and the blocks in which structure went with it.
"""

import sys

import matplotlib as mpl
import numpy as np

import noiseless

mpl.use("agg")
import matplotlib.pyplot as plt
from skimage import data

SIGMA = 25.0
SIDE = 256


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "docs/trust.jpg"
    clean = data.camera()[60 : 60 + SIDE, 120 : 120 + SIDE].astype(np.float64)
    noisy = clean + SIGMA * np.random.default_rng(0).standard_normal(clean.shape)
    time = list(noiseless.diffusion.Heat().states(noisy[np.newaxis].astype(np.float32), SIGMA, most=1))[-1].time
    methods = {"network": "score", "heat": f"heat:time={time}", "heat, four times as long": f"heat:time={4 * time}"}
    figure, axes = plt.subplots(3, 3, figsize=(10.2, 10.6), layout="constrained")
    for column, (name, method) in zip(axes.T, methods.items(), strict=True):
        restored = noiseless.restore(noisy, noiseless.Recipe(method, predict=True), sigma=SIGMA)
        risk, structure = restored.audit.risk, restored.audit.structure
        low, high = risk.psnr_interval()
        column[0].imshow(restored.image, cmap="gray", vmin=0, vmax=255)
        column[0].set_title(
            f"{name}\n{noiseless.psnr(restored.image, clean):.2f} dB, predicted {low:.2f} to {high:.2f}"
        )
        column[1].imshow(noisy - restored.image, cmap="gray", vmin=-3 * SIGMA, vmax=3 * SIGMA)
        column[1].set_title("what was removed")
        drawn = column[2].imshow(structure.z, cmap="inferno", vmin=0, vmax=3 * structure.limit)
        verdict = f"structure in {100 * structure.share:.0f} %" if structure.found else "no structure"
        column[2].set_title(f"{verdict}\nz up to {structure.strongest:.1f}, limit {structure.limit:.1f}")
        for axis in column:
            axis.axis("off")
    figure.colorbar(drawn, ax=axes[2], shrink=0.7, label="z of a block")
    figure.savefig(target, dpi=80, bbox_inches="tight", pil_kwargs={"quality": 88})


if __name__ == "__main__":
    main()
