"""STEP 2: image diffusion (filters that blur the picture) and the noise levels of density diffusion."""

from noiseless.diffusion.anisotropic import CoherenceEnhancing, EdgeEnhancing, MeanCurvature
from noiseless.diffusion.conductivity import CONDUCTIVITIES
from noiseless.diffusion.evolution import Evolution, State
from noiseless.diffusion.filters import FILTERS, filter_named
from noiseless.diffusion.heat import Heat, heat_flow, heat_steps
from noiseless.diffusion.inpainting import inpaint
from noiseless.diffusion.isotropic import Charbonnier, PeronaMalik, TotalVariation
from noiseless.diffusion.operators import divergence, gradient
from noiseless.diffusion.schedule import SCHEDULES, Sigmas, geometric, karras, linear
from noiseless.diffusion.stepping import STEPPINGS

__all__ = [
    "CONDUCTIVITIES",
    "FILTERS",
    "SCHEDULES",
    "STEPPINGS",
    "Charbonnier",
    "CoherenceEnhancing",
    "EdgeEnhancing",
    "Evolution",
    "Heat",
    "MeanCurvature",
    "PeronaMalik",
    "Sigmas",
    "State",
    "TotalVariation",
    "divergence",
    "filter_named",
    "geometric",
    "gradient",
    "heat_flow",
    "heat_steps",
    "inpaint",
    "karras",
    "linear",
]
