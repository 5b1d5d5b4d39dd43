"""What the service answers, as its OpenAPI document tells it."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Id: TypeAlias = Annotated[str, Field(description="Random, and the only key to the data.")]


class Problem(BaseModel):
    """What went wrong, in a name and a line."""

    name: Annotated[str, Field(description="As of the errors of noiseless, or of the service.", examples=["NotFound"])]
    message: Annotated[str, Field(examples=["there is no job of this id"])]


class ErrorAnswer(BaseModel):
    """An answer that is not what was asked for."""

    error: Problem


class Picture(BaseModel):
    """How the tiles of a picture lie: level k has ceil(width / 2**k) x ceil(height / 2**k) pixels."""

    width: int
    height: int
    slices: int
    channels: int
    tile: int
    levels: int
    window: Annotated[list[float], Field(description="The values that are shown black and white where none are said.")]
    range: Annotated[list[float | None], Field(description="The least and the greatest value.")]
    dtype: str
    unit: Annotated[str, Field(description="'grey levels', 'HU', or '' where it is not known.")]


class File(BaseModel):
    """An upload."""

    model_config = ConfigDict(title="File")

    id: Id
    name: str
    bytes: int
    state: Literal["waiting", "reading", "ready", "failed"]
    error: Problem | None = None
    kind: Literal["image", "video", "bag"] | None = None
    description: Annotated[dict[str, Any] | None, Field(description="As of noiseless info --json.")] = None
    picture: Picture | None = None
    noise: Annotated[dict[str, Any] | None, Field(description="As of noiseless estimate --json.")] = None
    clean_known: bool | None = None


class Progress(BaseModel):
    """How far a job is."""

    share: Annotated[float, Field(ge=0.0, le=1.0)]
    text: str


class Finding(BaseModel):
    """What a check of the result found, in plain words."""

    kind: Literal["good", "doubt", "bad"]
    text: str


class Result(BaseModel):
    """The file that came of a job."""

    name: str
    bytes: int


class Pictures(BaseModel):
    """Which maps there are, and the values at which their colours end: for structure, at twice what noise reaches."""

    error: bool
    structure: bool
    removed_limit: float
    error_limit: float | None
    structure_limit: float | None


class TruePsnr(BaseModel):
    """By the clean image, which is known of the example: dB, of 255."""

    noisy: float
    denoised: float


class Job(BaseModel):
    """A restoration of a file."""

    model_config = ConfigDict(title="Job")

    id: Id
    file: Id
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    place: Annotated[int | None, Field(description="In the queue, from 1, while it waits.")] = None
    progress: Progress
    settings: dict[str, Any]
    error: Problem | None = None
    report: Annotated[dict[str, Any] | None, Field(description="As of noiseless denoise --json.")] = None
    headline: str | None = None
    findings: list[Finding] | None = None
    result: Result | None = None
    pictures: Pictures | None = None
    true_psnr: TruePsnr | None = None


class Choice(BaseModel):
    """Something to choose, in a line."""

    name: str
    help: str


class Parameter(BaseModel):
    """A number of a kind of noise."""

    name: str
    usual: float | None


class NoiseChoice(Choice):
    """A kind of noise: ``name`` alone where it can be found in an image, or ``name:parameter=value,...``."""

    found: bool
    parameters: list[Parameter]


class LimitsAnswer(BaseModel):
    """What the service takes on."""

    bytes: int
    pixels: int
    seconds: float
    waiting: int
    minutes_kept: float


class Options(BaseModel):
    """All that there is to choose from."""

    version: str
    methods: list[Choice]
    models: list[Choice]
    presets: list[Choice]
    noises: list[NoiseChoice]
    samplers: list[str]
    suffixes: list[str]
    limits: LimitsAnswer
    token: Annotated[bool, Field(description="Whether requests under /api must bear the token.")]


class Health(BaseModel):
    """Whether the service works."""

    status: Literal["ok", "loading", "failing"]
    version: str
    workers: Annotated[int, Field(description="That are alive.")]
    ready: Annotated[int, Field(description="That are loaded.")]


WORDS = {
    400: "The request cannot be understood.",
    401: "The token is missing or wrong.",
    403: "The request comes from a page of elsewhere, or asks for another host.",
    404: "There is no such thing.",
    408: "The client was too slow.",
    409: "It is not ready, or was cancelled.",
    413: "The upload is too large.",
    415: "There is no reader for such a file.",
    422: "The request or the file is wrong; the message says how.",
    429: "Too many wait already; Retry-After says when to ask again.",
    500: "The service failed.",
    501: "An optional package is not installed.",
    503: "The service cannot work, or is being stopped.",
    504: "It took longer than allowed.",
    507: "There is no room for more files.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its documentation; those that all have are added."""
    told = sorted({401, 403, *statuses})
    return {status: {"model": ErrorAnswer, "description": WORDS[status]} for status in told}
