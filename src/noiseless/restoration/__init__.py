"""What one does with a denoiser and an image: the four steps in order, in tiles, and how good it is."""

from noiseless.restoration.adapting import Adapted, adapt
from noiseless.restoration.audit import Audit
from noiseless.restoration.by_blocks import RestoredByBlocks, restore_by_blocks
from noiseless.restoration.denoising import Restored, denoise, restore, restore_image
from noiseless.restoration.ensemble import Ensemble, SelfEnsemble
from noiseless.restoration.methods import METHODS
from noiseless.restoration.presets import PRESETS, preset_named
from noiseless.restoration.quality import psnr, ssim
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.recipe_file import RecipeFile, read_recipe, recipe_text, toml_in
from noiseless.restoration.risk import Risk, self_supervised_loss, unbiased_risk
from noiseless.restoration.spectral import spectral_risk
from noiseless.restoration.temporal import TemporalDenoiser
from noiseless.restoration.tiling import Tiled
from noiseless.restoration.tuning import Tuned, tune

__all__ = [
    "METHODS",
    "PRESETS",
    "Adapted",
    "Audit",
    "Ensemble",
    "Recipe",
    "RecipeFile",
    "Restored",
    "RestoredByBlocks",
    "Risk",
    "SelfEnsemble",
    "TemporalDenoiser",
    "Tiled",
    "Tuned",
    "adapt",
    "denoise",
    "preset_named",
    "psnr",
    "read_recipe",
    "recipe_text",
    "restore",
    "restore_by_blocks",
    "restore_image",
    "self_supervised_loss",
    "spectral_risk",
    "ssim",
    "toml_in",
    "tune",
    "unbiased_risk",
]
