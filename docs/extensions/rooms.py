"""Sphinx directive ``room``: the public names of a module, from their docstrings.

    .. room:: noiseless.noise

Functions, classes, values and errors, each with its docstring. What is public is what ``__all__`` says, so a new name
is in the reference by being there. Names that the package itself has (``noiseless.denoise``) are described under it.

Docstrings of the house are numpydoc, but for three things that reStructuredText would misread, and that are put right
here: ``(C, *space)`` and ``|x|`` are meant as they stand, an indented line is a formula, and a table is Markdown's.
"""

import ast
import importlib
import inspect
import re
import types
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util.nodes import nested_parse_with_titles

import noiseless

UNDERLINE = re.compile(r"-{3,}\s*")
LITERAL = re.compile(r"(``.+?``|:[\w:]+:`[^`]+`|(?<![\w*])\*[a-z][a-z ]*\*(?![\w*]))")


class Room(Directive):
    """The names in ``__all__`` of a module."""

    required_arguments = 1

    def run(self):
        """The nodes of the page."""
        name = self.arguments[0]
        module = importlib.import_module(name)
        container = nodes.section()
        container.document = self.state.document
        source = inspect.getsourcefile(module)
        nested_parse_with_titles(self.state, StringList(list(page_of(name, module)), source=source), container)
        return container.children


def page_of(name, module):
    """The page of a module, in lines of reStructuredText."""
    described = {key: getattr(module, key) for key in module.__all__ if not key.startswith("__")}
    described = {key: value for key, value in described.items() if not isinstance(value, types.ModuleType)}
    elsewhere = [key for key in described if name != "noiseless" and key in noiseless.__all__]
    if elsewhere:
        links = ", ".join(f":py:obj:`noiseless.{key}`" for key in sorted(elsewhere, key=str.lower))
        yield from (f"Described with the package itself: {links}.", "")
    groups = {"Functions": [], "Classes": [], "Tables and values": [], "Errors": []}
    for key in sorted(set(described) - set(elsewhere), key=str.lower):
        groups[group_of(described[key])].append(key)
    for title, keys in groups.items():
        if keys:
            yield from (f".. rubric:: {title}", "   :heading-level: 2", "")
            for key in keys:
                yield from entry_of(f"{name}.{key}", described[key], title, module)


def group_of(value):
    """Under which title a value stands."""
    if isinstance(value, type) and not isinstance(value, types.GenericAlias):
        return "Errors" if issubclass(value, Exception) else "Classes"
    return "Functions" if inspect.isroutine(value) else "Tables and values"


def entry_of(name, value, title, module):
    """What describes one name."""
    if title == "Functions":
        yield from (f".. autofunction:: {name}", "")
    elif title == "Errors":
        yield from (f".. autoexception:: {name}", "")
    elif title == "Classes":
        yield from (f".. autoclass:: {name}", "   :members:", "")
    else:
        yield from (f".. py:data:: {name.rpartition('.')[2]}", f"   :module: {name.rpartition('.')[0]}", "")
        for line in house_form(docstring_of_value(module, name.rpartition(".")[2]).splitlines()):
            yield f"   {line}"
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            yield from ("", "   Its names: " + ", ".join(f"``{key}``" for key in value) + ".")
        yield ""


def docstring_of_value(module, name):
    """The string below an assignment, in the module that the name was imported from, or ""."""
    tree = ast.parse(Path(inspect.getsourcefile(module)).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            origin = importlib.import_module("." * node.level + (node.module or ""), module.__package__)
            if inspect.getsourcefile(origin) != inspect.getsourcefile(module):
                return docstring_of_value(origin, name)
    for node, after in zip(tree.body, tree.body[1:], strict=False):
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        is_text = isinstance(after, ast.Expr) and isinstance(getattr(after.value, "value", None), str)
        if name in [getattr(target, "id", "") for target in targets] and is_text:
            return inspect.cleandoc(after.value.value)
    return ""


def house_form(lines):
    """The lines of a docstring of the house as reStructuredText."""
    made, formula, in_prose = [], False, True
    for number, line in enumerate(lines):
        if number + 1 < len(lines) and UNDERLINE.fullmatch(lines[number + 1]):
            in_prose = False  # from here on indentation is numpydoc's
        indented = line.startswith("    ")
        before = next((text for text in reversed(made) if text.strip()), "")
        if in_prose and indented and not formula and (not made or not made[-1].strip()):
            formula = True
            if not before.endswith("::"):
                made += ["::", ""]
        elif formula and line.strip() and not indented:
            formula = False
        made.append(line if formula or line.startswith(">>>") else as_it_stands(line))
    return made


def as_it_stands(line):
    """A line whose stars and bars are no markup."""
    parts = LITERAL.split(line)
    return "".join(part if number % 2 else re.sub(r"([*|])", r"\\\1", part) for number, part in enumerate(parts))


def put_right(app, what, name, obj, options, lines):
    """A hook of autodoc, before numpydoc's."""
    if what != "module":
        lines[:] = house_form(lines)


def setup(app):
    """What Sphinx calls."""
    app.add_directive("room", Room)
    app.connect("autodoc-process-docstring", put_right, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
