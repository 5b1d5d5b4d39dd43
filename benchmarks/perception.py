"""Perception against distortion: what more steps of the probability flow give, and what they cost.

    python benchmarks/perception.py FOLDER [--sigmas 25 50] [--steps 1 2 5 10 50] [--every 1] [--model base]
                                    [--plot PICTURE.png]

FOLDER/*.png are clean colour images. Protocol of `noiseless bench`. PSNR and SSIM (distortion), and a distance of
natural-scene statistics that needs no reference image and no download (perception): for patches of 80x80 pixels of the
luminance, moments of the locally normalised values and of the products of neighbours, at two scales; the Frechet
distance between the Gaussian laws of these 16 features, each in units of its spread over the clean set, of restored
and of clean patches. 0 is indistinguishable, and how far two halves of the clean set are apart is printed too.

Mittal, Moorthy, Bovik 2012, IEEE TIP 21, 4695: the features. Blau & Michaeli, CVPR 2018: the trade.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter

import noiseless

LUMA = np.array([0.299, 0.587, 0.114])
PATCH = 80


def features(image):
    """(patches, 16) of a (3, Y, X) image in [0, 255]."""
    luma = np.tensordot(LUMA, image, axes=1)
    scales = []
    for scale in range(2):
        mean = gaussian_filter(luma, 7 / 6)
        spread = np.sqrt(np.maximum(gaussian_filter(luma**2, 7 / 6) - mean**2, 0.0))
        normal = (luma - mean) / (spread + 1.0)
        side = PATCH >> scale
        rows, columns = (length // side for length in normal.shape)
        places = [
            (slice(row * side, row * side + side), slice(column * side, column * side + side))
            for row in range(rows)
            for column in range(columns)
        ]
        scales.append([moments(normal[place], spread[place]) for place in places])
        luma = gaussian_filter(luma, 0.8)[::2, ::2]
    count = min(map(len, scales))
    return np.concatenate([np.array(scale[:count]) for scale in scales], axis=1)


def moments(z, spread):
    pairs = [z[:, 1:] * z[:, :-1], z[1:] * z[:-1], z[1:, 1:] * z[:-1, :-1], z[1:, :-1] * z[:-1, 1:]]
    alone = [np.abs(z).mean(), z.std(), (z**4).mean() ** 0.25, np.log(spread + 1.0).mean()]
    return alone + [pair.mean() for pair in pairs]


def frechet(a, b, scale):
    a, b = a / scale, b / scale
    root = sqrtm(np.cov(a.T) @ np.cov(b.T))
    return float(np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * np.real(root)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sigmas", nargs="+", type=float, default=[25, 50])
    parser.add_argument("--steps", nargs="+", type=int, default=[1, 2, 5, 10, 50])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--model", default="base")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    images = [255 * noiseless.read(path).pixels.astype(float) for path in sorted(options.folder.glob("*.png"))]
    images = images[:: options.every]
    clean = [features(image) for image in images]
    reference = np.concatenate(clean)
    scale = reference.std(axis=0)
    halves = frechet(np.concatenate(clean[::2]), np.concatenate(clean[1::2]), scale)
    print(f"two halves of the clean set: {halves:.2f}")
    curves = {}
    for sigma in options.sigmas:
        for steps in options.steps:
            figures, found = [], []
            for image in images:
                noise = np.random.default_rng(0).standard_normal((*image.shape[1:], 3)).transpose(2, 0, 1)
                noisy = (image + sigma * noise).astype(np.float32)
                restored = noiseless.denoise(
                    noisy, sigma=float(sigma), model=options.model, steps=steps, channel_axis=0
                ).clip(0, 255)
                figures.append([
                    noiseless.psnr(restored, image, data_range=255),
                    noiseless.ssim(restored, image, data_range=255, channel_axis=0),
                ])  # fmt: skip
                found.append(features(restored))
            psnr, ssim = np.mean(figures, axis=0)
            distance = frechet(np.concatenate(found), reference, scale)
            curves.setdefault(sigma, []).append((steps, psnr, ssim, distance))
            line = f"{psnr:.2f} dB, SSIM {ssim:.4f}, distance {distance:.2f}"
            print(f"sigma {sigma:g}, {steps:2d} steps: {line}", flush=True)
    if options.plot:
        draw(curves, options)


def draw(curves, options):
    from matplotlib.figure import Figure

    picture = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = picture.subplots()
    for (sigma, curve), colour in zip(curves.items(), ("#2c5fb3", "#c0392b", "#27913f"), strict=False):
        steps, psnr, _, distance = zip(*curve, strict=True)
        axes.plot(psnr, distance, "-o", color=colour, label=f"sigma {sigma:g}")
        for count, x, y in zip(steps, psnr, distance, strict=True):
            axes.annotate(f"{count}", (x, y), xytext=(4, 4), textcoords="offset points", fontsize=9)
    axes.set_xlabel("PSNR, dB (more is nearer to the clean image)")
    axes.set_ylabel("distance of statistics (less looks more natural)")
    axes.set_title(f"steps of the probability flow, {options.folder.name}, {options.model}", fontsize=11)
    axes.grid(visible=True, lw=0.4, alpha=0.5)
    axes.legend(frameon=False)
    picture.savefig(options.plot, dpi=120)


if __name__ == "__main__":
    main()
