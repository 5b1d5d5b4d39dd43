"""How much slower than its network is the denoiser, and how near is the network to what the machine can do?

    python benchmarks/engine_speed.py FOLDER [--size 1920x1080] [--repeats 5] [--device cuda]

The images of a folder, side by side, cut to the size, with noise of 25 (of 255) added, as uint8. In one run and in
turn, the medians of: the network alone, compiled, on the pixels of the image at once, without tiles, padding or bounds;
the denoiser in tiles as ``noiseless.denoise`` builds it; ``noiseless.denoise`` with sigma told, and without; and
``noiseless.restore``, which also looks at what it did. Then the part of the machine's peak that the network reaches:
its multiply-adds a second over those of a product of large float32 matrices, by the same number of threads. With
``--device`` the network alone is torch on that device.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

import noiseless
from noiseless.restoration import Recipe
from noiseless.score.engines.openvino_engine import fastest_precision
from noiseless.score.network_denoiser import _checkpoint, _openvino_engine, engine_description
from noiseless.threads import usual_threads

SIGMA = 25
MATRIX = 3072


def noisy_picture(folder, width, height):
    rows, row, across, down = [], [], 0, 0
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix in (".png", ".jpg"))
    images = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    side = min(min(image.shape[:2]) for image in images)
    number = 0
    while down < height:
        while across < width:
            row.append(images[number % len(images)][:side, :side])
            across, number = across + side, number + 1
        rows.append(np.concatenate(row, axis=1)[:, :width])
        row, across, down = [], 0, down + side
    clean = np.concatenate(rows)[:height]
    noise = np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    return np.clip(np.rint(clean + np.float32(SIGMA) * noise), 0, 255).astype(np.uint8)


def medians(calls, repeats):
    """Seconds of each, taken in turn, so that what else the machine does falls on all."""
    times = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(seconds[1:])) for name, seconds in times.items()}


def network_alone(model, device, pixels):
    """The network as its engine has it, on one array."""
    if device == "cpu":
        engine = _openvino_engine(model, 3, "auto", 0)
        inputs = pixels, np.full_like(pixels, SIGMA / 255)
        return lambda: engine(*inputs)
    import torch

    from noiseless.score.network_denoiser import _torch_engine

    engine = _torch_engine(model, 3, "auto", device)
    inputs = [torch.from_numpy(array).to(device) for array in (pixels, np.full_like(pixels, SIGMA / 255))]
    return lambda: float(engine(*inputs)[0, 0, 0, 0])


def calls_of(model, device, noisy, nominal):
    """What is compared, by name."""
    told = {"channel_axis": -1, "device": device}
    recipe = Recipe(model=model)
    denoiser = recipe.build_denoiser()
    in_tiles = {"denoiser, in tiles": lambda: denoiser(nominal[0], SIGMA / 255)} if device == "cpu" else {}
    return {
        "network alone": network_alone(model, device, nominal),
        **in_tiles,
        "denoise, sigma told": lambda: noiseless.denoise(noisy, sigma=SIGMA, model=model, **told),
        "denoise, blind": lambda: noiseless.denoise(noisy, model=model, **told),
        "restore, sigma told": lambda: noiseless.restore(noisy, recipe, sigma=SIGMA, **told),
    }


def peak(repeats):
    """Multiply-adds a second of a product of float32 matrices."""
    a = np.random.default_rng(0).random((MATRIX, MATRIX), dtype=np.float32)
    seconds = medians({"product": lambda: a @ a}, repeats)["product"]
    return MATRIX**3 / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--models", nargs="+", default=["tiny", "base"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    noisy = noisy_picture(given.folder, width, height)
    print(f"{engine_description()}, {usual_threads()} threads, device {given.device}")
    print(f"{width} x {height} colour, medians of {given.repeats}")
    top = peak(given.repeats) if given.device == "cpu" else None
    if top:
        print(f"product of matrices, float32: {top / 1e9:.0f} thousand million multiply-adds a second")
    nominal = np.ascontiguousarray(np.moveaxis(noisy, -1, 0), dtype=np.float32)[None] / np.float32(255)
    # The network folds its pixels by a factor, so the image is whole numbers of them.
    nominal = nominal[..., : height // 8 * 8, : width // 8 * 8]
    for model in given.models:
        times = medians(calls_of(model, given.device, noisy, nominal), given.repeats)
        alone = times["network alone"]
        for name, seconds in times.items():
            print(f"{model:5} {name:20} {seconds:7.3f} s {seconds / alone:5.2f} {1.0 / seconds:6.2f} images a second")
        if top:
            each = _checkpoint(model, 3).shape.multiply_adds
            share = each * nominal.shape[-1] * nominal.shape[-2] / alone / top
            print(f"{model:5} {each / 1e6:.3f} million multiply-adds a pixel, {share:.0%} of the product of matrices")
    if given.device == "cpu":
        print(f"precision of the network: {fastest_precision()}")


if __name__ == "__main__":
    main()
