"""The verbs in one table, and the one place where an error becomes a line and an exit code."""

import contextlib
import os
import sys
from typing import Annotated

import typer

import noiseless
from noiseless.apps.cli.adaptation import adapt
from noiseless.apps.cli.benchmark import bench
from noiseless.apps.cli.comparison import compare
from noiseless.apps.cli.demonstration import demo
from noiseless.apps.cli.denoising import denoise
from noiseless.apps.cli.diffusion import diffuse
from noiseless.apps.cli.estimation import estimate
from noiseless.apps.cli.exporting import export
from noiseless.apps.cli.inspection import doctor, info, models
from noiseless.apps.cli.simulation import noise
from noiseless.apps.cli.streaming import stream
from noiseless.apps.cli.training import train
from noiseless.apps.cli.tuning import tune

FAILURE, INTERRUPTED = 1, 130

VERBS = (
    denoise,
    stream,
    tune,
    adapt,
    estimate,
    noise,
    diffuse,
    compare,
    train,
    models,
    export,
    bench,
    info,
    doctor,
    demo,
)

application = typer.Typer(
    name="noiseless",
    help="Remove noise from images by diffusion and score matching.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in VERBS:
    application.command(verb.__name__)(verb)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"noiseless {noiseless.__version__}")
        raise typer.Exit


@application.callback()
def root(
    version: Annotated[  # noqa: FBT002  typer reads a flag from a bool
        bool, typer.Option("--version", help="Print the version and exit.", callback=lambda v: _show_version(wanted=v))
    ] = False,
) -> None:
    """Remove noise from images by diffusion and score matching."""
    del version


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code is 0 ok, 1 failure, 2 usage, 3 part of a batch failed, 130 interrupted."""
    try:
        result = application(arguments, standalone_mode=False)
    except noiseless.NoiselessError as error:
        sys.stderr.write(f"noiseless: {error}\n")
        return FAILURE
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("noiseless: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of typer prints itself, with the usage line
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return int(result or 0)
