"""The one place where the words of a command line become a verb, and an error becomes a line and an exit code."""

import sys
from typing import Annotated

import typer

import noiseless
from noiseless.apps.cli.help_pages import SETTINGS, Interrupted, VerbList
from noiseless.apps.cli.verbs import VERBS

__all__ = ["VERBS", "application", "main"]

FAILURE, INTERRUPTED = 1, 130

NAME = "noiseless"

application = typer.Typer(
    name=NAME,
    cls=VerbList,
    help="Remove noise from images by diffusion and score matching.",
    no_args_is_help=True,
    subcommand_metavar="VERB ...",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


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
    """Run the command line; the exit code is 0 ok, 1 failure, 2 usage, 3 part of a batch failed, 130 interrupted.

    Where whoever read the output has gone, typer leaves with 1 and without a word.
    """
    try:
        result = application(arguments, standalone_mode=False, prog_name=NAME)
    except noiseless.NoiselessError as error:
        sys.stderr.write(f"noiseless: {error}\n")
        return FAILURE
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (Interrupted, KeyboardInterrupt, typer.Abort):
        sys.stderr.write("noiseless: interrupted\n")
        return INTERRUPTED
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of typer prints itself, with the usage line
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return int(result or 0)
