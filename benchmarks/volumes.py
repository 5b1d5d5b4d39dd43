"""What a volume gains by planes of all three directions and by diffusion in three dimensions, over slice by slice.

    python benchmarks/volumes.py DATA [--parts 0.05 0.1 0.15] [--rician] [--middle] [--thick 1]

The head DATA/domain/nifti/ch2 (MR, 181x217x181) with white noise from seed 0 of a sigma that is a part of the mean of
its white matter, neither clipped nor rounded, sigma told; --rician makes the noise that of magnitudes. PSNR over the
whole volume, peak 255, and seconds. --middle takes the 96 voxels in the middle of each axis; --thick makes slices of so
many voxels each.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import noiseless
from noiseless.noise import Gaussian, Rician

WHITE_MATTER = 150
"""Voxels of the head above so many levels."""

METHODS = {
    "slice by slice": noiseless.Recipe(),
    "edge-enhancing 3-D": noiseless.Recipe("edge-enhancing"),
    "volume": noiseless.PRESETS["volume"].recipe,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", nargs="+", type=float, default=[0.05, 0.1, 0.15])
    parser.add_argument("--rician", action="store_true")
    parser.add_argument("--middle", action="store_true")
    parser.add_argument("--thick", type=int, default=1)
    options = parser.parse_args()
    head = noiseless.read(options.data / "domain" / "nifti" / "ch2.nii.gz").stored()[0].astype(np.float64)
    white = head[head > WHITE_MATTER].mean()
    if options.middle:
        head = head[tuple(slice(length // 2 - 48, length // 2 + 48) for length in head.shape)]
    head = head[: len(head) // options.thick * options.thick]
    head = head.reshape(-1, options.thick, *head.shape[1:]).mean(axis=1)
    for part in options.parts:
        noise = Rician(part * white) if options.rician else Gaussian(part * white)
        noisy = noise.sample(head[np.newaxis], np.random.default_rng(0))[0].astype(np.float32)
        figures = []
        for name, recipe in METHODS.items():
            began = time.perf_counter()
            restored = noiseless.restore(noisy, recipe, noise=noise).image
            seconds = time.perf_counter() - began
            figures.append(noiseless.psnr(restored, head))
            print(
                f"  {name}: {figures[-1]:.2f} dB, {figures[-1] - figures[0]:+.2f}, {seconds:.0f} s, "
                f"bias {np.mean(restored - head):+.3f} (noisy {np.mean(noisy - head):+.3f})",
                flush=True,
            )
        print(
            f"sigma {part * white:.1f} ({100 * part:.0f} %): noisy {noiseless.psnr(noisy, head):.2f} dB, "
            f"volume {figures[-1] - figures[0]:+.2f} dB over slice by slice",
            flush=True,
        )


if __name__ == "__main__":
    main()
