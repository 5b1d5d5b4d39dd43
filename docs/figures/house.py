"""The house as the code has it: floors from the layers contract in pyproject.toml, rooms with what they say first.

    python docs/figures/house.py

Writes house.svg beside. `tests/docs/test_architecture.py` makes it again and compares, so it cannot be out of date.
"""

import ast
import html
import textwrap
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "noiseless"

WIDTH, MARGIN, GAP = 960, 16, 10
HEAD, LINE, LETTER = 38, 16, 7.0
"""Pixels from the top of a room to its first line, from line to line, and that a letter takes."""

STEPS = {"noise": "step 1", "diffusion": "step 2", "score": "step 3", "generation": "step 4"}
STYLE = """
  text { font-family: system-ui, sans-serif; fill: #1c2733; }
  .name { font-size: 16px; font-weight: 600; }
  .says { font-size: 12.5px; }
  .room { fill: #f4f6f8; stroke: #aab6c2; }
  .step { fill: #e3eefa; stroke: #3b7dbd; }
"""


def floors():
    """The layers, top first; each a list of rooms beside one another."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[room.strip() for room in layer.split("|")] for layer in layers if layer != "__main__"]


def place_of(room):
    """The module or the package of a room."""
    package = SOURCE / room / "__init__.py"
    return package if package.exists() else SOURCE / f"{room}.py"


def says(room):
    """What its docstring says first, without what the picture shows."""
    text = ast.get_docstring(ast.parse(place_of(room).read_text(encoding="utf-8")))
    line = " ".join(text.split("\n\n")[0].split()).replace("`", "")
    head, colon, rest = line.partition(": ")
    return f"{rest[0].upper()}{rest[1:]}" if colon and head.lower() in (room, STEPS.get(room)) else line


def lines_of(room, width):
    """The same, as broad as a room."""
    return textwrap.wrap(says(room), int((width - 20) / LETTER))


def room_drawn(room, left, top, width, height):
    """A box with its name and what it says."""
    kind = "step" if room in STEPS else "room"
    yield f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    step = f" · {STEPS[room]}" if room in STEPS else ""
    yield f'<text class="name" x="{left + 10}" y="{top + 21}">{room}{step}</text>'
    for number, line in enumerate(lines_of(room, width)):
        yield f'<text class="says" x="{left + 10}" y="{top + HEAD + LINE * number}">{html.escape(line)}</text>'


def drawn():
    """The rooms, and the height of all."""
    top, marks = MARGIN, []
    for rooms in floors():
        width = round((WIDTH - 2 * MARGIN - GAP * (len(rooms) - 1)) / len(rooms))
        height = HEAD + LINE * max(len(lines_of(room, width)) for room in rooms) - 4
        for place, room in enumerate(rooms):
            marks += room_drawn(room, MARGIN + place * (width + GAP), top, width, height)
        top += height + GAP
    return marks, top - GAP + MARGIN


def picture():
    """The text of the file."""
    marks, height = drawn()
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>The rooms of noiseless, floor by floor; each imports from the floors below it</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    return "\n".join([*head, *marks, "</svg>", ""])


if __name__ == "__main__":
    Path(__file__).with_name("house.svg").write_text(picture(), encoding="utf-8")
