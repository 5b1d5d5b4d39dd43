"""Step 4: draw the denoised image back from what was learned."""

from collections.abc import Callable, Mapping

from noiseless.generation.calibration import (
    Calibration,
    ErrorBars,
    fit_calibration,
    normal_error_bars,
    shipped_calibrations,
)
from noiseless.generation.data_step import (
    BlurredData,
    DataStep,
    KnownPixels,
    PixelwiseData,
    PoissonData,
    StationaryData,
)
from noiseless.generation.deterministic import Euler, Heun, Multistep
from noiseless.generation.guidance import Guided, guided_samples
from noiseless.generation.plug_and_play import PlugAndPlay, alternate
from noiseless.generation.posterior import PosteriorSamples, ProbabilityFlow, mean_and_spread
from noiseless.generation.prior import sample
from noiseless.generation.randomness import Normal, normal_from_seed
from noiseless.generation.residual import widened_by_residual
from noiseless.generation.sampler import Sampler, State, integrate, trajectory
from noiseless.generation.stochastic import Ancestral, AnnealedLangevin, PredictorCorrector
from noiseless.generation.uncertainty import (
    Components,
    PropagatedNoise,
    jacobian_product,
    posterior_components,
    propagated_noise,
    sign_probes,
)

SAMPLERS: Mapping[str, Callable[[], Sampler]] = {
    "euler": Euler,
    "heun": Heun,
    "dpm-solver++": Multistep,
    "ancestral": Ancestral,
    "predictor-corrector": PredictorCorrector,
    "langevin": AnnealedLangevin,
}

__all__ = [
    "SAMPLERS",
    "Ancestral",
    "AnnealedLangevin",
    "BlurredData",
    "Calibration",
    "Components",
    "DataStep",
    "ErrorBars",
    "Euler",
    "Guided",
    "Heun",
    "KnownPixels",
    "Multistep",
    "Normal",
    "PixelwiseData",
    "PlugAndPlay",
    "PoissonData",
    "PosteriorSamples",
    "PredictorCorrector",
    "ProbabilityFlow",
    "PropagatedNoise",
    "Sampler",
    "State",
    "StationaryData",
    "alternate",
    "fit_calibration",
    "guided_samples",
    "integrate",
    "jacobian_product",
    "mean_and_spread",
    "normal_error_bars",
    "normal_from_seed",
    "posterior_components",
    "propagated_noise",
    "sample",
    "shipped_calibrations",
    "sign_probes",
    "trajectory",
    "widened_by_residual",
]
