"""Sphinx directive ``command-line``: every verb of ``noiseless`` with its help, as printed when the docs are built."""

import re

from docutils import nodes
from docutils.parsers.rst import Directive
from typer.testing import CliRunner

from noiseless.apps.cli.application import VERBS, application

PLAIN = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}


class CommandLine(Directive):
    """A section for each verb."""

    def run(self):
        """The sections."""
        return [self.section(name) for name in ("", *verbs())]

    def section(self, verb):
        """What ``noiseless VERB --help`` prints, under a title that can be linked to."""
        title = f"noiseless {verb}".strip()
        identity = title.replace(" ", "-")
        section = nodes.section(ids=[identity], names=[title])
        self.state.document.note_explicit_target(section)
        help_text = help_of(verb)
        section += [nodes.title(title, title), nodes.literal_block(help_text, help_text, language="none")]
        return section


def verbs():
    """The names of the verbs, in the order of the help."""
    return [verb if isinstance(verb, str) else verb.__name__ for verb in VERBS]


def help_of(verb):
    """The text of the help, without the escape sequences of a terminal."""
    done = CliRunner().invoke(application, [*verb.split(), "--help"], env=PLAIN, prog_name="noiseless")
    if done.exit_code:
        raise RuntimeError(f"noiseless {verb} --help failed: {done.output}")
    return re.sub(r"\x1b\[[0-9;]*m", "", done.output).strip()


def setup(app):
    """What Sphinx calls."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
