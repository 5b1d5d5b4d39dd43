"""Score and Tweedie's identity, where the density is known: two kinds of values, dark and bright.

    python docs/figures/tweedie.py

Writes tweedie.svg beside.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np

import noiseless

mpl.use("agg")
import matplotlib.pyplot as plt

MEANS, SPREAD, SIGMA = np.array([60.0, 190.0]), 15.0, 40.0


def main():
    prior = noiseless.score.GaussianMixturePrior(weights=[0.5, 0.5], means=MEANS, stds=[SPREAD, SPREAD])
    noisy = np.linspace(-60, 310, 741)
    denoised = prior(noisy[np.newaxis, np.newaxis], SIGMA)[0, 0]
    score = noiseless.score.score_from_denoised(noisy, denoised, SIGMA)
    width = np.hypot(SPREAD, SIGMA)
    density = sum(np.exp(-0.5 * ((noisy - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi)) for mean in MEANS) / 2

    mpl.rcParams["svg.hashsalt"] = "noiseless"
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(7.6, 6.2), layout="constrained", sharex=True)
    upper.fill_between(noisy, density, color="#3b7dbd", alpha=0.35, lw=0)
    upper.plot(noisy, density, color="#0b5cad", label="density of noisy values")
    places = noisy[40:-20:45]
    chosen = np.searchsorted(noisy, places)
    length = SIGMA**2 * score[chosen]
    upper.quiver(
        places, density[chosen], length, np.zeros_like(length), angles="xy", scale_units="xy", scale=1, width=0.005,
        color="#c2410c",
    )  # fmt: skip
    upper.plot([], [], color="#c2410c", label="sigma$^2$ times the score: where to go")
    upper.set(yticks=[], ylim=(0, 1.45 * density.max()))
    upper.legend(loc="upper center", ncols=2, frameon=False)
    lower.plot(noisy, noisy, color="0.6", ls=":", label="as it came")
    lower.plot(noisy, denoised, color="#c2410c", label="noisy + sigma$^2$ score = the mean of what it can have been")
    for mean in MEANS:
        lower.axhline(mean, color="0.85", lw=0.8, zorder=0)
    lower.set(xlabel="noisy value", ylabel="denoised value", xlim=(-60, 310), ylim=(-40, 290))
    lower.legend(loc="upper left", frameon=False)
    figure.savefig(Path(__file__).with_name("tweedie.svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
