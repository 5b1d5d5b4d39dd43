"""Does blind denoising help on real camera noise? PSNR before and after, file in to file out, for each pair.

    python benchmarks/real_noise.py FOLDER [--every N] [--oracles]

FOLDER holds pairs NAME_real.JPG (one shot) and NAME_mean.JPG (the mean of many). Each noisy file goes through
``noiseless denoise`` as a user would run it; the file that it wrote is compared, JPEG loss included. With --oracles
the noisy image also goes through total variation, wavelets and non-local means of scikit-image, each at the strength
that is best for that image by its true error, which no user can know; arrays, without the loss of another JPEG, and
ours in the same way beside them. Exits with 1 if any pair became worse.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

import noiseless
from noiseless.apps.cli import main as command


def oracles(noisy, clean):
    """PSNR of scikit-image's filters at their best, and of ours blind; float arrays (Y, X, 3) in [0, 1]."""
    from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

    def best(results):
        return max(noiseless.psnr(np.clip(result, 0, 1), clean, data_range=1.0) for result in results)

    usual = {"patch_size": 5, "patch_distance": 6, "sigma": 0, "fast_mode": True, "channel_axis": -1}
    return [
        best(denoise_tv_chambolle(noisy, weight=w / 100, channel_axis=-1) for w in (1, 2, 3, 4.5, 6, 8, 11, 15)),
        best(
            denoise_wavelet(noisy, sigma=s / 255, channel_axis=-1, convert2ycbcr=True, rescale_sigma=True)
            for s in (2, 4, 6, 9, 13, 18)
        ),
        best(denoise_nl_means(noisy, h=h / 255, **usual) for h in (2, 4, 6, 9, 13)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--oracles", action="store_true")
    arguments = parser.parse_args()
    before, after, others = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for noisy in sorted(arguments.folder.glob("*_real.JPG"))[:: arguments.every]:
            output = Path(folder) / noisy.name
            if command(["denoise", str(noisy), "-o", str(output)]):
                return 1
            clean = noiseless.read(noisy.with_name(noisy.name.replace("_real", "_mean"))).stored()
            before.append(noiseless.psnr(noiseless.read(noisy).stored(), clean))
            after.append(noiseless.psnr(noiseless.read(output).stored(), clean))
            if arguments.oracles:
                image, truth = noiseless.read(noisy), clean.transpose(1, 2, 0) / 255
                ours = noiseless.restore_image(image).image.pixels.transpose(1, 2, 0)
                peers = oracles(image.pixels.transpose(1, 2, 0), truth)
                others.append([noiseless.psnr(ours.clip(0, 1), truth, data_range=1.0), *peers])
            print(f"{noisy.stem:<44} {before[-1]:6.2f} -> {after[-1]:6.2f} dB ({after[-1] - before[-1]:+.2f})")
    gains = np.subtract(after, before)
    print(f"mean of {len(gains)} pairs: {np.mean(before):.2f} -> {np.mean(after):.2f} dB")
    print(f"gain {gains.min():+.2f} to {gains.max():+.2f} dB; {np.count_nonzero(gains < 0)} pairs became worse")
    if others:
        names = ("ours, blind", "total variation", "wavelets", "non-local means")
        figures = zip(names, np.mean(others, axis=0), strict=True)
        print("arrays, peers at their best: " + ", ".join(f"{name} {value:.2f}" for name, value in figures))
    return int((gains < 0).any())


if __name__ == "__main__":
    sys.exit(main())
