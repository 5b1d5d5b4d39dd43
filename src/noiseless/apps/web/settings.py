"""What a client may ask for, and what becomes of it: a recipe and the noise.

Nothing that a client says is ever taken for a path. Models are those that ship; parameters of methods are numbers or
plain words, and the ones that name files are refused.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import noiseless
from noiseless.apps.work import check_for_frames, noise_as_said

KEY = r"^[A-Za-z0-9_-]{32}$"
"""What an id looks like."""

EXPERTS, OF_FILES = "experts", ("path", "file", "model")

WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}\Z")

MOST_STEPS = 100

GREAT = 1e9
"""Above all values that images have, and far from where arithmetic ends."""


class Settings(BaseModel):
    """How to denoise; what is left out is as usual, or as the preset has it."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra={"examples": [{}]})

    method: Annotated[
        str | None,
        Field(
            max_length=200,
            description="A method of /api/options, alone or with parameters: non-local-means:patch=7. Usually auto.",
            examples=["auto"],
        ),
    ] = None
    model: Annotated[
        str | None,
        Field(max_length=40, description="Of a learned method, one of /api/options. Usually base.", examples=["base"]),
    ] = None
    preset: Annotated[
        str | None,
        Field(max_length=40, description="Settings to begin from, by their name in /api/options.", examples=["photo"]),
    ] = None
    strength: Annotated[
        float | None,
        Field(ge=0.0, le=4.0, description="Factor on sigma: below 1 leaves grain, above 1 smooths more.", examples=[1]),
    ] = None
    steps: Annotated[
        int | None,
        Field(ge=1, le=MOST_STEPS, description="1: best PSNR. More: sharper, less faithful.", examples=[1]),
    ] = None
    sampler: Annotated[
        str | None, Field(max_length=40, description="Rule of the steps, of /api/options.", examples=["auto"])
    ] = None
    samples: Annotated[Literal[0] | None, Field(description="The service draws no samples.")] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**32, description="Of whatever is drawn.", examples=[0])] = None
    bound: Annotated[
        float | None,
        Field(gt=0.0, le=GREAT, description="The most a pixel may change, in sigma.", examples=[3]),
    ] = None
    sigma: Annotated[
        float | None,
        Field(ge=0.0, le=GREAT, description="Of the noise, in the units of the file; else it is found.", examples=[25]),
    ] = None
    noise: Annotated[
        str | None,
        Field(
            max_length=200,
            description="auto, a kind whose parameters are to be found (rician), or a law (rician:sigma=9).",
            examples=["auto"],
        ),
    ] = None
    error: Annotated[bool | None, Field(description="Find how far each pixel may be wrong; takes longer.")] = None
    predict: Annotated[bool | None, Field(description="Find how good the result is: its PSNR; takes longer.")] = None

    def given(self) -> dict[str, Any]:
        """What was said."""
        return self.model_dump(exclude_none=True)


class JobRequest(BaseModel):
    """A stored file, and how to denoise it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    file: Annotated[str, Field(pattern=KEY, description="The id of a file that is ready.")]
    settings: Annotated[Settings, Field(description="How to denoise it.")] = Settings()


def recipe_of(given: Mapping[str, Any]) -> tuple["noiseless.Recipe", Any]:
    """The recipe and the noise (a model, a kind, or None) of settings that were said.

    Raises
    ------
    noiseless.NoiselessError : a name is unknown, a number is out of its range, or two things contradict.
    """
    start, noise = noiseless.Recipe(), None
    if "preset" in given:
        preset = noiseless.restoration.preset_named(given["preset"])
        start, noise = preset.recipe, preset.noise
    if "sigma" in given or given.get("noise", "auto") != "auto":
        noise = noise_as_said(given.get("sigma"), given.get("noise", "auto"))
    known = {field.name for field in dataclasses.fields(start)}
    said = {name: value for name, value in given.items() if name in known}
    method, model = said.get("method", start.method), said.get("model", start.model)
    _check_method(method)
    _check_model(model)
    if method.partition(":")[0] == EXPERTS and model != noiseless.Recipe.model:
        raise noiseless.InvalidParameter(f"method {EXPERTS} has one model, and no {model!r}; leave it out")
    return dataclasses.replace(start, **said), noise


def check_for_image(recipe: "noiseless.Recipe", channels: int) -> None:
    """Refuse a network that does not ship for so many channels.

    Raises
    ------
    noiseless.InvalidParameter : it is for colour only.
    """
    kind = "colour" if channels == 3 else "gray"
    if f"{recipe.model_name}-{kind}" not in noiseless.score.shipped():
        raise noiseless.InvalidParameter(
            f"model {recipe.model_name!r} is not for {kind} images; take {noiseless.Recipe.model!r}, which is for all"
        )


def check_for_file_of_frames(recipe: "noiseless.Recipe", noise: Any, kind: str) -> None:
    """Refuse what is not done to the frames of a video or a bag.

    Raises
    ------
    noiseless.InvalidParameter : another method, other noise, or something that looks at one picture.
    """
    asked = {"steps": recipe.steps > 1, "error": recipe.error, "predict": recipe.predict}
    for name in (name for name, given in asked.items() if given):
        raise noiseless.InvalidParameter(f"{name} is for images, and the file is a {kind}; leave it out")
    check_for_frames(recipe, noise, "the file", kind)


def _check_model(model: str) -> None:
    names = noiseless.score.model_names()
    if model not in names:
        raise noiseless.UnknownName(f"unknown model {model!r} (those of this service: {', '.join(names)})")


def _check_method(method: str) -> None:
    """Refuse parameters that could name a file, by their name or their value."""
    name, _, listed = method.partition(":")
    for item in listed.split(",") if listed else []:
        key, _, value = (part.strip() for part in item.partition("="))
        if key == "model" and name != EXPERTS:
            _check_model(value)
        elif key in OF_FILES or not (_is_number(value) or WORD.match(value)):
            raise noiseless.InvalidParameter(
                f"method {name!r} takes no {item.strip()!r} here: parameters are numbers and plain words, not files"
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
