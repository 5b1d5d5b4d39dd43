"""Routes of the page, and of those who look after the server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from fastapi import Path as Name
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse

import noiseless
from noiseless.apps import viewer
from noiseless.apps.web.answers import Health, errors
from noiseless.apps.web.refusals import Refusal
from noiseless.apps.web.service import Service

PAGE = Path(__file__).parent / "page"

VIEWER = Path(viewer.__file__).parent / "assets"

KINDS: Mapping[str, str] = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

ASSETS: Mapping[str, Path] = {
    path.name: path for folder in (VIEWER, PAGE) for path in sorted(folder.iterdir()) if path.suffix in KINDS
}
"""By the names under which they are served; there are no others."""

routes = APIRouter()


def service_of(request: Request) -> Service:
    """The service of an application."""
    service: Service = request.app.state.service
    return service


Here = Annotated[Service, Depends(service_of)]


@routes.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """The page."""
    return FileResponse(PAGE / "index.html", media_type="text/html; charset=utf-8")


@routes.get("/assets/{name}", include_in_schema=False)
async def asset(name: Annotated[str, Name()]) -> FileResponse:
    """A file of the page."""
    if name not in ASSETS:
        raise Refusal("NotFound", "the page has no such file")
    path = ASSETS[name]
    return FileResponse(path, media_type=f"{KINDS[path.suffix]}; charset=utf-8")


@routes.get("/healthz", responses={503: {"model": Health, "description": "It cannot work."}, **errors()})
async def healthz(service: Here) -> Health:
    """Whether the service works: 200 where all its workers live, loaded or loading."""
    alive, ready = service.queue.alive, service.queue.ready
    status: Literal["ok", "loading", "failing"] = "ok" if ready else "loading"
    if alive < service.limits.workers:
        status = "failing"
    health = Health(status=status, version=noiseless.__version__, workers=alive, ready=ready)
    if status == "failing":
        return JSONResponse(health.model_dump(), 503)  # type: ignore[return-value]
    return health


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **errors()})
async def metrics(service: Here) -> Response:
    """Figures for Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
