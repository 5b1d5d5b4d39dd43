"""Low-dose computed tomography with a known truth: a sinogram with photon noise, reconstructed, and denoised.

    python benchmarks/computed_tomography.py DATA [--photons 1e5 3e4 1e4] [--filters ramp hann] [--angles 720]

The truth is what filtered back-projection makes of the noiseless sinogram of a slice through a head
(DATA/domain/dicom/693_UNCR.dcm, 256x256 after 2x2 means). Photons are those of a ray before the patient; counts are
Poisson, with a floor of one. Parallel beams (scikit-image). The noise of the result is correlated by the filter,
stronger where rays were absorbed, and nobody is told its strength. Root mean squared error in Hounsfield units within
the body; of noiseless with the preset "ct" and with white noise of the best sigma, which needs the truth, and of
non-local means, total variation and wavelets of scikit-image with the best strength likewise. Needs the group `bench`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet
from skimage.transform import iradon, radon

import noiseless

WATER = 0.0192 * 0.9765625
"""Attenuation of water at 70 keV in 1 / mm, times the size of a pixel of the halved slice in mm."""

BODY = -500.0


def truth_and_noisy(hounsfield, photons, filter_name, angles, seed=0):
    """Two reconstructions in Hounsfield units, of the noiseless sinogram and of the counted one."""
    attenuation = WATER * (1.0 + np.maximum(hounsfield, -1000.0) / 1000.0)
    side = attenuation.shape[0]
    inside = np.hypot(*np.mgrid[0:side, 0:side] - (side - 1) / 2) < side / 2 - 1
    attenuation = np.where(inside, attenuation, 0.0)
    theta = np.linspace(0.0, 180.0, angles, endpoint=False)
    sinogram = radon(attenuation, theta, circle=True)
    counts = np.random.default_rng(seed).poisson(photons * np.exp(-sinogram))
    counted = -np.log(np.maximum(counts, 1) / photons)
    both = (iradon(each, theta, filter_name=filter_name, circle=True) for each in (sinogram, counted))
    return tuple(1000.0 * (image / WATER - 1.0) for image in both)


def peers(noisy, sigma):
    """Each with strengths to choose from."""
    for strength in (0.5, 0.7, 0.9, 1.1, 1.4):
        yield "non-local means", denoise_nl_means(noisy, 5, 6, h=strength * sigma, sigma=sigma, fast_mode=True)
    for weight in (0.3, 0.5, 0.8, 1.2, 1.8, 2.5):
        yield "total variation", denoise_tv_chambolle(noisy, weight=weight * sigma, max_num_iter=200)
    for strength in (0.5, 0.8, 1.2, 1.8, 2.5):
        yield "wavelets", denoise_wavelet(noisy, sigma=strength * sigma, rescale_sigma=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--photons", nargs="+", type=float, default=[1e5, 3e4, 1e4])
    parser.add_argument("--filters", nargs="+", default=["ramp", "hann"])
    parser.add_argument("--angles", type=int, default=720)
    options = parser.parse_args()
    head = noiseless.read(options.data / "domain" / "dicom" / "693_UNCR.dcm").stored()[0].astype(np.float64)
    head = head.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    for filter_name in options.filters:
        for photons in options.photons:
            truth, noisy = truth_and_noisy(head, photons, filter_name, options.angles)
            body = truth > BODY

            def error(image, truth=truth, body=body):
                return float(np.sqrt(np.mean((image - truth)[body] ** 2)))

            level = error(noisy)
            preset = noiseless.PRESETS["ct"]
            image = replace(noiseless.from_array(noisy), mask=body)
            restored = noiseless.restore_image(image, preset.recipe, noise=preset.noise)
            found = float(np.sqrt(np.mean(restored.noise.model.variance(noisy[np.newaxis]))))
            results = {"noiseless, preset ct": error(restored.image.in_stored_units()[0])}
            as_read = noiseless.restore_image(image, preset.recipe, noise="correlated").image
            results["spectrum as read"] = error(as_read.in_stored_units()[0])
            white = (noiseless.denoise(noisy, sigma=level * factor) for factor in (0.4, 0.6, 0.8, 1.0, 1.3))
            results["noiseless, white"] = min(map(error, white))
            for name, result in peers(noisy, level):
                results[name] = min(results.get(name, np.inf), error(result))
            told = ", ".join(f"{name} {value:.2f}" for name, value in results.items())
            print(f"{filter_name}, {photons:g} photons: noisy {level:.1f} HU (found {found:.1f}); {told}", flush=True)


if __name__ == "__main__":
    main()
