"""What the verbs share: options that mean the same everywhere, output for people and for machines, and progress."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from noiseless.apps.cli import completion

Output: TypeAlias = Annotated[
    Path | None, typer.Option("-o", "--output", help="File or folder to write; '-' is standard output.")
]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace outputs that exist.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
MaxPixels: TypeAlias = Annotated[
    int | None,
    typer.Option(help="The most a file may claim to hold before it is taken for a decompression bomb. [500 million]"),
]
Device: TypeAlias = Annotated[
    str,
    typer.Option(
        help="cpu, cuda, cuda:1, or auto: a GPU if there is one. With --jobs, cuda is all GPUs.",
        autocompletion=completion.devices,
    ),
]
Jobs: TypeAlias = Annotated[
    int, typer.Option(help="So many processes work on several inputs; each has its share of the cores.", min=1)
]
Memory: TypeAlias = Annotated[
    float | None,
    typer.Option(help="GiB. TIFF files that need more, and zarr stores, go block by block. [a quarter, at most 1]"),
]
Seed: TypeAlias = Annotated[int, typer.Option(help="Seed of whatever is drawn.", min=0)]
SigmaOption: TypeAlias = Annotated[
    float | None,
    typer.Option("-s", "--sigma", help="Noise standard deviation in the units of the file (25 = 25 grey levels)."),
]
NoiseOption: TypeAlias = Annotated[
    str,
    typer.Option(
        help="'auto' to find it, a kind such as rician to find its parameters, or rician:sigma=9 and the like.",
        autocompletion=completion.noises,
    ),
]
Method: TypeAlias = Annotated[
    str,
    typer.Option(
        "-m",
        "--method",
        help="score, edge-enhancing or another diffusion filter, or auto.",
        autocompletion=completion.methods,
    ),
]
Model: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Model of the score method: base, camera, or a .safetensors file.", autocompletion=completion.models
    ),
]


def note(line: str) -> None:
    """A line for the person, on standard error, so that standard output stays clean for data."""
    sys.stderr.write(f"{line}\n")


def say(line: str) -> None:
    """A line on standard output; above a progress bar, where one shows."""
    if sys.stdout.isatty():
        sys.stdout.write(f"{line}\n")  # which a bar has taken over, and ``typer.echo`` goes past that
    else:
        typer.echo(line)


def record(fields: dict[str, Any]) -> None:
    """One JSON object on a line of standard output; numbers that JSON cannot hold become null."""
    typer.echo(json.dumps(_json_safe(fields)))


def _json_safe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_safe(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def was_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line, and is not what it is by default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


@contextmanager
def progress(title: str) -> Iterator[Any]:
    """A progress bar on a terminal; its ``update(share, text)`` does nothing elsewhere."""
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from rich.console import Console  # rich is slow to import, and needed only for a bar that somebody sees
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=1.0, text="")
        yield _Bar(bars, task)


class _Silent:
    def update(self, share: float, text: str) -> None:
        """Nobody watches."""


class _Bar:
    def __init__(self, bars: Any, task: Any) -> None:
        self.bars, self.task = bars, task

    def update(self, share: float, text: str) -> None:
        self.bars.update(self.task, completed=share, text=text)
