"""Is it worth training on one's own noisy images? Real photon noise, no clean image, images held back for the answer.

    python benchmarks/microscopy_training.py FOLDER [--objective recorrupt] [--steps 600] [--rate 0.0005]

FOLDER holds pairs NAME_noisy.* and NAME_avg*.*, of which two of the w2s_* are held back. The shipped gray network is
trained further on the other noisy ones, each stabilised by the law that is found in it, and both denoise the two: PSNR
against their averages, brought to the scale of the noisy image by least squares.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import noiseless
from noiseless.restoration import Recipe
from noiseless.score import TrainingSettings, load_shipped, save, train

HELD_BACK = ("w2s_085_1", "w2s_099_0")


def stabilised(path):
    """The image with noise of one level everywhere, in a range of 1, and that level."""
    image = noiseless.read(path)
    law = noiseless.noise.estimate_image_noise(image).model
    values = law.stabilise(image.in_stored_units().astype(np.float64))
    low, high = np.quantile(values, (0.001, 0.999))
    return np.float32((values - low) / (high - low)), 1.0 / (high - low)


def psnr(folder, name, model):
    (noisy_path,) = folder.glob(f"{name}_noisy.*")
    (average,) = folder.glob(f"{name}_avg*")
    image = noiseless.read(noisy_path)
    noisy, mean = (file.stored()[0].astype(np.float64) for file in (image, noiseless.read(average)))
    clean = np.polyval(np.polyfit(mean.ravel(), noisy.ravel(), 1), mean)
    restored = noiseless.restore_image(image, Recipe(model=model)).image.in_stored_units()[0]
    return 10 * np.log10(image.scale**2 / np.mean((restored - clean) ** 2))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objective", default="recorrupt")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rate", type=float, default=0.0005)
    parser.add_argument("--start", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    paths = [path for path in sorted(options.folder.glob("w2s_*_noisy.*")) if not path.name.startswith(HELD_BACK)]
    images, sigmas = zip(*(stabilised(path) for path in paths), strict=True)
    print(f"{len(images)} noisy images, sigma {min(sigmas):.3f} to {max(sigmas):.3f} of their range")
    settings = TrainingSettings(
        steps=options.steps, batch=4, patch=96, objective=options.objective, muon_rate=options.rate, adam_rate=1e-4
    )
    with tempfile.TemporaryDirectory() as folder:
        start, output = Path(folder) / "start.safetensors", Path(folder) / "own.safetensors"
        save(load_shipped("base-gray"), start)
        begin = start if options.start else None
        for state in train(list(images), output, settings=settings, sigma=list(sigmas), start=begin):
            if state.step % 100 == 0:
                print(f"  step {state.step}, {state.elapsed:.0f} s, loss {state.loss:.4f}", flush=True)
        for name in HELD_BACK:
            shipped, own = (psnr(options.folder, name, model) for model in ("base", str(output)))
            print(f"{name}: shipped {shipped:.2f} dB, trained on {len(images)} noisy images {own:.2f} dB")


if __name__ == "__main__":
    main()
