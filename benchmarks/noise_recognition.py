"""What the recognisers of correlated noise, stripes, impulses and artefacts say about photographs, right and wrong.

    python benchmarks/noise_recognition.py FOLDER [--every N] [--pairs FOLDER]

FOLDER holds photographs without noise and without JPEG blocks (PNG). Each is spoilt in known ways, with
numpy.random.default_rng(its number); the table says how often each spoiling was recognised, and how strong it was
measured relative to the truth: mean, mean absolute error, and the range of 90 %. ``--pairs`` is a folder of
NAME_real.JPG and NAME_mean.JPG, where the true sigma is that of the difference.
"""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from noiseless.noise.correlated import Correlated, gaussian_kernel, ramp_kernel
from noiseless.noise.estimation.artefacts import jpeg_grid, resampled, texture_only
from noiseless.noise.estimation.correlation import measure_correlation
from noiseless.noise.estimation.impulse_density import measure_impulses
from noiseless.noise.estimation.line_noise import measure_lines

Pixels = NDArray[Any]
Spoil = Callable[[Pixels, np.random.Generator], Pixels]
Answer = Callable[[Pixels], tuple[bool, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--pairs", type=Path)
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".tif"))
    images = [read(path) for path in files[:: arguments.every]]
    print(f"{len(images)} images of {arguments.folder}\n\n| asked | of | yes | mean | abs. error | 5 % | 95 % | ms |")
    print("|---|---|---|---|---|---|---|---|")
    for asked, answer, cases in ((w, a, c) for w, a, c in questions()):
        for name, truth, spoil in cases:
            report(f"{asked} | {name}", answer, images, spoil, truth)
    if arguments.pairs:
        ratios = []
        for path in sorted(arguments.pairs.glob("*_real.JPG")):
            noisy, clean = read(path), read(path.with_name(path.name.replace("_real", "_mean")))
            ratios.append(measure_correlation(noisy).sigma / (noisy - clean).std())
        low, median, high = np.percentile(ratios, (5, 50, 95))
        print(f"\n{len(ratios)} real pairs: sigma over the truth {median:.2f} (median), {low:.2f} to {high:.2f}")


def questions() -> list[tuple[str, Answer, list[tuple[str, float, Spoil]]]]:
    """The question, who answers it, and the ways of spoiling: name, true strength (0: none to compare), function."""
    levels = (0.0, 5.0, 15.0, 50.0)
    noises = [(f"white {sigma:g}", 0.0, blurred(0.0, sigma)) for sigma in levels]
    clipped = [(f"white {sigma:g}, 8 bits", 0.0, stored(blurred(0.0, sigma))) for sigma in levels]
    return [
        ("correlated", correlation, [(f"white {s:g}", s, blurred(0.0, s)) for s in (5.0, 10.0, 15.0, 25.0, 50.0)]),
        (
            "correlated",
            correlation,
            [(f"width {w:g}, sigma {s:g}", s, blurred(w, s)) for w in (0.5, 0.7, 1.0, 2.0) for s in (10.0, 25.0, 50.0)],
        ),
        ("correlated", correlation, [("ramp, sigma 25", 25.0, ramp(25.0))]),
        ("texture only", texture, [*noises, ("width 1, sigma 10", 0.0, blurred(1.0, 10.0))]),
        ("rows", lines, noises),
        (
            "rows",
            lines,
            [(f"white {s:g}, rows {s * f:g}", s * f, striped(s, s * f)) for s in (5.0, 25.0, 50.0) for f in (0.5, 1.0)],
        ),
        ("impulses", impulses, clipped),
        ("impulses", impulses, [("Poisson 10", 0.0, lambda image, rng: rng.poisson(image / 25.5) * 25.5)]),
        ("impulses", impulses, [(f"salt and pepper {d:g}", d, salted(d)) for d in (0.002, 0.02, 0.2, 0.5)]),
        ("impulses", impulses, [(f"random {d:g}", d, struck(d)) for d in (0.002, 0.02, 0.2, 0.35)]),
        ("JPEG grid", grid, noises),
        ("JPEG grid", grid, [(f"quality {q}", 0.0, compressed(q, 0.0)) for q in (50, 80, 90, 95)]),
        ("JPEG grid", grid, [(f"quality {q}, white {s:g}", 0.0, compressed(q, s)) for q in (80, 95) for s in (5, 25)]),
        ("resampled", interpolated, clipped),
        ("resampled", interpolated, [(f"{f:g} times, white {s:g}", 0.0, enlarged(f, s)) for f, s in
                                     ((1.2, 0.0), (1.5, 0.0), (2.0, 0.0), (1.2, 10.0), (1.6, 10.0), (2.0, 10.0))]),
    ]  # fmt: skip


def report(name: str, answer: Answer, images: list[Pixels], spoil: Spoil, truth: float) -> None:
    spoilt = [spoil(image, np.random.default_rng(number)) for number, image in enumerate(images)]
    start = time.process_time()
    answers = [answer(image) for image in spoilt]
    elapsed = 1000 * (time.process_time() - start) / len(images)
    yes = np.array([found for found, _ in answers])
    line = f"| {name} | {100 * yes.mean():.1f} % "
    shares = np.array([strength for _, strength in answers]) / truth if truth else np.array([])
    shares = shares[shares > 0]
    if shares.size:
        low, high = np.percentile(shares, (5, 95))
        line += f"| {shares.mean():.3f} | {np.abs(shares - 1).mean():.3f} | {low:.2f} | {high:.2f} "
    else:
        line += "| | | | "
    print(f"{line}| {elapsed:.0f} |", flush=True)


def read(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("L"), dtype=np.float32)


def correlation(image: Pixels) -> tuple[bool, float]:
    measured = measure_correlation(image)
    return (False, 0.0) if measured is None else (measured.correlated, measured.sigma)


def texture(image: Pixels) -> tuple[bool, float]:
    measured = measure_correlation(image)
    return (False, 0.0) if measured is None else (texture_only(measured) > 0.5, measured.sigma)


def lines(image: Pixels) -> tuple[bool, float]:
    measured = measure_lines(image)
    return measured.found, measured.rows


def impulses(image: Pixels) -> tuple[bool, float]:
    measured = measure_impulses(image)
    return measured.kind != "none", measured.density


def grid(image: Pixels) -> tuple[bool, float]:
    return jpeg_grid(image).found, 0.0


def interpolated(image: Pixels) -> tuple[bool, float]:
    return resampled(image, step=1.0).found, 0.0


def blurred(width: float, sigma: float) -> Spoil:
    kernel = gaussian_kernel(width)
    return lambda image, rng: Correlated(sigma, kernel).sample(image[np.newaxis], rng)[0]


def ramp(sigma: float) -> Spoil:
    kernel = ramp_kernel(64)
    return lambda image, rng: Correlated(sigma, kernel).sample(image[np.newaxis], rng)[0]


def stored(spoil: Spoil) -> Spoil:
    return lambda image, rng: np.clip(np.round(spoil(image, rng)), 0, 255)


def striped(sigma: float, stripe: float) -> Spoil:
    def spoil(image: Pixels, rng: np.random.Generator) -> Pixels:
        return image + sigma * rng.standard_normal(image.shape) + stripe * rng.standard_normal((len(image), 1))

    return spoil


def salted(density: float) -> Spoil:
    def spoil(image: Pixels, rng: np.random.Generator) -> Pixels:
        noisy = stored(blurred(0.0, 5.0))(image, rng)
        return np.where(rng.random(image.shape) < density, 255.0 * rng.integers(0, 2, image.shape), noisy)

    return spoil


def struck(density: float) -> Spoil:
    def spoil(image: Pixels, rng: np.random.Generator) -> Pixels:
        noisy = stored(blurred(0.0, 5.0))(image, rng)
        return np.where(rng.random(image.shape) < density, rng.uniform(0, 255, image.shape), noisy)

    return spoil


def compressed(quality: int, sigma: float) -> Spoil:
    def spoil(image: Pixels, rng: np.random.Generator) -> Pixels:
        stream = io.BytesIO()
        pixels = stored(blurred(0.0, sigma))(image, rng).astype(np.uint8)
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
        return np.asarray(Image.open(stream), dtype=np.float32)

    return spoil


def enlarged(factor: float, sigma: float) -> Spoil:
    def spoil(image: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = image.shape
        noisy = Image.fromarray(blurred(0.0, sigma)(image, rng).astype(np.float32))
        large = noisy.resize((int(width * factor), int(height * factor)), Image.Resampling.BICUBIC)
        return np.clip(np.round(np.asarray(large)[:height, :width]), 0, 255)

    return spoil


if __name__ == "__main__":
    main()
