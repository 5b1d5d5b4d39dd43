"""Blind estimates of noise that depends on the signal against the truth: Poisson-Gaussian, speckle, Rician.

python benchmarks/signal_dependent_noise.py ../shared/data/eval/Kodak24 [../shared/data/domain/nifti/ch2.nii.gz]

Photographs are made linear, to [0, 1], by the inverse of the sRGB curve for photon noise; white noise and speckle go on
the values 0 to 255 as stored. Noise: numpy.random.default_rng(0), fresh for each image, neither clipped nor rounded.
``gain`` and ``read`` are median absolute relative errors, bias in brackets; ``named`` counts the laws given. The volume
(NIfTI-1, uint8) gets Rician noise of 3 to 20 % of its maximum: whole, masked, one slice, and its middle without air.
The bars: gain and read noise to 10 %, Rician sigma to 5 %, the law named in 95 % (white) and 90 % (others).
"""

import gzip
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from noiseless.noise.estimation.intensity_scatter import scatter
from noiseless.noise.estimation.magnitude import fit_rician
from noiseless.noise.estimation.signal_dependence import Dependence, fit_signal_dependence

Pixels = NDArray[np.float64]
Draw = Callable[[Pixels, np.random.Generator], Pixels]

PHOTONS = ((0.002, 0.01), (0.002, 0.02), (0.01, 0.02), (0.01, 0.05), (0.05, 0.05), (0.05, 0.1))
SIGMAS = (5, 10, 25, 50)
LOOKS = (1, 3, 10, 30)
PERCENT = (3, 5, 10, 20)


def linear(stored: Pixels) -> Pixels:
    """The light of sRGB values 0..255, in [0, 1]."""
    encoded = stored / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def photons(gain: float, sigma: float) -> Draw:
    return lambda x, rng: gain * rng.poisson(x / gain) + sigma * rng.standard_normal(x.shape)


def white(sigma: float) -> Draw:
    return lambda x, rng: x + sigma * rng.standard_normal(x.shape)


def speckle(looks: float) -> Draw:
    return lambda x, rng: x * rng.gamma(looks, 1 / looks, x.shape)


def after_gamma(gain: float) -> Draw:
    """Photon noise, then a camera's curve: no law of the three."""
    return lambda x, rng: 255 * np.maximum(gain * rng.poisson(linear(x) / gain), 0.0) ** (1 / 2.2)


def estimates(images: list[Pixels], draw: Draw) -> tuple[list[Dependence], float]:
    """The dependence found in each image, and milliseconds an image for the estimate alone."""
    found, elapsed = [], 0.0
    for image in images:
        noisy = draw(image, np.random.default_rng(0))
        start = time.perf_counter()
        points = scatter(noisy)
        if points is not None:
            found.append(fit_signal_dependence(points))
        elapsed += time.perf_counter() - start
    return found, 1000 * elapsed / len(images)


def named(found: list[Dependence]) -> str:
    counts = Counter(dependence.law for dependence in found)
    return " ".join(f"{law} {count}" for law, count in counts.most_common())


def cell(found: list[Dependence], name: str, truth: float) -> tuple[str, float]:
    errors = np.array([getattr(dependence, name) for dependence in found]) / truth - 1
    worst = float(np.median(np.abs(errors)))
    return f"{100 * worst:.1f} % ({100 * np.median(errors):+.1f})", worst


def photographs(files: list[Path]) -> int:
    """Print the tables of photographs; the number of bars missed."""
    stored = [np.asarray(Image.open(path).convert("L"), dtype=np.float64) for path in files]
    light = [linear(image) for image in stored]
    missed = 0
    print("| gain, read noise | share of photons | gain | read | named | ms/image |\n|---|---|---|---|---|---|")
    for gain, sigma in PHOTONS:
        found, elapsed = estimates(light, photons(gain, sigma))
        mean = float(np.mean([image.mean() for image in light]))
        share = gain * mean / (gain * mean + sigma**2)
        first, second = cell(found, "gain", gain), cell(found, "read_sigma", sigma)
        right = np.mean([dependence.law == "affine" for dependence in found])
        missed += int(first[1] > 0.1) + int(second[1] > 0.1) + int(share >= 0.5 and right < 0.9)
        print(f"| {gain}, {sigma} | {share:.2f} | {first[0]} | {second[0]} | {named(found)} | {elapsed:.0f} |")
    print("\n| noise | its parameter | named | ms/image |\n|---|---|---|---|")
    for value in SIGMAS:
        found, elapsed = estimates(stored, white(value))
        missed += int(np.mean([dependence.law == "constant" for dependence in found]) < 0.95)
        print(f"| white {value} | {cell(found, 'sigma', value)[0]} | {named(found)} | {elapsed:.0f} |")
    for value in LOOKS:
        found, elapsed = estimates(stored, speckle(value))
        missed += int(np.mean([dependence.law == "quadratic" for dependence in found]) < 0.9)
        print(f"| speckle, {value} looks | {cell(found, 'looks', value)[0]} | {named(found)} | {elapsed:.0f} |")
    for gain in (0.002, 0.01):
        found, elapsed = estimates(stored, after_gamma(gain))
        print(f"| photons {gain}, then gamma 1/2.2 | | {named(found)} | {elapsed:.0f} |")
    return missed


def magnitudes(path: Path) -> int:
    """Print the table of a volume; the number of bars missed."""
    head = volume(path)
    middle = tuple(slice(length // 3, 2 * length // 3) for length in head.shape)
    cases: dict[str, tuple[Pixels, bool]] = {
        "whole": (head, False),
        "masked": (head, True),
        "one slice": (head[len(head) // 2], False),
        "middle": (head[middle], False),
        "middle slice": (head[len(head) // 2][middle[1:]], False),
    }
    missed = 0
    print("\n| Rician | % of maximum | error of sigma | source | confidence | ms |\n|---|---|---|---|---|---|")
    for name, (clean, masked) in cases.items():
        for percent in PERCENT:
            sigma = percent / 100 * float(head.max())
            rng = np.random.default_rng(0)
            noisy = np.hypot(clean + sigma * rng.standard_normal(clean.shape), sigma * rng.standard_normal(clean.shape))
            start = time.perf_counter()
            found = fit_rician(np.where(clean > 0, noisy, 0) if masked else noisy)
            elapsed = 1000 * (time.perf_counter() - start)
            if found is None:
                missed += 1
                print(f"| {name} | {percent} | none | | | {elapsed:.0f} |")
                continue
            error = found.sigma / sigma - 1
            missed += int(abs(error) > 0.05)
            said = f"{100 * error:+.1f} % | {found.source} | {found.confidence:.2f}"
            print(f"| {name} | {percent} | {said} | {elapsed:.0f} |")
    return missed


def volume(path: Path) -> Pixels:
    """The first volume of a NIfTI-1 file of uint8 voxels, (Z, Y, X)."""
    data: Any = gzip.decompress(path.read_bytes())
    lengths = struct.unpack_from("<8h", data, 40)
    if struct.unpack_from("<h", data, 70) != (2,):
        sys.exit(f"{path} does not hold uint8 voxels")
    (offset,) = struct.unpack_from("<f", data, 108)
    shape = lengths[3:0:-1]
    return np.frombuffer(data, np.uint8, int(np.prod(shape)), int(offset)).reshape(shape).astype(np.float64)


def main(folder: Path, head: Path | None) -> int:
    """Print the tables; the exit status is 1 when a bar is missed."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".tif"))
    if not files:
        print(f"no images in {folder}", file=sys.stderr)
        return 2
    print(f"{len(files)} images of {folder}\n")
    missed = photographs(files) + (magnitudes(head) if head is not None else 0)
    print(f"\n{'all bars are met' if not missed else f'{missed} bars are missed'}")
    return int(missed > 0)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None))
