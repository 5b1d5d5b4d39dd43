"""Presets: recipes for kinds of images, as files in this folder that people may read, copy and change.

Where a wrong detail does harm there is no sampling, and a bound: noise exceeds 3 standard deviations in 3 of 1000
pixels, so a larger change is a change of the picture.
"""

from collections.abc import Mapping
from pathlib import Path

from noiseless.names import lookup
from noiseless.restoration.recipe_file import RecipeFile, read_recipe

FOLDER = Path(__file__).parent

PRESETS: Mapping[str, RecipeFile] = {path.stem: read_recipe(path) for path in sorted(FOLDER.glob("*.toml"))}
"""By name."""


def preset_named(name: str) -> RecipeFile:
    """One of ``PRESETS``.

    Raises
    ------
    UnknownName : there is none of that name; the message suggests the nearest.
    """
    preset: RecipeFile = lookup(PRESETS, name, kind="preset")
    return preset
