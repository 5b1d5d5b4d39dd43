"""Fit the maps from propagated to true error of the shipped networks, on photographs that are in no evaluation set.

    python training/calibrate.py TRAIN_FOLDER [--every 12] [--side 160] [--only base-gray ...]

Writes src/noiseless/generation/calibrations.json. What it promises is checked on other sets by
benchmarks/interval_coverage.py.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import noiseless
from noiseless.generation import fit_calibration, propagated_noise, sign_probes
from noiseless.generation.calibration import PROBES
from noiseless.score import NetworkDenoiser, is_blind, shipped

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
SIGMAS = (5, 10, 15, 25, 50, 75)


def middle(path, side, kind):
    pixels = noiseless.read(path).pixels
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[1:])
    pixels = pixels[:, top : top + side, left : left + side]
    return np.tensordot(LUMA, pixels, axes=1)[np.newaxis] if kind == "gray" else pixels


def raw_and_error(denoiser, clean, sigma, seed):
    noise = np.random.default_rng(seed).standard_normal(clean.shape, dtype=np.float32)
    noisy = np.float32(clean + sigma * noise)
    denoised = denoiser(noisy, sigma)
    through = propagated_noise(
        lambda image: denoiser(image, sigma), noisy, denoised, sign_probes(noisy, sigma, PROBES, seed)
    )
    return through.std, denoised - clean


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--only", nargs="+", default=list(shipped()), choices=list(shipped()), metavar="MODEL")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.iterdir() if path.suffix in (".jpg", ".png"))[:: options.every]
    target = Path(noiseless.generation.__file__).with_name("calibrations.json")
    fitted = json.loads(target.read_text(encoding="utf-8"))
    for name in options.only:
        if is_blind(name.rpartition("-")[0]):
            continue  # not made for noise of a known sigma
        size, _, kind = name.rpartition("-")
        denoiser = NetworkDenoiser(size, precision="float32")
        images = [middle(path, options.side, kind) for path in paths]
        levels = [[raw_and_error(denoiser, x, s / 255, seed) for seed, x in enumerate(images)] for s in SIGMAS]
        raws, errors = ([np.stack([pair[i] for pair in level]) for level in levels] for i in (0, 1))
        fitted[name] = fit_calibration([s / 255 for s in SIGMAS], raws, errors).as_json()
        print(name, len(images), "images")
    target.write_text(json.dumps(fitted, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
