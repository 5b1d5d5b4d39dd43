"""What mixing different denoisers by their estimated risk gains over the best of them, and over the shipped network.

    python benchmarks/ensemble.py DATA [--sets Set12 texture microscopy] [--sigmas 15 25 50] [--every 1]
                                  [--members score "score:model=tiny" ...]

DATA/eval/SET/*.png are gray; "texture" is brick, grass and gravel of scikit-image (CC0), "microscopy" the averaged
captures of DATA/domain/microscopy, scaled to a maximum of 255, their upper left 512x512 pixels, and the cell of
scikit-image. White noise from seed 0, neither clipped nor rounded, sigma told; nothing is clipped afterwards. Gains are
in dB, the mean over a set, then the least and the most of single images. Needs the group `bench`.
"""

import argparse
from pathlib import Path

import numpy as np
from skimage import data as pictures

import noiseless
from noiseless.restoration import Recipe
from noiseless.restoration.methods import USUAL_MEMBERS

SIDE = 512


def images(root, name, every):
    if name == "texture":
        return [getattr(pictures, texture)().astype(np.float64) for texture in ("brick", "grass", "gravel")][::every]
    if name == "microscopy":
        averaged = sorted((root / "domain" / "microscopy").glob("*_avg*"))
        planes = [noiseless.read(path).pixels.mean(axis=0, dtype=np.float64) for path in averaged]
        planes = [255.0 * plane / plane.max() for plane in planes] + [pictures.cell().astype(np.float64)]
        return [plane[:SIDE, :SIDE] for plane in planes][::every]
    paths = sorted((root / "eval" / name).glob("*.png"))[::every]
    return [255.0 * noiseless.read(path).pixels[0].astype(np.float64) for path in paths]


def psnr(image, clean):
    return 10.0 * np.log10(255.0**2 / np.mean((image - clean) ** 2))


def scores(clean, sigma, members):
    noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    singles = [psnr(noiseless.restore(noisy, Recipe(m), sigma=sigma).image, clean) for m in members]
    mixed = noiseless.restore(noisy, Recipe("ensemble", members=tuple(members)), sigma=sigma).image
    return [*singles, psnr(mixed, clean)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["Set12", "texture", "microscopy"])
    parser.add_argument("--sigmas", nargs="+", type=float, default=[15, 25, 50])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--members", nargs="+", default=USUAL_MEMBERS)
    options = parser.parse_args()
    print("set sigma: dB of", ", ".join(options.members), "| ensemble | over the best member | over the first member")
    for name in options.sets:
        cleans = images(options.data, name, options.every)
        for sigma in options.sigmas:
            table = np.array([scores(clean, sigma, options.members) for clean in cleans])
            means = table.mean(axis=0)
            over = table[:, -1] - table[:, 0]
            cells = " ".join(f"{value:.2f}" for value in means[:-1])
            gain = means[-1] - means[:-1].max()
            print(
                f"{name} {sigma:g}: {cells} | {means[-1]:.2f} | {gain:+.3f} | "
                f"{over.mean():+.3f} ({over.min():+.3f} to {over.max():+.3f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
