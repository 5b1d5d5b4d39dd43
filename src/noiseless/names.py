"""From a name to a thing: tables are dict literals in the room that owns the things, heavy entries are ``Lazy``."""

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from noiseless.errors import MissingExtra, UnknownName

LONGEST_NAME = 80
"""Letters of one in an error."""


@dataclass(frozen=True)
class Lazy:
    """A thing by its address, imported when it is first asked for.

    Parameters
    ----------
    target : "package.module:attribute"
    extra : the pip extra that brings what the module imports; empty when the plain install has it.
    """

    target: str
    extra: str = ""


def load(lazy: Lazy) -> Any:
    """Import the thing that ``lazy`` names.

    Raises
    ------
    MissingExtra : a package it needs is not installed. A module of noiseless that is missing is our own mistake
        and stays a ``ModuleNotFoundError``.
    """
    module, _, attribute = lazy.target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "noiseless":
            raise
        install = f"noiseless[{lazy.extra}]" if lazy.extra else error.name
        raise MissingExtra(f"{lazy.target} needs {error.name!r}: pip install '{install}'") from error


def lookup(table: Mapping[str, Any], name: str, *, kind: str) -> Any:
    """The entry of ``table`` called ``name``, imported if it is lazy.

    Raises
    ------
    UnknownName : there is no such entry; the message gives the nearest name and all known ones.
    """
    if not isinstance(name, str) or name not in table:
        shown = str(name)[:LONGEST_NAME]
        close = difflib.get_close_matches(shown, table, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UnknownName(f"unknown {kind} {shown!r}{hint} (known: {', '.join(sorted(table))})")
    entry = table[name]
    return load(entry) if isinstance(entry, Lazy) else entry


def with_plugins(table: Mapping[str, Any], group: str) -> Mapping[str, Any]:
    """``table`` and the entry points that other packages declare in ``group``; they may not replace a built-in."""
    found = {point.name: Lazy(point.value.replace(" ", ""), extra=point.name) for point in entry_points(group=group)}
    return {**found, **table}
