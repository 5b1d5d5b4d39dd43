"""``noiseless serve``: the page and the service."""

import importlib
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import console

MIB = 2**20


def serve(  # noqa: PLR0913  one parameter an option
    host: Annotated[str, typer.Option(help="Address to listen at; one that others reach needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)] = 8000,
    token: Annotated[
        str | None, typer.Option(help="That requests must bear; 16 characters or more.", envvar="NOISELESS_TOKEN")
    ] = None,
    workers: Annotated[int, typer.Option(help="So many processes work; they share the cores.", min=1)] = 1,
    max_bytes: Annotated[int, typer.Option(help="Of an upload.", min=1)] = 512 * MIB,
    max_pixels: Annotated[
        int, typer.Option(help="The most an image may claim before it is taken for a decompression bomb.", min=1)
    ] = 100_000_000,
    seconds: Annotated[float, typer.Option(help="That one job may take.")] = 600.0,
    waiting: Annotated[int, typer.Option(help="So many jobs may wait; more are refused.", min=1)] = 16,
    minutes_kept: Annotated[float, typer.Option(help="Files and results are deleted so long after their use.")] = 60.0,
    device: console.Device = "cpu",
    name: Annotated[
        list[str] | None, typer.Option(help="Another name of this server, as behind a proxy; may be repeated.")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,  # noqa: FBT002
) -> None:
    """Serve a page to drop images on, and the same for programs; it prints its address, and Ctrl-C ends it.

    Everything stays on this machine: uploads and results lie in a temporary folder, are deleted after a while, and all
    of them when the server ends. Programs: curl -F file=@scan.dcm http://127.0.0.1:8000/api/denoise -o clean.dcm
    """
    limits = _part("limits").Limits(max_bytes, max_pixels, seconds, waiting, minutes_kept, workers)
    _part("serving").serve(
        host=host,
        port=port,
        token=token,
        limits=limits,
        device=device,
        names=tuple(name or ()),
        tell=console.say,
        open_browser=open_browser,
    )


def _part(name: str) -> Any:
    """A module of the service, whose packages are optional."""
    try:
        return importlib.import_module(f"noiseless.apps.web.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "noiseless").partition(".")[0]
        if package == "noiseless":
            raise
        raise noiseless.MissingExtra(f"serve needs {package!r}: pip install 'noiseless[web]'") from error
