"""What was promised or measured, and what would show it again: the entries of ``promises.toml``.

An entry says one thing in one sentence. Either a ``command`` shows it, whose output a ``pattern`` reads, or a ``test``
holds it, or it ``needs`` something that most machines lack. In a command ``{data}`` is the folder of image data and
``{scratch}`` an empty folder; ``NAME=value`` in front sets the environment; ``python`` and ``noiseless`` are those at
work. In a pattern, a regular expression, ``<name>`` is a number of that name, a space any run of blanks, and `` ... ``
whatever stands between, over lines too. Two values are not read: ``elapsed`` is the seconds of the whole command, and
``status`` what it ended with.
"""

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

FILE = Path(__file__).with_name("promises.toml")

SLACK = {"dB": 0.03, "percent": 1.0, "count": 0.0, "correlation": 0.02}
"""How much worse a value may be than the one recorded, in its unit; in all other units it is a part of the value."""

PART = 0.15

TIMED = {"seconds", "ms", "ns", "s a megapixel", "frames/s", "images/s"}
"""Units that say as much of the machine as of the program: compared on the same processor alone."""

OF_A_RUN = {"elapsed", "status"}

BETTER = ("higher", "lower", "near")

NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"

Bar = float | tuple[float, float]


@dataclass(frozen=True)
class Said:
    """Where a figure stands in the documents, letter by letter."""

    file: str
    text: str


@dataclass(frozen=True)
class Unmade:
    """A figure of the documents that no command here makes again, and why not."""

    file: str
    text: str
    why: str


@dataclass(frozen=True)
class Promise:
    """
    Parameters
    ----------
    recorded : what was measured last, by the names of the pattern; ``quick_recorded`` likewise of the quick command
    bar : what was asked, of all values or by name; a pair is a range from one to the other
    better : "higher", "lower", or "near": values that should stay what they are
    slack : in the unit of the value, instead of what :data:`SLACK` says
    machine : the processor of times in ``recorded``
    ends_with : the exit status of a command whose own bars, stricter than the promise, are missed
    known_miss : why the bar is not reached; such a miss was told, and is no failure
    """

    name: str
    issue: int
    says: str
    command: str = ""
    pattern: str = ""
    recorded: Mapping[str, float] = field(default_factory=dict)
    date: str = ""
    machine: str = ""
    unit: str = ""
    better: str = "higher"
    bar: Mapping[str, Bar] | Bar | None = None
    slack: float | None = None
    minutes: float = 0.0
    quick: str = ""
    quick_recorded: Mapping[str, float] = field(default_factory=dict)
    quick_minutes: float = 0.0
    known_miss: str = ""
    ends_with: int = 0
    said: tuple[Said, ...] = ()
    test: tuple[str, ...] = ()
    needs: str = ""

    def bar_of(self, name: str) -> Bar | None:
        bar = self.bar.get(name) if isinstance(self.bar, Mapping) else self.bar
        return tuple(bar) if isinstance(bar, list) else bar

    def allowed(self, recorded: float) -> float:
        """How far from the value recorded a value may be on the worse side."""
        if self.slack is not None:
            return self.slack
        return SLACK.get(self.unit, PART * abs(recorded))

    def has_fallen(self, recorded: float, measured: float) -> bool:
        worse = {"higher": recorded - measured, "lower": measured - recorded, "near": abs(measured - recorded)}
        return worse[self.better] > self.allowed(recorded) + 1e-9

    def misses(self, name: str, measured: float) -> bool:
        bar = self.bar_of(name)
        if bar is None:
            return False
        if isinstance(bar, tuple):
            return not bar[0] <= measured <= bar[1]
        return measured < bar if self.better == "higher" else measured > bar

    def read(self, output: str) -> dict[str, float] | None:
        """The values in an output; None where the pattern is not in it."""
        found = regular_expression(self.pattern).search(output)
        return found and {name: float(text) for name, text in found.groupdict().items() if text is not None}


def regular_expression(pattern: str) -> re.Pattern[str]:
    parts = [re.sub(" +", lambda _: r"\s+", part) for part in re.split(r"\s+\.\.\.\s+", pattern.strip())]
    named = re.sub(r"(?<!\?P)<(\w+)>", lambda name: f"(?P<{name[1]}>{NUMBER})", "(?s:.*?)".join(parts))
    return re.compile(named)


def words_of(command: str, places: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The environment that a command sets, and its words with ``places`` filled in."""
    words = [word.format(**places) for word in shlex.split(command)]
    environment = {}
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        name, _, environment[name] = words.pop(0).partition("=")
    return environment, words


def promises(file: Path = FILE) -> list[Promise]:
    """All of a file, in its order."""
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["promise"]
    return [_promise(dict(entry)) for entry in entries]


def unmade(file: Path = FILE) -> list[Unmade]:
    return [Unmade(**entry) for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("unmade", [])]


def _promise(entry: dict) -> Promise:
    unknown = set(entry) - {each.name for each in fields(Promise)}
    if unknown:
        raise ValueError(f"{entry.get('name')!r} has no {', '.join(sorted(unknown))}")
    entry["said"] = tuple(Said(**each) for each in entry.get("said", ()))
    test = entry.get("test", ())
    entry["test"] = (test,) if isinstance(test, str) else tuple(test)
    return Promise(**entry)
