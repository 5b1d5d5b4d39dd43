"""Blind estimates of sigma against the truth, ours and scikit-image's, on the same noisy images.

python benchmarks/noise_estimation.py ../shared/data/eval/BSD68 [--seeds own] [--colour] [--uint8]

Noise: numpy.random.default_rng(0), fresh for each image, on float [0, 255], neither clipped nor rounded. Equal sizes
get equal noise, so the errors of one level share one realisation; ``--seeds own`` gives image i the seed i instead.
``--colour`` gives the three channels of RGB noise of one sigma and compares the mean of what is estimated for them;
``--uint8`` rounds and clips the noisy images to 0 ... 255, where the bars are relative.

All figures are in grey levels, but for: ``share``, the mean estimate over sigma, less 1; ``z``, the root mean square
of the error over the standard error that we declare (1 is honest), and the share of images where it is above 3. ``ms``
is the estimate of sigma alone, ``ms, all`` the whole of ``estimate_noise``, which finds the kind too. The bars: the
mean absolute error of each level, below the peer's too; the worst error 1.0 where noise is not clipped. scikit-image
(with PyWavelets) is left out where it is not installed.
"""

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from noiseless.noise import estimate_noise
from noiseless.noise.estimation.flat_patches import measure

BARS = {5: 0.15, 10: 0.15, 15: 0.15, 25: 0.20, 50: 0.40, 75: 0.65}
CLIPPED_BARS = {5: 0.15, 10: 0.3, 15: 0.45, 25: 0.75, 50: 2.0, 75: 6.0}
WORST = 1.0


def ours(noisy: NDArray[np.float32]) -> tuple[float, float]:
    """Sigma of (C, Y, X) and its relative standard error: channels agree by construction, so their variances' mean."""
    found = [noise for noise in (measure(channel) for channel in noisy) if noise is not None]
    sigma = float(np.sqrt(np.mean([noise.sigma**2 for noise in found])))
    return sigma, float(np.sqrt(np.mean([noise.error**2 for noise in found]) / len(found)))


def scikit_image(noisy: NDArray[np.float32]) -> tuple[float, float]:
    """The peer: the median absolute deviation of Daubechies' finest diagonal wavelet coefficients."""
    from skimage.restoration import estimate_sigma

    return float(np.mean(estimate_sigma(noisy, channel_axis=0))), np.nan


def milliseconds_of_all(noisy: list[NDArray[np.float32]]) -> float:
    start = time.perf_counter()
    for image in noisy:
        estimate_noise(image, channel_axis=0)
    return 1000 * (time.perf_counter() - start) / len(noisy)


def noised(image: NDArray[Any], sigma: float, seed: int, *, uint8: bool) -> NDArray[np.float32]:
    noisy = image + sigma * np.random.default_rng(seed).standard_normal(image.shape)
    return (np.clip(np.rint(noisy), 0, 255) if uint8 else noisy).astype(np.float32)


def main(arguments: argparse.Namespace) -> int:
    """Print the table; the exit status is 1 when a bar is missed."""
    files = sorted(path for path in arguments.folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".tif"))
    mode = "RGB" if arguments.colour else "L"
    # "L" of a file is (Y, X): the channel goes in front, as in the library.
    images = [np.atleast_3d(np.asarray(Image.open(path).convert(mode), np.float64)) for path in files]
    images = [np.moveaxis(image, -1, 0) for image in images]
    if not images:
        print(f"no images in {arguments.folder}", file=sys.stderr)
        return 2
    estimators = {"noiseless": ours}
    if find_spec("skimage") and find_spec("pywt"):
        estimators["skimage"] = scikit_image
    print(f"{len(images)} images of {arguments.folder}\n")
    print("| sigma | estimator | mean abs. error | bias | share | worst | z | over 3 | ms | ms, all |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    missed = 0
    for sigma, bar in (CLIPPED_BARS if arguments.uint8 else BARS).items():
        seeds = range(len(images)) if arguments.seeds == "own" else [0] * len(images)
        noisy = [noised(image, sigma, seed, uint8=arguments.uint8) for image, seed in zip(images, seeds, strict=True)]
        mean_absolute = {}
        for name, estimator in estimators.items():
            estimator(noisy[0])
            start = time.perf_counter()
            estimate, declared = np.array([estimator(image) for image in noisy]).T
            elapsed = (time.perf_counter() - start) / len(noisy)
            whole = f"{milliseconds_of_all(noisy):.1f}" if name == "noiseless" else ""
            error = estimate - sigma
            z = np.abs(error) / sigma / declared
            share = 100 * error.mean() / sigma
            mean_absolute[name] = np.abs(error).mean()
            print(
                f"| {sigma} | {name} | {mean_absolute[name]:.3f} | {error.mean():+.3f} | {share:+.2f} % "
                f"| {np.abs(error).max():.2f} | {np.sqrt(np.mean(z**2)):.2f} | {100 * np.mean(z > 3):.1f} % "
                f"| {1000 * elapsed:.1f} | {whole} |"
            )
            if name == "noiseless":
                missed += np.abs(error).max() > WORST and not arguments.uint8
        missed += mean_absolute["noiseless"] > min(bar, *mean_absolute.values())
    print(f"\n{'every bar is met at each level' if not missed else f'{missed} bars are missed'}")
    return int(missed > 0)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", choices=["same", "own"], default="same")
    parser.add_argument("--colour", action="store_true")
    parser.add_argument("--uint8", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(parsed()))
