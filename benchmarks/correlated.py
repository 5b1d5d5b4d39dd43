"""Correlated noise by plug-and-play, against the denoiser for white noise at the best sigma for each image.

    python benchmarks/correlated.py FOLDER [--sigma 25] [--every 1]

FOLDER/*.png are clean gray images. Noise of standard deviation sigma, white noise filtered on a periodic grid: by
Gaussians of 0.8, 1.2 and 2 pixels, and by the ramp of filtered back-projection with a Hann window (CT). The white
denoiser is given the best of nine sigmas for each image by its true error, which no user can do. Mean PSNR.
"""

import argparse
from pathlib import Path

import numpy as np

import noiseless
from noiseless.generation import PlugAndPlay
from noiseless.score import NetworkDenoiser

FACTORS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 2.6, 3.4)


def blurred(width):
    return lambda rows, columns: np.exp(-4 * np.pi**2 * width**2 * (rows**2 + columns**2))


def ramp(rows, columns):
    radius = np.hypot(rows, columns)
    return radius * np.cos(np.pi * np.minimum(radius, 0.5)) ** 2 + 1e-4


SPECTRA = {"blur 0.8": blurred(0.8), "blur 1.2": blurred(1.2), "blur 2.0": blurred(2.0), "CT ramp": ramp}


def spectrum_of(shape, law, sigma):
    power = law(np.fft.fftfreq(shape[0])[:, np.newaxis], np.fft.fftfreq(shape[1]))
    return power / power.mean() * sigma**2


def psnr(image, clean):
    return -10 * np.log10(np.mean((np.clip(image, 0, 1) - clean) ** 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sigma", type=float, default=25)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    denoiser, sigma = NetworkDenoiser(), options.sigma / 255
    for name, law in SPECTRA.items():
        figures = []
        for path in sorted(options.folder.glob("*.png"))[:: options.every]:
            clean = noiseless.read(path).pixels
            spectrum = spectrum_of(clean.shape[1:], law, sigma)
            white = np.fft.fft2(np.random.default_rng(0).standard_normal(clean.shape[1:]))
            noisy = np.float32(clean + np.fft.ifft2(white * np.sqrt(spectrum)).real)
            best = max(psnr(denoiser(noisy, factor * sigma), clean) for factor in FACTORS)
            figures.append([psnr(noisy, clean), best, psnr(PlugAndPlay(denoiser)(noisy, spectrum), clean)])
        noisy, best, ours = np.mean(figures, axis=0)
        print(f"{name}: noisy {noisy:.2f}, white {best:.2f}, ours {ours:.2f} dB ({ours - best:+.2f})", flush=True)


if __name__ == "__main__":
    main()
