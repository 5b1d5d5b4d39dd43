"""What the noise models say of a fixed image stays what it was: the numbers that stand in ``figures.json``.

The other tests of this folder hold the models to their laws within the chance of a sample; these hold every number and
every seed. Whoever changes one on purpose, and has shown that it is right, writes the new figures down:
``python tests/noise/test_figures_that_stay.py``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from noiseless.noise import parse_noise
from noiseless.noise.correlated import Correlated, gaussian_kernel, ramp_kernel, width_of_gaussian
from noiseless.noise.model import ImpulsiveNoise, PixelwiseNoise, StabilisableNoise, StationaryNoise
from noiseless.noise.srgb import light_of, value_of

FIGURES = Path(__file__).with_name("figures.json")
TEXTS = [
    "gaussian:12",
    "poisson:0.7",
    "poisson:gain=0.7,offset=3",
    "poisson-gaussian:gain=0.7,sigma=4",
    "poisson-gaussian:gain=20,sigma=1,offset=-5",
    "poisson-gaussian:gain=0.01,sigma=30",
    "rician:40",
    "rician:4",
    "non-central-chi:sigma=40,coils=4",
    "speckle:1",
    "speckle:looks=6.5",
    "amplitude-speckle:1",
    "amplitude-speckle:looks=6.5",
    "salt-and-pepper:0.2",
    "salt-and-pepper:0.6,10,240",
    "random-impulses:0.1",
    "random-impulses:0.4,20,200",
    "hot-pixels:0.01,200,255",
    "correlated:12,1.2",
    "correlated:12,0.4",
    "stripes:5,2",
    "stripes:5,3,1",
    "quantisation:8",
    "camera:0.002,0.01",
    "camera:0.01,0.002,white=200,red=1.5,blue=2.2",
    "srgb-photons:0.004,0.01",
    "gaussian:9+quantisation:8",
    "poisson:2+salt-and-pepper:0.1",
    "correlated:9,1+stripes:3+gaussian:2",
    "gaussian:9+random-impulses:0.1",
    "gaussian:9+hot-pixels:0.02",
]
SHAPES = {"gray": (1, 26, 31), "colour": (3, 16, 18)}


def clean_of(shape):
    """Shades from 0 to 250, and an edge."""
    y, x = np.indices(shape[1:])
    shade = 250 * np.abs(np.sin(y / 9 + x / 14)) * (0.4 + 0.6 * (x > 9))
    return np.stack([shade * share for share in (1.0, 0.8, 0.5)[: shape[0]]])


CLEAN = {name: clean_of(shape) for name, shape in SHAPES.items()}


def listed(values):
    """About a dozen of the values, their sum where they are finite, and how many are."""
    flat = np.ravel(np.asarray(values, dtype=np.float64))
    shown = flat if flat.size <= 12 else flat[:: flat.size // 11]
    finite = np.isfinite(flat)
    return [*np.nan_to_num(shown, posinf=1e300, neginf=-1e300).tolist(), float(flat[finite].sum()), float(finite.sum())]


def figures_of(text, image):
    model, clean = parse_noise(text), CLEAN[image]
    noisy = model.sample(clean, np.random.default_rng(3))
    found = {
        "sample": listed(noisy),
        "mean": listed(model.mean(clean)),
        "variance": listed(model.variance(clean)),
        "likelihood": listed(model.log_likelihood(noisy, clean)),
    }
    if isinstance(model, PixelwiseNoise):
        found["density"] = listed(model.log_density(noisy, clean))
        found["density beside it"] = listed(model.log_density(noisy + 1.0, clean))
    if isinstance(model, StabilisableNoise):
        stable = model.stabilise(noisy)
        found["stabilised"] = listed(stable)
        found["and back"] = listed(model.unstabilise(stable))
        found["far beyond"] = listed(model.unstabilise(np.linspace(-3.0, 60.0, 20).reshape(1, 4, 5)))
    if isinstance(model, StationaryNoise):
        found["spectrum"] = listed(model.spectrum((9, 12)))
    if isinstance(model, ImpulsiveNoise):
        found["detected"] = listed(np.flatnonzero(model.detect(noisy)))
    return found


def kernels():
    measured = Correlated.from_spectrum(Correlated(3.0, gaussian_kernel(0.9)).spectrum((8, 10)))
    return {
        "gaussian": listed(gaussian_kernel(0.9)),
        "ramp": listed(ramp_kernel(6)),
        "width": listed(width_of_gaussian(gaussian_kernel(0.9))),
        "from a spectrum": [*listed(measured.kernel), measured.sigma],
        "light": listed(light_of(np.linspace(-0.2, 1.3, 25))),
        "value": listed(value_of(np.linspace(-0.2, 1.3, 25))),
    }


CASES = {f"{text} on {image}": (figures_of, text, image) for text in TEXTS for image in SHAPES} | {
    "kernels": (kernels,)
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of_a_fixed_image_stays(name):
    read, *arguments = CASES[name]
    found, known = read(*arguments), json.loads(FIGURES.read_text())[name]
    assert set(found) == set(known)
    for part, values in found.items():
        # the root-finders of the inverse and of the quadrature stop at about 1e-6
        assert values == pytest.approx(known[part], rel=2e-5, abs=1e-6), part


if __name__ == "__main__":
    found = {name: read(*arguments) for name, (read, *arguments) in CASES.items()}
    rounded = {n: {p: [float(f"{v:.9g}") for v in values] for p, values in parts.items()} for n, parts in found.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(parts, separators=(',', ':'))}" for name, parts in rounded.items()]
    FIGURES.write_text("{\n" + ",\n".join(lines) + "\n}\n")
