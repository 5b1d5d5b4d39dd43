"""How near is the sigma that makes a noisy image likeliest under the density of ``experts``?

    python benchmarks/likeliest_sigma.py FOLDER [--sigmas 15 25 50] [--every 1]

FOLDER/*.png are clean gray images. White noise from seed 0, neither clipped nor rounded. Mean over the images of how
far the likeliest sigma is off, without sign, in percent of the true one, and the worst.
"""

import argparse
from pathlib import Path

import numpy as np

import noiseless
from noiseless.score import Experts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sigmas", nargs="+", type=float, default=[15, 25, 50])
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    images = [noiseless.read(path).pixels[0] for path in sorted(options.folder.glob("*.png"))[:: options.every]]
    experts = Experts()
    print(f"{len(images)} images")
    for sigma in options.sigmas:
        level = sigma / 255
        noisy = (clean + level * np.random.default_rng(0).standard_normal(clean.shape) for clean in images)
        off = [100 * abs(experts.likeliest_sigma(image) / level - 1) for image in noisy]
        print(f"sigma {sigma:g}: off by {np.mean(off):.2f} % in the mean, {max(off):.2f} % at worst", flush=True)


if __name__ == "__main__":
    main()
