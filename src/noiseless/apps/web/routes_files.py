"""Routes of uploads."""

import asyncio
import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.requests import Request

from noiseless.apps.web.answers import File, errors
from noiseless.apps.web.events import EventStream
from noiseless.apps.web.records import READY, StoredFile
from noiseless.apps.web.refusals import Refusal
from noiseless.apps.web.routes_pages import Here
from noiseless.apps.web.tiles import Place, tile_of_picture
from noiseless.apps.web.uploads import upload

LARGEST = 2**31 - 1

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {"file": {"type": "string", "format": "binary", "description": "The file."}},
                }
            }
        },
    }
}

PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "A PNG picture."}}

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "Server-sent events; the data of each is what GET of the same thing answers.",
    }
}

routes = APIRouter(prefix="/api/files", tags=["files"])


def file_of(service: Here, id: Annotated[str, Path(description="Of a file.", max_length=64)]) -> StoredFile:
    """The file that a path names."""
    return service.file(id)


def place_of(
    slice: Annotated[int, Path(ge=0, le=LARGEST)],
    level: Annotated[int, Path(ge=0, le=40)],
    row: Annotated[int, Path(ge=0, le=LARGEST)],
    column: Annotated[int, Path(ge=0, le=LARGEST)],
) -> Place:
    """The tile that a path names."""
    return Place(slice, level, row, column)


End = Annotated[float | None, Query(description="Shown black (low) or white (high); else as of the picture.")]


def window_of(low: End = None, high: End = None) -> tuple[float | None, float | None]:
    """What is to be shown black and white."""
    if not all(end is None or math.isfinite(end) for end in (low, high)):
        raise Refusal("InvalidRequest", "low and high are to be finite numbers")
    return low, high


Stored = Annotated[StoredFile, Depends(file_of)]
Tile = Annotated[Place, Depends(place_of)]
Window = Annotated[tuple[float | None, float | None], Depends(window_of)]


@routes.post(
    "",
    status_code=202,
    response_model=File,
    response_model_exclude_unset=True,
    responses=errors(408, 409, 413, 415, 422, 429, 503, 507),
    openapi_extra=FORM,
)
async def add_file(request: Request, response: Response, service: Here) -> dict[str, Any]:
    """Give a file in; it is read in the background."""
    async with upload(request, service, with_settings=False) as (stored, _):
        response.headers["Location"] = f"/api/files/{stored.key}"
        return stored.told()


@routes.post(
    "/example",
    status_code=202,
    response_model=File,
    response_model_exclude_unset=True,
    responses=errors(429, 503, 507),
)
async def add_example(response: Response, service: Here) -> dict[str, Any]:
    """Have a photograph made noisy, to try the service; its clean original is known."""
    stored = service.add_example()
    response.headers["Location"] = f"/api/files/{stored.key}"
    return stored.told()


@routes.get("/{id}", response_model=File, response_model_exclude_unset=True, responses=errors(404, 422))
async def get_file(stored: Stored) -> dict[str, Any]:
    """What is known of a file."""
    return stored.told()


@routes.delete("/{id}", status_code=204, response_class=Response, responses=errors(404, 422))
async def delete_file(stored: Stored, service: Here) -> None:
    """Delete a file with all its jobs."""
    service.delete_file(stored)


@routes.get("/{id}/events", response_class=Response, responses=EVENTS | errors(404, 422))
async def file_events(stored: Stored) -> EventStream:
    """Follow the reading of a file."""
    return EventStream(stored)


@routes.get(
    "/{id}/tiles/noisy/{slice}/{level}/{row}/{column}.png",
    response_class=Response,
    responses=PNG | errors(404, 409, 422),
)
async def noisy_tile(stored: Stored, place: Tile, window: Window) -> Response:
    """A part of the picture in a file."""
    picture = picture_of(stored)
    shown = chosen_window(picture, window)
    png = await asyncio.to_thread(tile_of_picture, stored.folder / "noisy", picture["levels"], place, shown)
    return Response(png, media_type="image/png")


def picture_of(stored: StoredFile) -> dict[str, Any]:
    """How the picture of a file lies.

    Raises
    ------
    Refusal : it is not ready, or has no picture.
    """
    picture: dict[str, Any] | None = stored.known.get("picture")
    if picture is not None:
        return picture
    if stored.state == READY:
        raise Refusal("NotFound", f"a {stored.known['kind']} has no tiles")
    raise Refusal("NotReady", f"the file is {stored.state}; it has tiles when its picture is known")


def chosen_window(picture: dict[str, Any], window: tuple[float | None, float | None]) -> tuple[float, float]:
    """The values that are shown black and white.

    Raises
    ------
    Refusal : the first is not the less.
    """
    low, high = (usual if said is None else said for said, usual in zip(window, picture["window"], strict=True))
    if not low < high:
        raise Refusal("InvalidRequest", f"low is {low:g} and high {high:g}; high is to be greater")
    return low, high
