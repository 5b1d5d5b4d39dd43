"""What the filters make of a fixed image stays what it was: the numbers that stand in ``figures.json``.

The other tests of this folder hold the filters to laws, to closed forms and to their plain arithmetic, and let a tuned
number or a bound slip. These let none slip. Whoever changes one on purpose, and has shown that it is better, writes the
new figures down: ``python tests/diffusion/test_figures_that_stay.py``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from noiseless.diffusion import FILTERS, SCHEDULES, filter_named, heat_flow, heat_steps, inpaint
from noiseless.diffusion.cosine import cosine_transform
from noiseless.diffusion.scalar import smoothing_for
from noiseless.diffusion.stepping import STEPPINGS, cycles_for, fast_explicit_steps, stability_bound
from noiseless.diffusion.stopping import least_risk_times

FIGURES = Path(__file__).with_name("figures.json")
SHAPES = {"gray": (1, 22, 30), "colour": (3, 17, 21), "volume": (1, 6, 12, 14)}


def picture(shape):
    """Two fields and a wave with noise of a tenth, in float64, where rounding is no matter."""
    places = np.indices(shape[1:])
    clean = 0.3 + 0.4 * (places[-1] + places[-2] > 20) + 0.1 * np.sin(places[-1] / 3.0)
    return clean + 0.1 * np.random.default_rng(1).standard_normal(shape)


IMAGES = {name: picture(shape) for name, shape in SHAPES.items()}
NONLINEAR = [name for name in FILTERS if name != "heat"]
SPLIT = [name for name in NONLINEAR if "semi-implicit" in FILTERS[name].steppings]
COARSE = {"gray": (2.0, 1.5), "colour": (2.0, 1.5), "volume": (3.0, 2.0, 1.5)}


def listed(values):
    """About a dozen of the values, and their sum."""
    flat = np.ravel(np.asarray(values, dtype=np.float64))
    return [*(flat if flat.size <= 12 else flat[:: flat.size // 11]).tolist(), float(flat.sum())]


def filtered(name, image, sigma=0.1, mask=None, **parameters):
    extra = {} if mask is None else {"mask": mask}
    return listed(filter_named(name, **parameters)(IMAGES[image], sigma, **extra))


def states_of(name, **options):
    states = list(filter_named(name).states(IMAGES["gray"], 0.1, **options))
    return [len(states), *(state.time for state in states), *(float(np.square(state.image).sum()) for state in states)]


def reaches(name, **parameters):
    return [filter_named(name, **parameters).reach(sigma) for sigma in (0.0, 0.1)]


def cycles(stepping, step_size, spacing, steps):
    found = cycles_for(5.3, stepping, step_size, spacing, 0.2, steps)
    return [len(found), *found[0].steps, *(cycle.contrast_factor for cycle in found[:4])]


def filled(kind, image, **options):
    missing = np.random.default_rng(2).random(SHAPES[image]) < 0.4
    missing[..., 3:7, 4:9] = True
    return listed(inpaint(IMAGES[image], missing, kind=kind, **options))


def masked(name, image):
    space = SHAPES[image][1:]
    return filtered(name, image, mask=np.hypot(*np.indices(space)[-2:]) > 8)


CASES = {
    **{f"{name}: {image}": (filtered, name, image) for name in FILTERS for image in IMAGES},
    **{
        f"{name}, apart: {image}": (lambda n, i: filtered(n, i, spacing=COARSE[i]), name, image)
        for name in FILTERS
        for image in IMAGES
    },
    **{f"{name}, masked: {image}": (masked, name, image) for name in NONLINEAR for image in IMAGES},
    **{f"{name}, fast": (lambda n: filtered(n, "gray", stepping="fast-explicit"), name) for name in NONLINEAR},
    **{
        f"{name}, implicit: {image}": (lambda n, i: filtered(n, i, stepping="semi-implicit"), name, image)
        for name in SPLIT
        for image in IMAGES
    },
    **{f"{name}, of least risk": (lambda n: filtered(n, "colour", least_risk=True), name) for name in NONLINEAR},
    **{f"{name}, one contrast": (lambda n: filtered(n, "gray", contrast=0.05, time=2.5), name) for name in NONLINEAR},
    **{
        f"{name}, sharp": (lambda n: filtered(n, "gray", presmoothing=1.7, cooling=0.05, step_size=0.11), name)
        for name in NONLINEAR
    },
    **{f"{name}, states": (states_of, name) for name in FILTERS},
    **{f"{name}, three states": (lambda n: states_of(n, most=3), name) for name in FILTERS},
    **{f"{name}, reach": (reaches, name) for name in NONLINEAR},
    **{
        f"{name}, reach apart": (lambda n: reaches(n, spacing=(3.0, 2.0, 1.5), presmoothing=1.7), name)
        for name in NONLINEAR
    },
    "some channels": (lambda: filtered("edge-enhancing", "colour", np.array([0.1, 0.0, 0.2]).reshape(3, 1, 1)),),
    "some channels of heat": (lambda: filtered("heat", "colour", np.array([0.1, 0.0, 0.2]).reshape(3, 1, 1)),),
    "heat flow": (lambda: listed(heat_flow(IMAGES["volume"], (0.5, 1.0, 2.0), spacing=(2.0, 1.0, 1.5))),),
    **{
        f"{steps} steps of heat": (lambda s: listed(heat_steps(IMAGES["gray"], 0.2, s)), steps)
        for steps in (0, 3, 70, 71, 200)
    },
    **{
        f"cycles {s} {size} {steps}": (cycles, s, size, (1.0, 2.0), steps)
        for s in STEPPINGS
        for size in (None, 0.3)
        for steps in (1, 3)
    },
    "fast steps": (lambda: [listed(fast_explicit_steps(time, 0.25)) for time in (0.2, 0.25, 0.5, 7.3)],),
    "bounds": (lambda: [stability_bound((1.0, 1.0)), stability_bound((1.0, 2.0, 3.0))],),
    "smoothing": (
        lambda: [
            [*weights, passes] for weights, passes in (smoothing_for(p, (1.0, 2.0)) for p in (0.0, 0.5, 1.2, 3.0))
        ],
    ),
    "times": (lambda: list(least_risk_times(cosine_transform(IMAGES["colour"]), (0.1, 0.0, 0.02), (1.0, 2.0))),),
    **{f"{kind}: {image}": (filled, kind, image) for kind in ("harmonic", "edge-enhancing") for image in IMAGES},
    "edges of one contrast": (lambda: filled("edge-enhancing", "gray", contrast=0.05, spacing=(2.0, 1.5)),),
    **{
        f"schedule {name}": (lambda n: listed(SCHEDULES[n](6, sigma_max=3.0, sigma_min=0.02)), name)
        for name in SCHEDULES
    },
    "schedule of a spread": (lambda: listed(SCHEDULES["cosine"](5, sigma_max=3.0, sigma_min=0.02, spread=0.5)),),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_made_of_a_fixed_image_stays(name):
    read, *arguments = CASES[name]
    found, known = read(*arguments), json.loads(FIGURES.read_text())[name]
    nested = found if isinstance(found[0], list) else [found]
    for one, other in zip(nested, known, strict=True):
        # Another order of additions or another logarithm moves the last digits; eigenvalues that meet, half of them.
        assert one == pytest.approx(other, rel=1e-6, abs=1e-7)


if __name__ == "__main__":
    known = {name: read(*arguments) for name, (read, *arguments) in CASES.items()}
    lists = {name: found if isinstance(found[0], list) else [found] for name, found in known.items()}
    rounded = {n: [[float(f"{v:.12g}") for v in one] for one in found] for n, found in lists.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(found, separators=(',', ':'))}" for name, found in rounded.items()]
    FIGURES.write_text("{\n" + ",\n".join(lines) + "\n}\n")
