"""The PSNR that is predicted without the clean image, against the true one.

    python benchmarks/predicted_psnr.py DATA [--sets BSD68] [--sigmas 15 25 50] [--model base] [--blind]
                                        [--probes 4] [--every 1] [--each]

DATA/SET/*.png and *.jpg are clean images. White noise, drawn anew for each image, neither clipped nor rounded; its
sigma is told, or found in the noisy image (--blind); nothing is clipped afterwards. Printed are the mean absolute and
the mean error in dB, and how often the 95 % interval holds the true PSNR, by bands of frequency (as `noiseless denoise
--predict` has it) and by Stein's estimate. The energy of the noise in an image of N values differs from N sigma^2 by
sqrt(2 / N) of it; what that alone does to a prediction by Stein's estimate of known sigma stands in the last column but
one. In the last, how many images an audit calls unlike what the network has learned. ``--each`` also prints a line for
each image: what was predicted by bands, its interval, and the true PSNR.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

import noiseless
from noiseless.noise import Gaussian, estimate_image_noise
from noiseless.restoration import spectral_risk, unbiased_risk
from noiseless.restoration.audit import HALF_CONFIDENCE, UNLIKE
from noiseless.score import NetworkDenoiser


def predicted(path, sigma, seed, options):
    image = noiseless.read(path)
    clean = 255 * image.pixels.astype(np.float64)
    noise = sigma * np.random.default_rng((seed, round(sigma))).standard_normal(clean.shape)
    noisy = (clean + noise).astype(np.float32)
    told, sigma_off = Gaussian(sigma), 0.0
    if options.blind:
        found = estimate_image_noise(noiseless.Image(noisy / np.float32(255), scale=255.0))
        told = found.model
        sigma_off = HALF_CONFIDENCE * math.sqrt(1.0 / found.confidence - 1.0)
    network = NetworkDenoiser(options.model, precision="float32")
    level = (np.asarray(told.sigma) / 255).astype(np.float32)
    seen = []

    def denoise(image):
        seen.append(255 * network(image / 255, level))
        return seen[-1]

    by_bands = spectral_risk(denoise, noisy, told, sigma_off=sigma_off, probes=options.probes)
    stein = unbiased_risk(denoise, noisy, told, probes=options.probes)
    stein = replace(stein, standard_error=math.hypot(stein.standard_error, 2 * sigma_off * sigma**2))
    true = noiseless.psnr(seen[0], clean)
    figures = []
    if options.each:
        low, high = by_bands.psnr_interval()
        said = f"predicted {by_bands.psnr():.3f} dB ({low:.3f} to {high:.3f}), true {true:.3f} dB"
        print(f"  {path.stem}, sigma {sigma:g}: {said}", flush=True)
    for risk in (by_bands, stein):
        low, high = risk.psnr_interval()
        figures += [risk.psnr() - true, low <= true <= high]
    mse = 255**2 * 10 ** (-true / 10)
    chance = 10 * np.log10(max(1 + (np.mean(noise**2) - sigma**2) / mse, 0.01))
    factor, error = by_bands.over_own
    return *figures, chance, factor - 2 * error > UNLIKE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["BSD68"])
    parser.add_argument("--sigmas", nargs="+", type=float, default=[15, 25, 50])
    parser.add_argument("--model", default="base")
    parser.add_argument("--blind", action="store_true")
    parser.add_argument("--probes", type=int, default=4)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    print("                    by bands                     Stein                        noise energy alone   unlike")
    print("set      sigma      |error|   error  95 % holds   |error|   error  95 % holds   |error|")
    for name in options.sets:
        paths = sorted(path for kind in ("png", "jpg") for path in (options.data / name).glob(f"*.{kind}"))
        paths = paths[:: options.every]
        for sigma in options.sigmas:
            rows = [predicted(path, sigma, seed, options) for seed, path in enumerate(paths)]
            columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
            cells = [
                f"{np.abs(off).mean():9.3f}  {off.mean():+6.3f} {100 * held.mean():9.1f} %"
                for off, held in (columns[:2], columns[2:4])
            ]
            rest = f"{np.abs(columns[4]).mean():9.3f} {columns[5].sum():12.0f} of {len(rows)}"
            print(f"{name:8s} {sigma:5g}   {cells[0]}   {cells[1]} {rest}", flush=True)


if __name__ == "__main__":
    main()
