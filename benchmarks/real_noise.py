"""Does blind denoising help on real camera noise? PSNR before and after, file in to file out, for each pair.

    python benchmarks/real_noise.py FOLDER [--every N]

FOLDER holds pairs NAME_real.JPG (one shot) and NAME_mean.JPG (the mean of many). Each noisy file goes through
``noiseless denoise`` as a user would run it; the file that it wrote is compared, JPEG loss included. Exits with 1 if
any pair became worse.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

import noiseless
from noiseless.apps.cli import main as command


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    before, after = [], []
    with tempfile.TemporaryDirectory() as folder:
        for noisy in sorted(arguments.folder.glob("*_real.JPG"))[:: arguments.every]:
            output = Path(folder) / noisy.name
            if command(["denoise", str(noisy), "-o", str(output)]):
                return 1
            clean = noiseless.read(noisy.with_name(noisy.name.replace("_real", "_mean"))).stored()
            before.append(noiseless.psnr(noiseless.read(noisy).stored(), clean))
            after.append(noiseless.psnr(noiseless.read(output).stored(), clean))
            print(f"{noisy.stem:<44} {before[-1]:6.2f} -> {after[-1]:6.2f} dB ({after[-1] - before[-1]:+.2f})")
    gains = np.subtract(after, before)
    print(f"mean of {len(gains)} pairs: {np.mean(before):.2f} -> {np.mean(after):.2f} dB")
    print(f"gain {gains.min():+.2f} to {gains.max():+.2f} dB; {np.count_nonzero(gains < 0)} pairs became worse")
    return int((gains < 0).any())


if __name__ == "__main__":
    sys.exit(main())
