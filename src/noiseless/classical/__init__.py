"""Denoisers from before learning: other voices for an ensemble, and a yardstick."""

from collections.abc import Mapping

from noiseless.classical.cosine_shrinkage import CosineShrinkage
from noiseless.classical.installed import INSTALLED, InstalledDenoiser
from noiseless.classical.non_local_means import NonLocalMeans
from noiseless.denoiser import LocalDenoiser

CLASSICAL: Mapping[str, type[LocalDenoiser]] = {
    "non-local-means": NonLocalMeans,
    "cosine-shrinkage": CosineShrinkage,
}
"""By name; a new one is a frozen dataclass and a line here."""

__all__ = ["CLASSICAL", "INSTALLED", "CosineShrinkage", "InstalledDenoiser", "NonLocalMeans"]
