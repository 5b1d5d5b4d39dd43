"""How help is laid out: a sentence, examples, arguments, options under headings, notes; and verbs under headings."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from noiseless.apps.cli.examples import EXAMPLES, GROUPS, OF_ALL, Example
from noiseless.apps.cli.verbs import VERBS, function_of

MORE = "noiseless VERB --help tells more of a verb, with examples."

WIDEST = 100
"""Columns; longer lines are hard to read."""

WIDEST_TERM = 26
"""Columns that the names of options take; what a longer one means stands below it."""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": WIDEST}


KINDS = {"str": "text", "int": "integer", "float": "number"}

_KIND = re.compile(r"<(?:list\[)?(\w+)\]?(?: range)?>")
# As typer writes them: <list[str]>, <int range>.


class Interrupted(Exception):
    """Ctrl-C, which typer would turn into an exit code without a word."""


# Typer says how a command looks by its class, so these two are subclasses.


class VerbPage(TyperCommand):
    """A verb, whose help teaches by example."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.format_usage(ctx, formatter)
        summary, _, notes = (self.help or "").partition("\n\n")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(summary)
        verb = str(self.name)
        _write_examples(formatter, EXAMPLES.get(verb, ()))
        parameters = self.get_params(ctx)
        _write_rows(formatter, {"Arguments": _rows(ctx, (p for p in parameters if _is_argument(p)))})
        options = [p for p in parameters if not _is_argument(p)]
        sections: dict[str, list[tuple[str, str]]] = {}
        for heading, names in GROUPS.get(verb, {}).items():
            by_name = {name: option for option in options for name in option.opts}
            listed = [by_name[name] for name in names if name in by_name]
            options = [option for option in options if option not in listed]
            sections[heading] = _rows(ctx, listed)
        sections["Other options" if sections else "Options"] = _rows(ctx, options)
        _write_rows(formatter, sections)
        if notes:
            with formatter.section("Notes"):
                formatter.write_text(notes)


class VerbList(TyperGroup):
    """All verbs under headings; a verb is imported when it is asked for, and not to be listed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = dict.fromkeys(VERBS)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        return command_of(cmd_name) if cmd_name in VERBS else None

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        listed: Any = {name: TyperCommand(name, short_help=verb.summary) for name, verb in VERBS.items()}
        light = TyperGroup(name=self.name, commands=listed, params=self.params)
        with light.make_context(ctx.info_name, [], resilient_parsing=True) as context:
            return light.shell_complete(context, incomplete)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        _write_examples(formatter, OF_ALL)
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, verb in VERBS.items():
            sections.setdefault(verb.heading, []).append((name, verb.summary))
        sections["Options"] = _rows(ctx, self.get_params(ctx))
        _write_rows(formatter, sections)
        formatter.write_paragraph()
        formatter.write_text(MORE)


@cache
def command_of(name: str) -> Any:
    """The command of a verb."""
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name, cls=VerbPage, context_settings=SETTINGS)(function_of(name))
    return typer.main.get_command(alone)


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _rows(ctx: Any, parameters: Iterable[Any]) -> list[tuple[str, str]]:
    """Names and meaning of parameters, with the kind of value in words."""
    records = [parameter.get_help_record(ctx) for parameter in parameters]
    return [(_KIND.sub(_in_words, record[0]), record[1]) for record in records if record is not None]


def _in_words(kind: re.Match[str]) -> str:
    return f"<{KINDS.get(kind[1], kind[1])}>"


def _write_examples(formatter: Any, examples: Iterable[Example]) -> None:
    with formatter.section("Examples"):
        for command, meaning in examples:
            formatter.write(f"{'':>{formatter.current_indent}}{command}\n")  # as it is, to be copied
            with formatter.indentation(), formatter.indentation():
                formatter.write_text(meaning)


def _write_rows(formatter: Any, sections: dict[str, list[tuple[str, str]]]) -> None:
    """Sections of two columns, the second of which begins at the same place in all of them."""
    lengths = [len(term) for rows in sections.values() for term, _ in rows]
    width = max((length for length in lengths if length <= WIDEST_TERM), default=0)
    for heading, rows in sections.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl([(term.ljust(width), meaning) for term, meaning in rows], col_max=width)
