"""What each objective reaches on photographs with noise of sigma 25, beside training on the clean ones.

    python benchmarks/objectives.py TRAIN_FOLDER VALIDATION_FOLDER [--steps 1500] [--size tiny]

Gray; every image has one noisy version, made once (two for noise2noise). Mean PSNR at sigma 25 on every third picture
of the validation folder, of networks that have seen the same number of patches.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import noiseless
from noiseless.score import OBJECTIVES, NetworkDenoiser, TrainingSettings, train
from noiseless.score.sigma_law import Uniform

SIGMA = 25 / 255
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def gray(path):
    pixels = noiseless.read(path).pixels
    return np.tensordot(LUMA, pixels, axes=1)[np.newaxis] if pixels.shape[0] == 3 else pixels


def with_noise(image, frames, seed):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((frames, *image.shape[1:]), dtype=np.float32)
    return np.float32(image + SIGMA * noise)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("training", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--rate", type=float, default=0.005)
    parser.add_argument("--only", nargs="+", default=list(OBJECTIVES))
    options = parser.parse_args()
    clean = [gray(path) for path in sorted(options.training.iterdir()) if path.suffix in (".jpg", ".png")]
    held = [gray(path) for path in sorted(options.validation.iterdir()) if path.suffix == ".png"][::3]
    for name in options.only:
        objective = OBJECTIVES[name]
        images = clean
        if objective.from_noisy:
            images = [with_noise(image, objective.frames, (1, seed)) for seed, image in enumerate(clean)]
        settings = TrainingSettings(
            steps=options.steps, batch=8, patch=64, objective=name, validate_every=10**9, muon_rate=options.rate,
            sigma_law=Uniform(SIGMA * 0.999, SIGMA, varied=0.0),
        )  # fmt: skip
        sigma = SIGMA if objective.from_noisy else None
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "model.safetensors"
            for _ in train(images, output, model=options.size, settings=settings, sigma=sigma):
                pass
            denoise = NetworkDenoiser(str(output))
            scores = [
                noiseless.psnr(denoise(with_noise(image, 1, (2, seed)), SIGMA).clip(0, 1), image, data_range=1.0)
                for seed, image in enumerate(held)
            ]
        print(f"{name:16s} {np.mean(scores):6.2f} dB  {time.perf_counter() - start:5.0f} s", flush=True)


if __name__ == "__main__":
    main()
