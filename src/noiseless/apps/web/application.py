"""The application: routes, guard, and the one place where an error becomes an answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

import noiseless
from noiseless.apps.web import routes_denoise, routes_files, routes_jobs, routes_options, routes_pages
from noiseless.apps.web.guarding import Guard
from noiseless.apps.web.refusals import Refusal, problem, status_of
from noiseless.apps.web.service import Service

OF_HTTP = {
    404: ("NotFound", "there is nothing at this address; /openapi.json says where there is something"),
    405: ("MethodNotAllowed", "this address does not take such a request; the header Allow says which it takes"),
}
"""Names and words of what the framework refuses."""


def application_of(service: Service) -> Guard:
    """An ASGI application that serves ``service``, and starts and stops it."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    application = FastAPI(
        title="noiseless",
        version=noiseless.__version__,
        description="Remove noise from images. Errors are {error: {name, message}}.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=life,
        separate_input_output_schemas=False,
    )
    application.state.service = service
    application.include_router(routes_pages.routes)
    # The guard checks the token; this tells those who read the document.
    bearer = [Depends(HTTPBearer(auto_error=False))] if service.token else []
    for room in (routes_options, routes_files, routes_jobs, routes_denoise):
        application.include_router(room.routes, dependencies=bearer)
    for kind, answer in _ANSWERS.items():
        application.add_exception_handler(kind, answer)
    return Guard(application, service)


async def _of_http(request: Request, error: Any) -> JSONResponse:
    if isinstance(error, Refusal):
        return _told(request, error.name, error.detail, error.status_code, error.headers)
    name, message = OF_HTTP.get(error.status_code, ("InvalidRequest", str(error.detail)))
    return _told(request, name, message, error.status_code, error.headers)


async def _of_validation(request: Request, error: Any) -> JSONResponse:
    return _told(request, "InvalidRequest", routes_denoise.words_of(error.errors()), 422)


async def _of_noiseless(request: Request, error: Any) -> JSONResponse:
    name = type(error).__name__
    return _told(request, name, str(error), status_of(name))


async def _of_mistake(request: Request, error: Any) -> JSONResponse:
    # Starlette raises it again, so that the log has it.
    return _told(request, "Failed", f"an unexpected {type(error).__name__}; the log of the server has more", 500)


def _told(request: Request, name: str, message: str, status: int, headers: Any = None) -> JSONResponse:
    request.app.state.service.metrics.refused(name)
    return JSONResponse(problem(name, message), status, headers)


_ANSWERS: dict[Any, Any] = {
    HTTPException: _of_http,
    RequestValidationError: _of_validation,
    noiseless.NoiselessError: _of_noiseless,
    Exception: _of_mistake,
}
