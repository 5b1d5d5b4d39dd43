"""The whole in one request: a file in, the denoised file out."""

import json
from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from noiseless.apps.web.answers import errors
from noiseless.apps.web.events import until_over
from noiseless.apps.web.records import DONE, READY, Watched
from noiseless.apps.web.refusals import Refusal
from noiseless.apps.web.routes_jobs import ANY_FILE, file_answer
from noiseless.apps.web.routes_pages import Here
from noiseless.apps.web.service import Service
from noiseless.apps.web.settings import Settings
from noiseless.apps.web.uploads import upload

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The file."},
                        "settings": {
                            "type": "string",
                            "description": "JSON, as the settings of POST /api/jobs.",
                            "examples": ['{"strength": 1}'],
                        },
                    },
                }
            }
        },
    }
}

routes = APIRouter(tags=["jobs"])


@routes.post(
    "/api/denoise",
    response_class=Response,
    responses=ANY_FILE | errors(408, 409, 413, 415, 422, 429, 500, 501, 503, 504, 507),
    openapi_extra=FORM,
)
async def denoise(request: Request, service: Here) -> Response:
    """Denoise a file, and wait for the result; a client that goes away cancels.

    The header Noiseless-Job has the id of the job, which has the report.
    """
    service.queue.check_room(for_job=True)
    service.queue.promised += 1
    try:
        return await _denoised(request, service)
    finally:
        service.queue.promised -= 1


async def _denoised(request: Request, service: Service) -> Response:
    async with upload(request, service, with_settings=True) as (stored, text):
        pass
    try:
        given = _settings(text)
        if not await until_over(stored, request.receive):
            raise Refusal("Cancelled", "the client went away")
        _check(stored, READY)
        job = service.add_job(stored, given, admitted=True)
        if not await until_over(job, request.receive):
            raise Refusal("Cancelled", "the client went away")
        _check(job, DONE)
    except BaseException:
        service.delete_file(stored)
        raise
    link = f'</api/jobs/{job.key}>; rel="describedby"'
    return file_answer(job, {"Noiseless-Job": job.key, "Link": link})


def _settings(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        return Settings.model_validate_json(text).given()
    except ValidationError as error:
        raise Refusal("InvalidRequest", f"settings: {words_of(error.errors())}") from None
    except (json.JSONDecodeError, RecursionError):
        raise Refusal("InvalidRequest", "settings are no JSON") from None


def words_of(found: Any) -> str:
    """What is wrong with a request, in a line."""
    first = found[0]
    place = ".".join(str(part) for part in first.get("loc", ()) if part not in ("body", "path", "query"))
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _check(record: Watched, state: str) -> None:
    if record.state != state:
        raise Refusal(*(record.error or ("Cancelled", "it was deleted meanwhile")))
