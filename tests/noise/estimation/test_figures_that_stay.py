"""What the instruments read from fixed images stays what it was: the figures that stand in ``figures.json``.

The other tests of this folder ask whether figures are right, by laws and within the chance of a sample, and let small
slips of a constant or a bound pass. These let none pass: to half a percent, which is more than the rounding of another
machine and less than any change of a rule. Whoever changes a rule on purpose, and has shown by the other tests that it
is better, writes the new figures down: ``python tests/noise/estimation/test_figures_that_stay.py``.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from noiseless.image import from_array
from noiseless.noise import KINDS, estimate_noise
from noiseless.noise.estimation.artefacts import jpeg_grid, resampled, texture_only
from noiseless.noise.estimation.clipping import Bounds, bounds_of, clipped_moments, remaining_variance
from noiseless.noise.estimation.correlation import measure_correlation
from noiseless.noise.estimation.evidence import evidence_of
from noiseless.noise.estimation.flat_patches import difference_sigma, measure
from noiseless.noise.estimation.impulse_density import measure_impulses
from noiseless.noise.estimation.intensity_scatter import scatter
from noiseless.noise.estimation.line_noise import measure_lines
from noiseless.noise.estimation.local_level import measure_locally
from noiseless.noise.estimation.magnitude import fit_rician
from noiseless.noise.estimation.signal_dependence import fit_signal_dependence
from noiseless.noise.estimation.tomographic import tomographic_spectrum
from noiseless.noise.outliers import misfits, misplaced_extremes

FIGURES = Path(__file__).with_name("figures.json")
SPACE = (144, 200)


def scene(space=SPACE):
    """Shading, three flat fields, an edge and a patch of fine texture, from 20 to 220."""
    y, x = np.indices(space)
    fields = 60.0 * (x // 67) + 40.0
    texture = 25 * np.sin(1.9 * x + 0.7 * y) * np.sin(1.3 * y - 0.4 * x) * (y > 0.7 * space[0])
    return fields + 30 * np.sin(y / 40) * np.cos(x / 50) + texture - 15.0 * (y < x / 4)


def normal(space=SPACE, seed=1):
    return np.random.default_rng(seed).standard_normal(space)


def blurred(noise):
    for axis in (0, 1):
        noise = (np.roll(noise, 1, axis) + 2 * noise + np.roll(noise, -1, axis)) / 6**0.5
    return noise


def blocks(image, step):
    """What JPEG does: cosine coefficients of blocks of 8x8, rounded."""
    k, x = np.arange(8)[:, np.newaxis], np.arange(8)
    basis = 0.5 * np.cos(np.pi * k * (x + 0.5) / 8)
    basis[0] /= 2**0.5
    parts = image.reshape(image.shape[0] // 8, 8, image.shape[1] // 8, 8).swapaxes(1, 2)
    rounded = step * np.round(basis @ parts @ basis.T / step)
    return np.round((basis.T @ rounded @ basis).swapaxes(1, 2).reshape(image.shape))


def enlarged(image, factor):
    for axis in (0, 1):
        places = np.arange(image.shape[axis]) / factor
        before = places.astype(int)
        part = np.expand_dims(places - before, 1 - axis)
        image = np.take(image, before, axis) * (1 - part) + np.take(image, before + 1, axis) * part
    return image


def images():
    """By name, all of float32."""
    rng = np.random.default_rng(2)
    white = scene() + 8 * normal()
    salted, spoiled, hot = white.copy(), white.copy(), white.copy()
    chosen = rng.random(SPACE) < 0.04
    salted[chosen] = np.where(rng.random(SPACE) < 0.3, 255, 0)[chosen]
    spoiled[chosen] = rng.uniform(0, 255, SPACE)[chosen]
    hot[rng.random(SPACE) < 0.004] = 255
    much = np.where(rng.random(SPACE) < 0.7, 255.0 * (rng.random(SPACE) < 0.5), white)
    many = np.where(rng.random(SPACE) < 0.3, rng.uniform(0, 255, SPACE), white)
    body = np.where(np.hypot(*(np.indices(SPACE) - np.array([[[72]], [[100]]]))) < 60, scene(), 0)
    found = {
        "white": white,
        "strong": scene() + 40 * normal(),
        "weak": scene() + 0.8 * normal(),
        "clipped": np.clip(np.round(1.3 * scene() - 20 + 25 * normal()), 0, 255),
        "blurred": scene() + 10 * blurred(normal()),
        "sharpened": scene() + 6 * (2 * normal() - blurred(normal())),
        "ramp": scene() + np.linspace(3, 20, SPACE[1]) * normal(),
        "photons": 0.8 * rng.poisson(scene() / 0.8),
        "photons and more": 0.5 * rng.poisson(scene() / 0.5) + 4 * normal(),
        "speckle": scene() * rng.gamma(20, 1 / 20, SPACE),
        "magnitude": np.hypot(scene() + 18 * normal(), 18 * normal(seed=3)),
        "magnitude with air": np.hypot(body + 9 * normal(), 9 * normal(seed=3)),
        "rows": scene() + 5 * normal() + 6 * normal((SPACE[0], 1), 4),
        "rows and columns": scene() + 5 * normal() + 6 * normal((SPACE[0], 1), 4) + 4 * normal((1, SPACE[1]), 5),
        "salt and pepper": salted,
        "impulses": spoiled,
        "hot pixels": hot,
        "much salt and pepper": much,
        "many impulses": many,
        "hardly an image": np.where(rng.random(SPACE) < 0.97, 255.0 * (rng.random(SPACE) < 0.5), white),
        "blocks": blocks(white, 24.0),
        "enlarged": enlarged(scene((120, 160)) + 8 * normal((120, 160)), 1.4),
        "small": white[:30, :40],
        "tiny": white[:7, :40],
        "volume": np.stack([white[:72, :88], white[72:, :88], white[:72, 88:176]]),
    }
    return {name: image.astype(np.float32) for name, image in found.items()}


IMAGES = images()
PLANES = [name for name in IMAGES if name != "tiny"]


def plain(value):
    """Numbers, words and lists of them; of a large array a few of its values and its sum."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, str | bool | np.bool_ | None):
        return value if isinstance(value, str | None) else bool(value)
    if isinstance(value, list | tuple) and not all(np.isscalar(entry) for entry in value):
        return [plain(entry) for entry in value]
    values = np.asarray(value, dtype=np.float64)
    if values.ndim == 0:
        return float(f"{values:.6g}") if np.isfinite(values) else str(values)
    flat = values.ravel()
    if flat.size > 12:
        flat = np.append(flat[:: flat.size // 9], flat.sum())
    return [plain(one) for one in flat]


def laws(channel):
    points = scatter(channel)
    return None if points is None else [plain(points), plain(fit_signal_dependence(points))]


def by_correlation(channel):
    found = measure_correlation(channel)
    if found is None:
        return None
    return [plain(found), plain(found.autocovariance), plain(found.spectrum((10, 12))), texture_only(found)]


def of_bounds():
    levels = np.array([-30.0, 0.0, 10.0, 128.0, 250.0, 300.0])
    both, lower = Bounds(0.0, 255.0, 0.1), Bounds(lower=5.0, share=0.1)
    moments = [plain(np.asarray(clipped_moments(levels, 20.0, bounds))) for bounds in (both, lower)]
    return [moments, [plain(remaining_variance(levels, 20.0, bounds)) for bounds in (both, lower)]]


def outliers_of(name):
    values = IMAGES[name][np.newaxis]
    shares = (0.0, 0.01, 0.04, 0.5, 0.97, 1.0)
    extremes = [int(misplaced_extremes(values, share, 0.0, 255.0).sum()) for share in shares]
    found = [misfits(values, share, 0.0, 255.0) for share in (0.01, 0.04, 0.3)]
    return [extremes, [[int(mask.sum()), plain(median)] for mask, median in found]]


def estimated(name, kind=None):
    found = estimate_noise(IMAGES[name], kind=kind).summary()
    return plain({key: found[key] for key in ("noise", "parameters", "confidence", "trust")})


def ring():
    y, x = np.meshgrid(np.fft.fftfreq(24), np.fft.fftfreq(20), indexing="ij")
    return plain(tomographic_spectrum(5 * np.hypot(y, x) + 0.3 + 0.1 * np.abs(y)))


READINGS = {
    "patches": (measure, PLANES),
    "patches, once": (lambda channel: measure(channel, thorough=False), ["white", "blurred"]),
    "differences": (difference_sigma, ["white", "tiny"]),
    "correlation": (
        by_correlation,
        [name for name in PLANES if name not in ("hot pixels", "impulses", "many impulses", "hardly an image")],
    ),
    "grid": (jpeg_grid, ["white", "blocks", "enlarged", "volume", "clipped"]),
    "interpolation": (resampled, ["white", "enlarged", "blurred", "volume"]),
    "interpolation of steps": (lambda channel: resampled(np.round(channel), 1.0), ["white", "enlarged", "weak"]),
    "impulses": (
        measure_impulses,
        [
            "white",
            "salt and pepper",
            "much salt and pepper",
            "impulses",
            "many impulses",
            "hot pixels",
            "clipped",
            "volume",
        ],
    ),
    "places": (measure_locally, ["white", "ramp", "clipped", "small", "tiny", "volume"]),
    "laws": (laws, ["white", "clipped", "photons", "photons and more", "speckle", "magnitude", "volume", "small"]),
    "magnitude": (fit_rician, ["magnitude", "magnitude with air", "photons", "clipped", "white"]),
    "lines": (measure_lines, ["white", "rows", "rows and columns", "volume"]),
    "bounds": (bounds_of, ["white", "clipped", "magnitude with air"]),
    "evidence": (lambda channel: evidence_of(from_array(channel))[0], ["white", "clipped", "photons"]),
}
OUTLYING = ("salt and pepper", "impulses", "clipped", "much salt and pepper", "many impulses", "hardly an image")
CASES = [
    *(
        (f"{reading}: {name}", lambda read=read, name=name: plain(read(IMAGES[name])))
        for reading, (read, names) in READINGS.items()
        for name in names
    ),
    *((f"outliers: {n}", lambda name=n: outliers_of(name)) for n in OUTLYING),
    *((f"estimate: {name}", lambda name=name: estimated(name)) for name in IMAGES),
    *((f"estimate of a kind: {kind}", lambda kind=kind: estimated("photons and more", kind)) for kind in KINDS),
    ("clipping", of_bounds),
    ("tomography", ring),
]


def close(found, known, where):
    if isinstance(known, dict):
        assert set(found) == set(known), where
        for key, entry in known.items():
            close(found[key], entry, f"{where}, {key}")
    elif isinstance(known, list):
        assert len(found) == len(known), where
        for index, entry in enumerate(known):
            close(found[index], entry, f"{where}, {index}")
    elif isinstance(known, float | int) and not isinstance(known, bool):
        assert found == pytest.approx(known, rel=5e-3, abs=1e-4), where
    elif isinstance(known, str) and " " in known:
        pass  # a sentence for the reader
    else:
        assert found == known, where


@pytest.mark.parametrize(("name", "read"), CASES, ids=[name for name, _ in CASES])
def test_what_is_read_from_a_fixed_image_stays(name, read):
    close(json.loads(json.dumps(read())), json.loads(FIGURES.read_text())[name], name)


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(read(), separators=(',', ':'))}" for name, read in CASES]
    FIGURES.write_text("{\n" + ",\n".join(lines) + "\n}\n")
