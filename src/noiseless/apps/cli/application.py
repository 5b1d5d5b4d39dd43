"""The one place where the words of a command line become a verb, and an error becomes a line and an exit code."""

import errno
import os
import sys
from typing import Annotated

import typer

import noiseless
from noiseless.apps.cli import closed_streams
from noiseless.apps.cli.ending import Ended, signals_raised
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

    One that is ended by a signal tidies up, and has its number and 128 for its code: 143 for SIGTERM. Where whoever
    read the output has gone, typer leaves with 1 and without a word.
    """
    closed_streams.made_safe()
    try:
        with signals_raised():
            result = application(arguments, standalone_mode=False, prog_name=NAME)
            sys.stdout.flush()
    except noiseless.NoiselessError as error:
        return _failed(str(error))
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (Interrupted, KeyboardInterrupt, typer.Abort):
        sys.stderr.write("noiseless: interrupted\n")
        return INTERRUPTED
    except Ended as signal:
        sys.stderr.write(f"noiseless: {signal}\n")
        return signal.code
    except MemoryError:
        return _failed("memory was short; close other programs, or give --tile or --memory less, or a smaller image")
    except OSError as error:  # of a name or a folder that was merely looked at; what is read and written says more
        if error.errno is None:
            raise
        return _failed(_in_words(error))
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of typer prints itself, with the usage line
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return int(result or 0)


def _failed(words: str) -> int:
    sys.stderr.write(f"noiseless: {words}\n")
    return FAILURE


def _in_words(error: OSError) -> str:
    if error.errno == errno.EPIPE:
        return "whoever read the output has gone"
    reason: str = noiseless.files.reason(error)
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)!r}: {reason}"
    try:
        os.getcwd()
    except OSError:
        return "the working directory was removed; go to another"
    return f"cannot write what is to be said: {reason}" if error.errno == errno.ENOSPC else reason
