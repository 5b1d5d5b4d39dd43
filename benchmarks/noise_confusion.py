"""Which kind does the blind estimate say? A confusion matrix over kinds, and how often "high" trust is right.

    python benchmarks/noise_confusion.py FOLDER [--every N] [--gray] [--stored]

FOLDER holds clean images; noise as in ``noise_kinds``, in units of 0 to 255. ``--stored``: clipped and rounded to
uint8, as files of pictures are; only these have a white, and so photons in the light of sRGB. Poisson and Poisson-
Gaussian count as one family where the read noise is below half of the photon noise of the mean, as one law is then the
limit of the other.
Exits with 1 if fewer than 90 % of the answers of high trust name the right kind.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

import noiseless
from noiseless.noise import estimate_noise, parse_noise

KINDS = {
    "gaussian": ("gaussian:5", "gaussian:15", "gaussian:25", "gaussian:50"),
    "poisson": ("poisson:gain=2", "poisson:gain=10"),
    "poisson-gaussian": ("poisson-gaussian:gain=2,sigma=10", "poisson-gaussian:gain=5,sigma=15"),
    "rician": ("rician:sigma=15", "rician:sigma=30"),
    "speckle": ("speckle:looks=4", "speckle:looks=16"),
    "correlated": ("correlated:sigma=15,width=0.7", "correlated:sigma=25,width=1.2"),
    "stripes": ("stripes:stripe=8,sigma=10", "stripes:stripe=15,sigma=15,axis=1"),
    "salt-and-pepper": ("salt-and-pepper:density=0.05", "gaussian:10+salt-and-pepper:density=0.1"),
    "hot-pixels": ("gaussian:10+hot-pixels:density=0.01",),
    "clean": ("gaussian:0",),
}
STORED_KINDS = {"srgb-photons": ("srgb-photons:gain=0.001,sigma=0.003", "srgb-photons:gain=0.005,sigma=0.005")}
FAMILY = {"poisson": {"poisson", "poisson-gaussian"}, "poisson-gaussian": {"poisson-gaussian", "poisson"}}
IMPULSES = {"salt-and-pepper", "hot-pixels", "random-impulses"}


def named(found):
    """The kind of an estimate, impulses first; "clean" where it says that there is nothing to remove."""
    kinds = found.kind.split(" + ")
    for kind in kinds:
        if kind in IMPULSES:
            return kind
    clean = any("one grey level" in warning or "exactly constant" in warning for warning in found.warnings)
    return "clean" if clean and kinds[0] == "gaussian" else kinds[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--gray", action="store_true")
    parser.add_argument("--stored", action="store_true")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".tif"))
    images = [noiseless.read(path).stored().astype(np.float64) for path in paths[:: arguments.every]]
    if arguments.gray:
        images = [np.tensordot([0.299, 0.587, 0.114], image, 1)[None] if len(image) == 3 else image for image in images]
    sure = Counter()
    for kind, laws in (KINDS | (STORED_KINDS if arguments.stored else {})).items():
        said, wrong = Counter(), Counter()
        for law in laws:
            for index, image in enumerate(images):
                noisy = parse_noise(law).sample(image, np.random.default_rng(index))
                if arguments.stored:
                    noisy = np.rint(noisy).clip(0, 255).astype(np.uint8)
                found = estimate_noise(noisy, channel_axis=0)
                said[named(found)] += 1
                if found.trust == "high":
                    right = named(found) in FAMILY.get(kind, {kind})
                    sure[right] += 1
                    wrong[named(found)] += not right
        print(f"{kind:>18}: " + ", ".join(f"{name} {count}" for name, count in said.most_common()), end="")
        print("; wrong with high trust: " + str(dict(+wrong)) if wrong.total() else "", flush=True)
    share = sure[True] / max(1, sure.total())
    print(f"\nof {sure.total()} answers of high trust {100 * share:.1f} % name the right kind")
    return int(share < 0.9)


if __name__ == "__main__":
    sys.exit(main())
