"""What there is to choose from, with words for those who choose."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import noiseless

METHODS: Mapping[str, str] = {
    "auto": "The best choice for nearly all: the score network, and for raw photographs the one for cameras.",
    "score": "The score network, which has learned what images look like: best quality, fast.",
    "ensemble": "Seven methods mixed by their estimated error: a little better, many times slower.",
    "experts": "A small explicit density of image patches: transparent, softer.",
    "non-local-means": "Averages patches that look alike: good for repeating texture, slow.",
    "cosine-shrinkage": "Shrinks small cosine coefficients of patches: a classical baseline.",
    "edge-enhancing": "Diffusion that smooths along edges and not across: clean outlines, little texture.",
    "coherence-enhancing": "Diffusion that follows lines: for fingerprints, fibres and other flow-like patterns.",
    "perona-malik": "Diffusion that stops at strong edges.",
    "charbonnier": "As perona-malik, gentler at edges.",
    "total-variation": "Makes flat regions flat: for drawings and cartoons; texture turns to patches.",
    "mean-curvature": "Smooths outlines themselves: for masks and drawings.",
    "heat": "Plain blur of the right amount: a baseline to compare with.",
}

MODELS: Mapping[str, str] = {
    "base": "The usual network, gray and colour.",
    "tiny": "Small and several times faster, about half a decibel behind.",
    "camera": "For colour photographs with the noise of cameras and JPEG; it finds the noise for itself.",
}

PRESETS: Mapping[str, str] = {
    "photo": "Photographs.",
    "cctv": "Surveillance cameras: no pixel changes by more than 4 sigma.",
    "ct": "Computed tomography: noise of the reconstruction, changes bounded.",
    "mr": "Magnetic resonance: Rician noise, changes bounded.",
    "xray": "X-ray images: noise that grows with the dose, changes bounded.",
    "ultrasound": "Ultrasound: gentle, as speckle carries texture.",
    "microscopy": "Fluorescence and electron microscopes: photon and read noise.",
    "volume": "Stacks of close slices, denoised in all three directions: better, twelve times slower.",
}

NOISES: Mapping[str, str] = {
    "gaussian": "The same strength everywhere.",
    "poisson": "Of counted photons: bright parts have more.",
    "poisson-gaussian": "Photons and read-out electronics: most cameras and microscopes.",
    "srgb-photons": "Photon noise of photographs after their tone curve.",
    "rician": "Magnitude images of magnetic resonance.",
    "non-central-chi": "Magnetic resonance of several coils.",
    "speckle": "Multiplies the image: radar, ultrasound, laser light; values are intensities.",
    "amplitude-speckle": "The same, where values are amplitudes.",
    "salt-and-pepper": "Some pixels are black or white.",
    "random-impulses": "Some pixels have any value.",
    "hot-pixels": "Some pixels are too bright.",
    "correlated": "Coarse grain: neighbours have noise in common.",
    "tomography": "Of the reconstruction of computed tomography; found from the image.",
    "stripes": "Rows or columns are offset.",
    "quantisation": "Too few grey levels.",
    "camera": "Simulated noise of a camera, for experiments.",
}


def options() -> dict[str, Any]:
    """All choices, as ``/api/options`` tells them."""
    methods = dict.fromkeys([*METHODS, *noiseless.METHODS])
    return {
        "version": noiseless.__version__,
        "methods": [_named(name, METHODS) for name in methods if name == "auto" or name in noiseless.METHODS],
        "models": [_named(name, MODELS) for name in noiseless.score.model_names()],
        "presets": [_named(name, PRESETS) for name in dict.fromkeys([*PRESETS, *noiseless.PRESETS])],
        "noises": [_noise(name) for name in dict.fromkeys([*noiseless.noise.KINDS, *noiseless.noise.NOISE_MODELS])],
        "samplers": ["auto", *noiseless.generation.SAMPLERS],
        "suffixes": list(noiseless.files.readable_suffixes()),
    }


def _named(name: str, helps: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "help": helps.get(name, "")}


def _noise(name: str) -> dict[str, Any]:
    """A kind of noise: whether it can be found in an image, and the parameters by which it can be given."""
    parameters = []
    if name in noiseless.noise.NOISE_MODELS:
        entry = noiseless.noise.NOISE_MODELS[name]
        kind = entry if dataclasses.is_dataclass(entry) and isinstance(entry, type) else None
        parameters = _parameters(name, kind)
    return {**_named(name, NOISES), "found": name in noiseless.noise.KINDS, "parameters": parameters}


def _parameters(name: str, kind: Any) -> list[dict[str, Any]]:
    if kind is None:  # lazily loaded; its class has a public name
        words = "".join(part.capitalize() for part in name.split("-"))
        kind = getattr(noiseless.noise, words)
    told = []
    for field in dataclasses.fields(kind):
        number = field.default if isinstance(field.default, int | float) else None
        told.append({"name": "width" if field.name == "kernel" else field.name, "usual": number})
    return told
