"""Is it worth saying what the noise is? PSNR with the kind given, against "gaussian" with the best single sigma.

    python benchmarks/noise_kinds.py FOLDER [--every N] [--colour] [--kinds A,B] [--peers]

FOLDER holds clean images. Noise: numpy.random.default_rng(0), fresh for each image, in units of 0 to 255, neither
clipped nor rounded (but for the quantisation itself). The single sigma is the best for each image by itself, found
with the clean image, which no user has. ``--peers``: non-local means and total variation of scikit-image besides, on
the noise made white by the same stabilisation, each with its best strength. Exits with 1 if a kind does not pay.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import noiseless
from noiseless.noise import StabilisableNoise, parse_noise

KINDS = (
    "poisson:gain=255",
    "poisson:gain=63.75",
    "poisson:gain=8.5",
    "poisson-gaussian:gain=4,sigma=10",
    "poisson-gaussian:gain=4,sigma=10+hot-pixels:density=0.005,low=300,high=600",
    "rician:sigma=20",
    "non-central-chi:sigma=15,coils=4",
    "speckle:looks=10",
    "amplitude-speckle:looks=4",
    "salt-and-pepper:density=0.2",
    "random-impulses:density=0.1",
    "hot-pixels:density=0.01",
    "correlated:sigma=25,width=1",
    "stripes:stripe=15,sigma=10",
    "quantisation:step=32",
)
COLOUR_KINDS = (
    "srgb-photons:gain=0.001,sigma=0.003",
    "srgb-photons:gain=0.005,sigma=0.005",
    "camera:gain=0.005,sigma=0.01",
)
RATIOS = 2.0 ** np.arange(-2.0, 1.01, 0.5)


def psnr(image, clean):
    return noiseless.psnr(np.clip(image, 0, 255), clean)


def best(restore, strengths, clean):
    """The highest PSNR over the strengths, and over two more beside the best of them."""
    scores = {strength: psnr(restore(strength), clean) for strength in strengths}
    top = max(scores, key=scores.get)
    for strength in (top * 2**-0.25, top * 2**0.25):
        scores[strength] = psnr(restore(strength), clean)
    return max(scores.values())


def peers(law, noisy, clean):
    """Non-local means and total variation on stabilised noise, with the same exact inverse."""
    from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

    stabilised = law.stabilise(noisy)

    def means(strength):
        return law.unstabilise(
            denoise_nl_means(stabilised, patch_size=7, patch_distance=10, h=0.8 * strength, sigma=strength)
        )

    def variation(strength):
        return law.unstabilise(denoise_tv_chambolle(stabilised, weight=strength, eps=1e-5, max_num_iter=400))

    return best(means, (0.7, 1.0, 1.4), clean), best(variation, (0.5, 1.0, 1.7, 3.0), clean)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--colour", action="store_true")
    parser.add_argument("--kinds")
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".tif"))
    images = [noiseless.read(path).stored().astype(np.float64) for path in paths[:: arguments.every]]
    axis = 0 if arguments.colour else None
    kinds = arguments.kinds.split(";") if arguments.kinds else KINDS + (COLOUR_KINDS if arguments.colour else ())
    print(f"{len(images)} images of {arguments.folder}\n\n| noise | noisy | best single sigma | kind given | gain |")
    print("|---|---|---|---|---|")
    lost = 0
    for kind in kinds:
        law = parse_noise(kind)
        rows = []
        for image in images:
            clean = image if arguments.colour else image[0]
            noisy = law.sample(np.atleast_3d(image) if arguments.colour else image, np.random.default_rng(0))
            noisy = noisy if arguments.colour else noisy[0]
            level = float(np.sqrt(np.mean((noisy - clean) ** 2)))

            def single(sigma, noisy=noisy):
                return noiseless.denoise(noisy, sigma=sigma, channel_axis=axis)

            given = psnr(noiseless.denoise(noisy, noise=law, channel_axis=axis), clean)
            row = [psnr(noisy, clean), best(single, level * RATIOS, clean), given]
            if arguments.peers and isinstance(law, StabilisableNoise) and not arguments.colour:
                row += peers(law, noisy, clean)
            rows.append(row)
        means = np.mean(rows, axis=0)
        lost += means[2] <= means[1]
        extra = f" NLM {means[3]:.2f}, TV {means[4]:.2f} |" if len(means) > 3 else ""
        line = f"| {kind} | {means[0]:.2f} | {means[1]:.2f} | {means[2]:.2f} | {means[2] - means[1]:+.2f} |{extra}"
        print(line, flush=True)
    print(f"\n{'every kind pays' if not lost else f'{lost} kinds do not pay'}")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
