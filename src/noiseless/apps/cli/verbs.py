"""The verbs in one table, grouped by what one wants; the module of a verb is imported when the verb is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Verb:
    """A verb as the list of them shows it.

    Parameters
    ----------
    heading : that it stands under
    summary : one sentence, with which its docstring begins
    module : of this room, that holds a function of the verb's name
    """

    heading: str
    summary: str
    module: str


_DENOISE, _UNDERSTAND, _CHOOSE = "Denoise", "Understand an image and its noise", "Choose how"
_LEARN, _SERVE, _CHECK = "Learn from images", "Serve", "Check"

VERBS: Mapping[str, Verb] = {
    "denoise": Verb(_DENOISE, "Denoise images, videos and bags of ROS.", "denoising"),
    "stream": Verb(_DENOISE, "Denoise live video as it comes.", "streaming"),
    "info": Verb(_UNDERSTAND, "Say what files are, and what an output keeps of them.", "inspection"),
    "estimate": Verb(_UNDERSTAND, "Estimate the noise of images.", "estimation"),
    "compare": Verb(_UNDERSTAND, "Compare images with a clean one.", "comparison"),
    "noise": Verb(_UNDERSTAND, "Add noise to an image (step 1).", "simulation"),
    "diffuse": Verb(_UNDERSTAND, "Smooth an image by a diffusion process (step 2).", "diffusion"),
    "demo": Verb(_UNDERSTAND, "Show the four steps of the method on a photograph.", "demonstration"),
    "tune": Verb(_CHOOSE, "Tune a method on noisy images.", "tuning"),
    "models": Verb(_CHOOSE, "List models from their cards, and check their weights.", "inspection"),
    "bench": Verb(_CHOOSE, "Measure methods on clean test images.", "benchmark"),
    "adapt": Verb(_LEARN, "Adapt a network to noisy images.", "adaptation"),
    "train": Verb(_LEARN, "Train a score network.", "training"),
    "export": Verb(_LEARN, "Write a score network for other runtimes.", "exporting"),
    "serve": Verb(_SERVE, "Serve a page to drop images on.", "serving"),
    "doctor": Verb(_CHECK, "Check the installation, and say how to mend it.", "doctoring"),
}
"""In the order of ``noiseless --help``."""


def function_of(name: str) -> Any:
    """The function that carries out a verb."""
    return getattr(import_module(f"noiseless.apps.cli.{VERBS[name].module}"), name)
