"""The error without the clean image: Stein's estimate beside the truth, over the strength of the default method.

    python docs/figures/risk.py

Writes risk.svg beside. The photograph is scikit-image's ``camera`` (CC0).
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from skimage import data

import noiseless
from noiseless.restoration import unbiased_risk

mpl.use("agg")
import matplotlib.pyplot as plt

SIGMA = 25.0
STRENGTHS = (0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0)


def main():
    clean = data.camera()[60:316, 120:376].astype(np.float32)[np.newaxis]
    noisy = (clean + SIGMA * np.random.default_rng(0).standard_normal(clean.shape)).astype(np.float32)
    network = noiseless.score.NetworkDenoiser("tiny", precision="float32")
    noise = noiseless.noise.Gaussian(SIGMA)
    truth, told = [], []
    for strength in STRENGTHS:

        def whole(image, sigma=SIGMA * strength):
            return network(image / 255, sigma / 255) * np.float32(255)

        truth.append(float(np.mean((whole(noisy) - clean) ** 2)))
        told.append(unbiased_risk(whole, noisy, noise))
    mpl.rcParams["svg.hashsalt"] = "noiseless"
    figure, axis = plt.subplots(figsize=(7.6, 4.2), layout="constrained")
    axis.plot(STRENGTHS, truth, color="0.25", lw=2, label="true error: needs the clean image")
    axis.errorbar(
        STRENGTHS, [risk.mse for risk in told], [1.96 * risk.standard_error for risk in told], fmt="o", ms=4, capsize=3,
        color="#c2410c", label="estimated from the noisy image alone, 95 %",
    )  # fmt: skip
    axis.axvline(1.0, color="0.8", lw=0.8, zorder=0)
    axis.set(xlabel="strength", ylabel="mean squared error, grey levels$^2$", ylim=(0, None))
    axis.legend(frameon=False)
    figure.savefig(Path(__file__).with_name("risk.svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
