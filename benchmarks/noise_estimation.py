"""Blind estimates of sigma against the truth, ours and scikit-image's, on the same noisy images.

python benchmarks/noise_estimation.py ../shared/data/eval/BSD68

Noise: numpy.random.default_rng(0), fresh for each image, on float [0, 255], neither clipped nor rounded. Equal sizes
get equal noise, so the errors of one level share one realisation. All figures but the last are in grey levels;
``share`` is the mean estimate over sigma, less 1. The bars: |share| < 5 %, and a mean absolute error below the peer's.
Needs scikit-image and PyWavelets.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.restoration import estimate_sigma

from noiseless.noise import estimate_noise

SIGMAS = (5, 10, 15, 25, 50, 75)

ESTIMATORS: dict[str, Callable[[NDArray[Any]], float]] = {
    "noiseless": lambda noisy: float(estimate_noise(noisy).sigma),
    "skimage": lambda noisy: float(estimate_sigma(noisy)),
}


def main(folder: Path) -> int:
    """Print the table; the exit status is 1 when a bar is missed."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".tif"))
    images = [np.asarray(Image.open(path).convert("L"), dtype=np.float64) for path in files]
    if not images:
        print(f"no images in {folder}", file=sys.stderr)
        return 2
    print(f"{len(images)} images of {folder}\n")
    print("| sigma | estimator | mean abs. error | bias | share | worst | ms/image |")
    print("|---|---|---|---|---|---|---|")
    missed = 0
    for sigma in SIGMAS:
        noisy = [image + sigma * np.random.default_rng(0).standard_normal(image.shape) for image in images]
        mean_absolute = {}
        for name, estimator in ESTIMATORS.items():
            estimator(noisy[0])
            start = time.perf_counter()
            error = np.array([estimator(image) for image in noisy]) - sigma
            elapsed = (time.perf_counter() - start) / len(noisy)
            mean_absolute[name] = np.abs(error).mean()
            share = error.mean() / sigma
            missed += name == "noiseless" and abs(share) >= 0.05
            print(
                f"| {sigma} | {name} | {mean_absolute[name]:.3f} | {error.mean():+.3f} | {100 * share:+.2f} % "
                f"| {np.abs(error).max():.2f} | {1000 * elapsed:.1f} |"
            )
        missed += mean_absolute["noiseless"] >= mean_absolute["skimage"]
    print(f"\n{'both bars are met at each level' if not missed else f'{missed} bars are missed'}")
    return int(missed > 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
