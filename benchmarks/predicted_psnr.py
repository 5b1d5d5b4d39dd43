"""The PSNR that is predicted without the clean image, against the true one.

    python benchmarks/predicted_psnr.py DATA [--sets BSD68] [--sigmas 15 25 50] [--model base] [--probes 4] [--every 1]

DATA/SET/*.png are clean images. White noise of known sigma, drawn anew for each image, neither clipped nor rounded;
nothing is clipped afterwards. Printed are the mean absolute and the mean error in dB, and how often the 95 % interval
holds the true PSNR. The energy of the noise in an image of N values differs from N sigma^2 by sqrt(2 / N) of it, which
no risk of this kind can know; what that alone does to a prediction stands in the last column.
"""

import argparse
from pathlib import Path

import numpy as np

import noiseless
from noiseless.noise import Gaussian
from noiseless.restoration import spectral_risk, unbiased_risk
from noiseless.score import NetworkDenoiser


def predicted(path, sigma, seed, options):
    clean = 255 * noiseless.read(path).pixels.astype(np.float64)
    noise = sigma * np.random.default_rng((seed, round(sigma))).standard_normal(clean.shape)
    noisy = (clean + noise).astype(np.float32)
    network = NetworkDenoiser(options.model, precision="float32")
    seen = []

    def denoise(image):
        seen.append(255 * network(image / 255, sigma / 255))
        return seen[-1]

    figures = []
    for estimate in (spectral_risk, unbiased_risk):
        risk = estimate(denoise, noisy, Gaussian(sigma), probes=options.probes)
        true = noiseless.psnr(seen[0], clean)
        low, high = risk.psnr_interval()
        figures += [risk.psnr() - true, low <= true <= high]
    mse = 255**2 * 10 ** (-true / 10)
    chance = 10 * np.log10(max(1 + (np.mean(noise**2) - sigma**2) / mse, 0.01))
    return *figures, chance


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["BSD68"])
    parser.add_argument("--sigmas", nargs="+", type=float, default=[15, 25, 50])
    parser.add_argument("--model", default="base")
    parser.add_argument("--probes", type=int, default=4)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    print("                    spectral                     Stein                        noise energy alone")
    print("set      sigma      |error|   error  95 % holds   |error|   error  95 % holds   |error|")
    for name in options.sets:
        paths = sorted((options.data / name).glob("*.png"))[:: options.every]
        for sigma in options.sigmas:
            rows = [predicted(path, sigma, seed, options) for seed, path in enumerate(paths)]
            columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
            cells = [
                f"{np.abs(off).mean():9.3f}  {off.mean():+6.3f} {100 * held.mean():9.1f} %"
                for off, held in (columns[:2], columns[2:4])
            ]
            print(f"{name:8s} {sigma:5g}   {cells[0]}   {cells[1]} {np.abs(columns[4]).mean():9.3f}", flush=True)


if __name__ == "__main__":
    main()
