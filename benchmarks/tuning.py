"""How near do parameters that were tuned without the clean image come to the best there are?

    python benchmarks/tuning.py FOLDER [--sigma 25] [--every 1] [--methods heat,perona-malik,...] [--side 256]

FOLDER/*.png are clean gray images. White noise, fresh for each image, neither clipped nor rounded; results clipped to 0
to 255. Each image is tuned by itself on the part of ``side`` pixels that is most like the whole, with the parameters
that are usual for the method, and denoised whole: "tuned". "Oracle" searches the same ranges in the same way by the
true error of the whole image, and keeps the better of what it and the tuning found.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np

import noiseless
from noiseless.diffusion import FILTERS
from noiseless.restoration.searching import search
from noiseless.restoration.tuning import USUAL_PARAMETERS, recipe_with


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sigma", type=float, default=25.0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--methods", default=",".join([*FILTERS, "non-local-means"]))
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.png"))[:: options.every]
    print(
        f"{len(paths)} images, sigma {options.sigma:g}: usual, tuned, oracle, oracle less tuned in dB; trials, seconds"
    )
    for method in options.methods.split(","):
        rows = []
        for seed, path in enumerate(paths):
            clean = 255.0 * noiseless.read(path).pixels[0].astype(np.float64)
            noisy = clean + options.sigma * np.random.default_rng(seed).standard_normal(clean.shape)
            rows.append(_one(method, clean, noisy, options))
        usual, tuned, oracle, trials, seconds = np.mean(rows, axis=0)
        cells = " ".join(f"{value:.3f}" for value in (usual, tuned, oracle, oracle - tuned))
        print(f"{method:<20} {cells} {trials:.0f} {seconds:.1f}", flush=True)


def _one(method, clean, noisy, options):
    def psnr(values):
        recipe = recipe_with(noiseless.Recipe(method), values)
        denoised = noiseless.restore(noisy, recipe, sigma=options.sigma).image
        return noiseless.psnr(np.clip(denoised, 0, 255), clean)

    began = time.perf_counter()
    found = noiseless.tune(method, noisy, sigma=options.sigma, side=options.side)
    seconds = time.perf_counter() - began
    tuned, tried = psnr(found.values), []

    def worse(values):
        tried.append(psnr(values))
        return -tried[-1]

    search(worse, USUAL_PARAMETERS[method], found.values, math.inf)
    return psnr({}), tuned, max(tuned, *tried), len(found.trials), seconds


if __name__ == "__main__":
    main()
