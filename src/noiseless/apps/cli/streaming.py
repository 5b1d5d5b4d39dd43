"""``noiseless stream``: live video, denoised as it comes."""

import json
import sys
import time
from contextlib import ExitStack
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import completion, console
from noiseless.apps.work import levels

STATUS_EVERY_S = 0.25
CLEAR_LINE = "\r\x1b[K"

Raw = Annotated[
    str | None,
    typer.Option(metavar="WxH:SAMPLES@RATE", help="Frames of a pipe: gray8, gray16le, rgb24, bgr24, yuv420p."),
]


def stream(  # noqa: PLR0913  every choice is an option
    source: Annotated[
        str, typer.Argument(help="camera:0, rtsp://, http://, udp://, tcp://, a folder, a video file, or - for a pipe.")
    ],
    to: Annotated[
        str | None,
        typer.Option(
            help="clean.mkv, a folder, folder/*.tif, udp://HOST:PORT, rtmp://, or - for a pipe. [measure only]"
        ),
    ] = None,
    sigma: console.SigmaOption = None,
    model: Annotated[
        str, typer.Option(help="base, tiny, none (earlier frames alone), or auto.", autocompletion=completion.efforts)
    ] = "auto",
    budget_ms: Annotated[
        float | None, typer.Option(help="Most milliseconds from the arrival of a frame to its result. [no limit]")
    ] = None,
    drop: Annotated[
        str,
        typer.Option(
            help="Frames that come too fast: oldest, newest, none (the source waits), or auto.",
            autocompletion=completion.drops,
        ),
    ] = "auto",
    raw: Raw = None,
    timeout: Annotated[float, typer.Option(help="Seconds that the source may be silent or lost.")] = 10.0,
    frames: Annotated[int | None, typer.Option(help="Stop after so many frames.", min=1)] = None,
    follow: Annotated[  # noqa: FBT002  typer reads a flag from a bool
        bool, typer.Option(help="Wait in a folder for images to come.")
    ] = True,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Denoise live video as it comes: from a camera, a network, a pipe, or a folder being filled.

    With --budget-ms the effort follows the machine: base network, tiny network, averaging in time alone; frames are
    dropped only where that is too slow. Ctrl-C ends the stream, closes the output, and prints the report.
    """
    opened = noiseless.streams.open_source(source, raw=raw, timeout_s=timeout, follow=follow)
    options: dict[str, Any] = {"raw": raw if to == "-" else None, "overwrite": force, "timeout_s": timeout}
    # A first look, for what is wrong with it: nothing is opened, nor the rate known, before the first frame.
    noiseless.streams.open_sink(to, **options)
    live = noiseless.Stream(opened, sigma=sigma, model=model, budget_ms=budget_ms, drop=drop, timeout_s=timeout)
    try:
        _run(live, to, options, frames)
    except KeyboardInterrupt:
        pass  # the usual end of a live stream
    finally:
        _tell(live.report(), as_json=as_json, aside=to == "-")


def _run(live: noiseless.Stream, to: str | None, options: dict[str, Any], most: int | None) -> None:
    status = _StatusLine()
    sink: noiseless.streams.Sink | None = None
    with ExitStack() as stack:
        stack.callback(status.clear)
        stack.enter_context(live)
        for count, frame in enumerate(live, start=1):
            if sink is None:
                sink = noiseless.streams.open_sink(to, rate=live.rate, **options)
                stack.callback(sink.close)
            sink.write(frame)
            status.show(live)
            if count == most:
                break


def _tell(report: dict[str, Any], *, as_json: bool, aside: bool) -> None:
    """The report; beside standard output where the frames go there."""
    typer.echo(json.dumps(report) if as_json else _words(report), err=aside)


def _words(report: dict[str, Any]) -> str:
    """A report for people."""
    if not report["frames"]:
        return "0 frames"
    latency = report["latency_ms"]
    parts = [
        f"{report['frames']} frames",
        *([] if report["fps"] is None else [f"{report['fps']:.1f} fps"]),
        f"latency {latency['p50']:.0f} ms (p95 {latency['p95']:.0f}, p99 {latency['p99']:.0f})",
        f"effort {report['effort']}",
        *([] if report["sigma"] is None else [f"sigma {levels(report['sigma'])}"]),
        *(f"{report[name]} {name.replace('_', ' ')}" for name in ("dropped", "corrupt", "reconnects") if report[name]),
    ]
    return ", ".join(parts)


class _StatusLine:
    """One line on a terminal, a few times a second; nothing elsewhere."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()
        self._next = 0.0

    def show(self, live: noiseless.Stream) -> None:
        now = time.monotonic()
        if self._wanted and now >= self._next:
            self._next = now + STATUS_EVERY_S
            sys.stderr.write(f"{CLEAR_LINE}{_words(live.report())}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._wanted:
            sys.stderr.write(CLEAR_LINE)
