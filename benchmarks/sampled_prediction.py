"""The PSNR of large images, predicted by windows of them, against the true one.

    python benchmarks/sampled_prediction.py FOLDER [--images 6] [--side 2304] [--sigmas 15 50] [--model tiny]

Large images are made of the photographs of a folder, side by side in another order each, with white noise, in floats.
Told sigma, and blind: the predicted PSNR less the true one, how often the 95 % interval holds the true one, how wide it
is in the mean, and the seconds of a prediction over those of the result alone.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

import noiseless


def mosaic(paths, side, seed):
    order = np.random.default_rng(seed).permutation(len(paths))
    tiles = iter(np.resize(order, side**2))
    rows, height = [], 0
    while height < side:
        row, width = [], 0
        while width < side:
            image = np.asarray(Image.open(paths[next(tiles)]).convert("RGB"), np.float32)[:512, :512]
            image = np.pad(image, [(0, 512 - image.shape[0]), (0, 512 - image.shape[1]), (0, 0)], mode="symmetric")
            row.append(image)
            width += 512
        rows.append(np.concatenate(row, axis=1)[:, :side])
        height += 512
    return np.concatenate(rows)[:side]


def measured(clean, sigma, told, model):
    noisy = clean + np.float32(sigma) * np.random.default_rng(round(sigma)).standard_normal(clean.shape, np.float32)
    seconds = []
    for predict in (False, True):
        start = time.perf_counter()
        recipe = noiseless.Recipe(model=model, predict=predict)
        restored = noiseless.restore(noisy, recipe, sigma=sigma if told else None, channel_axis=-1)
        seconds.append(time.perf_counter() - start)
    risk = restored.audit.risk
    true = noiseless.psnr(restored.image, clean)
    low, high = risk.psnr_interval()
    return risk.psnr() - true, low <= true <= high, high - low, seconds[1] / seconds[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--side", type=int, default=2304)
    parser.add_argument("--sigmas", nargs="+", type=float, default=[15, 50])
    parser.add_argument("--model", default="tiny")
    given = parser.parse_args()
    paths = sorted(path for path in given.folder.iterdir() if path.suffix in (".png", ".jpg"))
    print("sigma         mean error  |error|  95 % holds  width  seconds")
    for sigma in given.sigmas:
        for told in (True, False):
            rows = [measured(mosaic(paths, given.side, seed), sigma, told, given.model) for seed in range(given.images)]
            error, held, width, cost = (np.array(column, float) for column in zip(*rows, strict=True))
            print(
                f"{sigma:5g} {'told' if told else 'blind':6} {error.mean():+10.3f} {np.abs(error).mean():8.3f} "
                f"{held.sum():6.0f} of {len(rows)} {width.mean():6.2f} {cost.mean():6.2f} times",
                flush=True,
            )


if __name__ == "__main__":
    main()
