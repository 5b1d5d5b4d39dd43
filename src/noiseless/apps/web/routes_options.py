"""Route of what there is to choose from."""

from typing import Any

from fastapi import APIRouter

from noiseless.apps.web.answers import Options, errors
from noiseless.apps.web.routes_pages import Here

routes = APIRouter()


@routes.get("/api/options", response_model=Options, responses=errors())
async def options(service: Here) -> dict[str, Any]:
    """What there is to choose from, and what the service takes on."""
    return service.options
