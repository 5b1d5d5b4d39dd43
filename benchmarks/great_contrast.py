"""A network on contrast of hundreds of times the noise, as it sees the image whole and one range of levels at a time.

    python benchmarks/great_contrast.py [--contrasts 250 500 1000 2000] [--model base]

The phantom of a head of scikit-image (400x400, range 1), with waves of 0.01 in its brain, and white noise of 1 over the
contrast from seed 0. Root mean squared error in sigma, in the brain and in all of the image, and the nodes
between levels. Needs the group `bench`.
"""

import argparse

import numpy as np
from skimage.data import shepp_logan_phantom
from skimage.transform import resize

from noiseless.restoration.level_range import ByLevels, nodes_of
from noiseless.score import NetworkDenoiser


def phantom(side=400):
    clean = resize(shepp_logan_phantom(), (side, side), anti_aliasing=True)
    brain = (clean > 0.15) & (clean < 0.5)
    return clean + 0.01 * np.sin(np.mgrid[0:side, 0:side][0] / 3) * brain


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contrasts", nargs="+", type=float, default=[250, 500, 1000, 2000])
    parser.add_argument("--model", default="base")
    options = parser.parse_args()
    network = NetworkDenoiser(options.model, precision="float32")
    clean = phantom()
    brain = (clean > 0.05) & (clean < 0.45)
    for contrast in options.contrasts:
        sigma = 1 / contrast
        noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
        noisy = noisy[np.newaxis].astype(np.float32)
        cells = []
        for name, denoise in (("whole", network), ("by levels", ByLevels(network))):
            off = (denoise(noisy, sigma)[0] - clean) / sigma
            cells.append(f"{name} {np.sqrt(np.mean(off[brain] ** 2)):.2f} {np.sqrt(np.mean(off**2)):.2f}")
        print(
            f"contrast {contrast:g} sigma: {', '.join(cells)}, {max(1, len(nodes_of(noisy, sigma)))} nodes", flush=True
        )


if __name__ == "__main__":
    main()
