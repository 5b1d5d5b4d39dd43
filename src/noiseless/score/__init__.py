"""Step 3: learn the gradient of the log-density of noisy images by score matching."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from noiseless.denoiser import LocalDenoiser
from noiseless.names import Lazy
from noiseless.names import load as load_lazy
from noiseless.score.analytic import EmpiricalPrior, GaussianMixturePrior, GaussianPrior
from noiseless.score.architecture import SIZES, ResidualShape
from noiseless.score.checkpoint import (
    Checkpoint,
    is_blind,
    load,
    load_model,
    load_shipped,
    model_names,
    save,
    shipped,
)
from noiseless.score.density_file import Mixture, load_density
from noiseless.score.experts import Experts
from noiseless.score.network_denoiser import NetworkDenoiser, engine_description
from noiseless.score.tweedie import denoised_from_score, noise_from_denoised, score, score_from_denoised

DENSITIES: Mapping[str, Callable[..., LocalDenoiser]] = {"experts": Experts}
"""Denoisers that know the density of images, up to a constant."""

if TYPE_CHECKING:
    from noiseless.score.adaptation import AdaptedNetwork, adapt_gains
    from noiseless.score.density_training import fit_experts
    from noiseless.score.objective import OBJECTIVES
    from noiseless.score.sigma_law import Uniform
    from noiseless.score.trained_model import train
    from noiseless.score.training import TrainingSettings, TrainingState

LEARNED: Mapping[str, Callable[..., LocalDenoiser]] = {"score": NetworkDenoiser}
"""Denoisers that were learned; each takes ``model``."""

EXPORTS = {"onnx": Lazy("noiseless.score.onnx_export:write_onnx", extra="export")}
"""How networks are written for other runtimes; each takes a checkpoint, a path and ``overwrite``."""

_TRAINING = {
    "AdaptedNetwork": Lazy("noiseless.score.adaptation:AdaptedNetwork", extra="torch"),
    "adapt_gains": Lazy("noiseless.score.adaptation:adapt_gains", extra="torch"),
    "Uniform": Lazy("noiseless.score.sigma_law:Uniform", extra="torch"),
    "fit_experts": Lazy("noiseless.score.density_training:fit_experts", extra="torch"),
    "OBJECTIVES": Lazy("noiseless.score.objective:OBJECTIVES", extra="torch"),
    "train": Lazy("noiseless.score.trained_model:train", extra="torch"),
    "TrainingSettings": Lazy("noiseless.score.training:TrainingSettings", extra="torch"),
    "TrainingState": Lazy("noiseless.score.training:TrainingState", extra="torch"),
}

__all__ = [
    "DENSITIES",
    "EXPORTS",
    "LEARNED",
    "OBJECTIVES",
    "SIZES",
    "AdaptedNetwork",
    "Checkpoint",
    "EmpiricalPrior",
    "Experts",
    "GaussianMixturePrior",
    "GaussianPrior",
    "Mixture",
    "NetworkDenoiser",
    "ResidualShape",
    "TrainingSettings",
    "TrainingState",
    "Uniform",
    "adapt_gains",
    "denoised_from_score",
    "engine_description",
    "fit_experts",
    "is_blind",
    "load",
    "load_density",
    "load_model",
    "load_shipped",
    "model_names",
    "noise_from_denoised",
    "save",
    "score",
    "score_from_denoised",
    "shipped",
    "train",
]


def __getattr__(name: str) -> Any:
    """Training needs torch, which the plain install does not have: reached on first use."""
    if name in _TRAINING:
        return load_lazy(_TRAINING[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
