"""STEP 2: image diffusion (filters that blur the picture) and the noise levels of density diffusion."""

from noiseless.diffusion.conductivity import CONDUCTIVITIES
from noiseless.diffusion.filters import FILTERS, filter_named
from noiseless.diffusion.inpainting import inpaint
from noiseless.diffusion.isotropic import Heat, PeronaMalik, heat_flow
from noiseless.diffusion.operators import divergence, gradient
from noiseless.diffusion.schedule import SCHEDULES, Sigmas, geometric, karras, linear

__all__ = [
    "CONDUCTIVITIES",
    "FILTERS",
    "SCHEDULES",
    "Heat",
    "PeronaMalik",
    "Sigmas",
    "divergence",
    "filter_named",
    "geometric",
    "gradient",
    "heat_flow",
    "inpaint",
    "karras",
    "linear",
]
