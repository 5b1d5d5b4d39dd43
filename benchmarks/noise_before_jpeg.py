"""A noisy photograph that was stored as JPEG: which network "auto" takes for it, and what each would give.

    python benchmarks/noise_before_jpeg.py ../shared/data/eval/CID22val [--every 10]

For each strength of the noise and each way to store it: mean PSNR of the file, of the usual network, of that for
cameras, and of what "auto" takes, over RGB; and how often that is the network for cameras. Blind. Qualities are those
of Pillow.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image as Picture

import noiseless

SIGMAS = (3.0, 6.0, 12.0, 25.0)

WAYS = {"PNG": None, "95, 4:4:4": (95, 0), "75, 4:4:4": (75, 0), "95, 4:2:0": (95, 2), "85, 4:2:0": (85, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=10)
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.png"))[:: options.every]
    print(f"{len(paths)} photographs")
    print("| sigma | stored | file | usual network | camera network | auto | camera taken |\n" + "| --- " * 7 + "|")
    for sigma in SIGMAS:
        for way, coding in WAYS.items():
            rows = np.array([row_of(path, sigma, coding) for path in paths])
            file, usual, camera, auto, taken = rows.mean(axis=0)
            print(
                f"| {sigma:g} | {way} | {file:.2f} | {usual:.2f} | {camera:.2f} | {auto:.2f} | "
                f"{round(taken * len(rows))} of {len(rows)} |",
                flush=True,
            )


def row_of(path, sigma, coding):
    clean = np.asarray(Picture.open(path).convert("RGB"), np.float64)
    noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    stored = as_stored(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), coding)
    image = noiseless.from_array(stored, channel_axis=-1)
    found = noiseless.noise.estimate_image_noise(image).model
    results = {}
    for model in ("base", "camera"):
        restored = noiseless.restore_image(image, noiseless.Recipe("score", model), noise=found)
        results[model] = psnr(restored.image, clean)
    taken = noiseless.restore_image(image).report["model"]
    return noiseless.psnr(stored, clean), results["base"], results["camera"], results[taken], taken == "camera"


def as_stored(pixels, coding):
    if coding is None:
        return pixels
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "JPEG", quality=coding[0], subsampling=coding[1])
    return np.asarray(Picture.open(file))


def psnr(image, clean):
    return noiseless.psnr(np.moveaxis(image.stored(), 0, -1), clean)


if __name__ == "__main__":
    main()
