"""The command line: ``noiseless VERB``. Verbs parse and print; everything else is a call of a public name."""

from noiseless.apps.cli.application import main

__all__ = ["main"]
