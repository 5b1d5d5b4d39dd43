"""Routes of jobs."""

import asyncio
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Response
from starlette.responses import FileResponse

from noiseless.apps.web import answers
from noiseless.apps.web.answers import errors
from noiseless.apps.web.events import EventStream
from noiseless.apps.web.file_names import attachment, name_of_result
from noiseless.apps.web.records import DONE, Job
from noiseless.apps.web.refusals import Refusal
from noiseless.apps.web.routes_files import EVENTS, PNG, Tile, Window, chosen_window, picture_of
from noiseless.apps.web.routes_pages import Here
from noiseless.apps.web.settings import JobRequest
from noiseless.apps.web.tiles import tile_of_job, tile_of_picture

ANY_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file, of the kind that was given in."}
}

routes = APIRouter(prefix="/api/jobs", tags=["jobs"])


def job_of(service: Here, id: Annotated[str, Path(description="Of a job.", max_length=64)]) -> Job:
    """The job that a path names."""
    return service.job(id)


def done_job(job: Annotated[Job, Depends(job_of)]) -> Job:
    """The same, if it is done."""
    if job.state != DONE:
        raise Refusal("NotReady", f"the job is {job.state}; there is a result when it is done")
    return job


Any_ = Annotated[Job, Depends(job_of)]
Done = Annotated[Job, Depends(done_job)]


@routes.post(
    "",
    status_code=202,
    response_model=answers.Job,
    response_model_exclude_unset=True,
    responses=errors(400, 404, 409, 413, 415, 422, 429, 503, 507),
)
async def add_job(request: JobRequest, response: Response, service: Here) -> dict[str, Any]:
    """Have a file denoised."""
    job = service.add_job(service.file(request.file), request.settings.given())
    response.headers["Location"] = f"/api/jobs/{job.key}"
    return job.told()


@routes.get("/{id}", response_model=answers.Job, response_model_exclude_unset=True, responses=errors(404, 422))
async def get_job(job: Any_) -> dict[str, Any]:
    """What is known of a job."""
    return job.told()


@routes.delete("/{id}", status_code=204, response_class=Response, responses=errors(404, 422))
async def delete_job(job: Any_, service: Here) -> None:
    """Cancel a job, and delete its result."""
    service.delete_job(job)


@routes.get("/{id}/events", response_class=Response, responses=EVENTS | errors(404, 422))
async def job_events(job: Any_) -> EventStream:
    """Follow a job."""
    return EventStream(job)


@routes.get("/{id}/result", response_class=FileResponse, responses=ANY_FILE | errors(404, 409, 422))
async def result(job: Done) -> FileResponse:
    """The denoised file."""
    return file_answer(job)


@routes.get(
    "/{id}/report.json",
    response_class=FileResponse,
    responses={200: {"content": {"application/json": {}}, "description": "What was done."}, **errors(404, 409, 422)},
)
async def report_json(job: Done) -> FileResponse:
    """What was done, for programs."""
    return _attached(job, "report.json", "application/json")


@routes.get(
    "/{id}/report.html",
    response_class=FileResponse,
    responses={200: {"content": {"text/html": {}}, "description": "What was done."}, **errors(404, 409, 422)},
)
async def report_html(job: Done) -> FileResponse:
    """What was done, for people: one page that needs no other file."""
    return _attached(job, "report.html", "text/html")


@routes.get(
    "/{id}/tiles/denoised/{slice}/{level}/{row}/{column}.png",
    response_class=Response,
    responses=PNG | errors(404, 409, 422),
)
async def denoised_tile(job: Done, place: Tile, window: Window) -> Response:
    """A part of the denoised picture."""
    picture = picture_of(job.file)
    shown = chosen_window(picture, window)
    png = await asyncio.to_thread(tile_of_picture, job.folder / "denoised", picture["levels"], place, shown)
    return Response(png, media_type="image/png")


@routes.get(
    "/{id}/tiles/{kind}/{slice}/{level}/{row}/{column}.png",
    response_class=Response,
    responses=PNG | errors(404, 409, 422),
)
async def map_tile(job: Done, kind: Literal["removed", "error", "structure"], place: Tile) -> Response:
    """A part of a map: what was removed, how far pixels may be wrong, or where structure went with the noise."""
    picture_of(job.file)
    noisy = job.file.folder / "noisy"
    png = await asyncio.to_thread(tile_of_job, kind, noisy, job.folder, job.maps, place)
    return Response(png, media_type="image/png")


def file_answer(job: Job, headers: dict[str, str] | None = None) -> FileResponse:
    """The result of a job that is done, to be saved under its own name."""
    name = name_of_result(job.file.name, job.result)
    told = {"Content-Disposition": attachment(name), **(headers or {})}
    return _file(job.folder / f"result{job.result}", "application/octet-stream", told)


def _attached(job: Job, name: str, kind: str) -> FileResponse:
    stem = name_of_result(job.file.name, "").removesuffix(".denoised")
    return _file(job.folder / name, kind, {"Content-Disposition": attachment(f"{stem}.{name}")})


def _file(path: FilePath, kind: str, headers: dict[str, str]) -> FileResponse:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise Refusal("NotFound", f"this job has no {path.name}") from None
    return FileResponse(path, media_type=kind, headers=headers, stat_result=status)
