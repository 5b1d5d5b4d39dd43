"""Do the error bars hold? Coverage of the 68 % and 95 % intervals, and the rank correlation of error map and error.

    python benchmarks/interval_coverage.py DATA [--sets BSD68 CBSD68 Kodak24] [--sigmas 15 25 50] [--every 1]
                                           [--model base]

DATA/SET holds clean images. The protocol of `noiseless bench`: white noise from seed 0, neither clipped nor rounded,
sigma told; nothing is clipped afterwards. Thirds of local activity are by the standard deviation in 7x7
pixels, over the whole set: of the *denoised* image, which is what a user sees and an interval can know, and of the
*clean* one, which it cannot (faint texture that the noise hid counts as textured there and looks flat to any
denoiser, so intervals that hold given the noisy image do not hold given the clean one). Rank correlation is
Spearman's, over every seventh pixel of the set; in colour the map has one value a pixel, and the error of a pixel is
the root mean square over its channels.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.stats import spearmanr

import noiseless

WINDOW = 7


def activity(image):
    size = (1, WINDOW, WINDOW)
    square = uniform_filter(image.astype(np.float64) ** 2, size) - uniform_filter(image.astype(np.float64), size) ** 2
    shared = np.sqrt(np.maximum(square, 0.0)).mean(axis=0, keepdims=True)
    return np.broadcast_to(shared, image.shape).astype(np.float32)


def measured(path, sigma, model):
    image = noiseless.read(path)
    clean = 255 * image.pixels.astype(np.float64)
    # The protocol draws noise for (height, width, channels).
    noise = np.random.default_rng(0).standard_normal(clean.shape[1:] + clean.shape[:1])
    noisy = clean + sigma * noise.transpose(2, 0, 1)
    restored = noiseless.restore(
        noisy.astype(np.float32), noiseless.Recipe(model=model, error=True), sigma=float(sigma), channel_axis=0
    )
    error = np.abs(restored.image - clean).astype(np.float32)
    together = np.sqrt(np.mean(error**2, axis=0))
    half68, half95 = restored.error.half68, restored.error.half95
    return {
        "error": error,
        "half68": half68,
        "half95": half95,
        "denoised": activity(restored.image),
        "clean": activity(clean),
        "error of pixels": together,
        "map of pixels": half68[0],
    }


def by_thirds(inside, activity):
    thirds = np.digitize(activity, np.quantile(activity[::7], [1 / 3, 2 / 3]))
    return "/".join(f"{100 * inside[thirds == third].mean():.1f}" for third in range(3))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["BSD68", "CBSD68", "Kodak24"])
    parser.add_argument("--sigmas", nargs="+", type=float, default=[15, 25, 50])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--model", default="base")
    options = parser.parse_args()
    print("              68 % interval holds                                95 % interval holds")
    head = "all   flat/medium/textured as denoised   as clean"
    print(f"set      sigma {head}         {head}         rank corr.")
    for name in options.sets:
        paths = sorted(path for path in (options.data / name).iterdir() if path.suffix in (".png", ".jpg"))[
            :: options.every
        ]
        for sigma in options.sigmas:
            parts = [measured(path, sigma, options.model) for path in paths]
            pixels = {key: np.concatenate([part[key].ravel() for part in parts]) for key in parts[0]}
            cells = []
            for half in ("half68", "half95"):
                inside = pixels["error"] <= pixels[half]
                thirds = [by_thirds(inside, pixels[kind]) for kind in ("denoised", "clean")]
                cells.append(f"{100 * inside.mean():.1f}  {thirds[0]:32s} {thirds[1]:16s}")
            rank = spearmanr(pixels["map of pixels"][::7], pixels["error of pixels"][::7])[0]
            print(f"{name:8s} {sigma:5g} {cells[0]} {cells[1]} {rank:.3f}", flush=True)


if __name__ == "__main__":
    main()
