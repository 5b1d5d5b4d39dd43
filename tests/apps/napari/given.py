"""Noisy arrays, and what is wished of them where any filter will do."""

import numpy as np

from noiseless.apps.napari.wishes import SIGMA, Wishes

FAST = Wishes(method="heat", noise=SIGMA, sigma=20.0)
"""Of a filter that takes milliseconds."""


def unheard(share, text):
    """Progress that nobody listens to."""


def noisy_of(rng, shape, sigma=20.0):
    clean = 80.0 + np.linspace(0, 40, shape[-1]) + 40.0 * (np.arange(shape[-2]) > shape[-2] // 2)[:, None]
    values = clean + sigma * rng.standard_normal(shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
