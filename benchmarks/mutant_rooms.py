"""A room under mutation: its copy, its mutants, and which of its tests run a line of it. Part of mutants.py."""

import ast
import hashlib
import pickle
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from mutations import Mutation, mutations_of

ROOT = Path(__file__).resolve().parents[1]
COMPILED = {"compiled", "inner", "njit", "jit", "vectorize", "guvectorize"}


@dataclass(frozen=True)
class Mutant:
    number: int
    path: str  # below src/noiseless
    own: int  # its number in the file
    mutation: Mutation
    source: str

    @property
    def text(self):
        return self.source.splitlines()[self.mutation.line - 1].strip()

    @property
    def column(self):
        """Of the change in ``text``, from 0."""
        line = self.source.splitlines()[self.mutation.line - 1]
        return self.mutation.old.col_offset - (len(line) - len(line.lstrip()))

    @property
    def key(self):
        return self.path, self.text, self.column, self.mutation.change

    @property
    def shown(self):
        place = f"{self.path}:{self.mutation.line}"
        return f"{self.number:5d} {place}: {self.mutation.change}\n        {self.text} (column {self.column})"


def copied(source, target):
    """Make a folder like another; what Python compiled there stays, as it knows by the times of files what changed."""
    theirs, mine = (
        {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"}
        for folder in (source, target)
    )
    for name in mine - theirs:
        (target / name).unlink()
    for name in theirs:
        before, after = source / name, target / name
        if not after.exists() or after.read_bytes() != before.read_bytes():
            after.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(before, after)


class Room:
    """The copy of a room, its tests, and what is known of them."""

    def __init__(self, name, scratch):
        self.tree = scratch / "tree"
        copied(ROOT / "src", self.tree / "src")
        copied(ROOT / "tests", self.tree / "tests")
        shutil.copy2(ROOT / "pyproject.toml", self.tree)
        if (ROOT.parent / "shared").is_dir() and not (scratch / "shared").exists():
            (scratch / "shared").symlink_to(ROOT.parent / "shared")
        self.package = self.tree / "src" / "noiseless"
        place, tests = self.package / name, self.tree / "tests" / name
        if place.is_dir():
            self.files = sorted(place.rglob("*.py"))
            self.tests = sorted(tests.rglob("test_*.py"))
        else:
            self.files = [place.with_suffix(".py")]
            self.tests = sorted(tests.parent.glob(f"test_*{place.stem}*.py"))
        self.trees = {path: ast.parse(path.read_text()) for path in self.files}
        self.users = list(self._definitions())
        self.compiled_names = {
            node.name for tree in self.trees.values() for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and _is_compiled(node)
        }  # fmt: skip

    @property
    def lines_in_functions(self):
        lines = {(path, line) for path, _, own, _, seen in self.users for line in own if seen}
        return {(str(path.relative_to(self.tree)), line) for path, line in lines}

    def mutants(self):
        found = []
        for path in self.files:
            for own, mutation in enumerate(mutations_of(self.trees[path])):
                name = path.relative_to(self.package).as_posix()
                found.append(Mutant(len(found), name, own, mutation, path.read_text()))
        return found

    def _definitions(self):
        """(path, name, lines, names used, whether Python sees its lines) of all functions and assignments of a room."""
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    seen = not _is_compiled(node)
                    yield path, node.name, range(node.body[0].lineno, node.end_lineno + 1), _names(node), seen
            for node in tree.body:
                if isinstance(node, ast.Assign | ast.AnnAssign):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    for target in targets:
                        yield path, _last_name(target), range(node.lineno, node.end_lineno + 1), _names(node), False

    def stale(self, mutant):
        """The compiled functions that a mutant changes: itself, or those that name it, and so on."""
        return self.reached_by(mutant.mutation.place.names[-2:])[0] & self.compiled_names

    def is_constant(self, mutant):
        """Whether it is in the value of a name of a module that nothing but running functions uses."""
        names, place = set(mutant.mutation.place.names), mutant.mutation.place
        alone = any(
            isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno == place.first
            for node in self.trees[self.package / mutant.path].body
        )
        at_import = {name for tree in self.trees.values() for name in _used_at_import(tree)}
        return alone and not names & at_import and self.reached_by(names)[0] == names

    def importing(self, mutant, name):
        """The files of source and tests that import this name from the module of a mutant."""
        stem = Path(mutant.path).stem
        for path in (*self.files, *self.tests):
            tree = self.trees.get(path) or ast.parse(path.read_text())
            imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
            if any(node.module.split(".")[-1] == stem and name in {a.name for a in node.names} for node in imports):
                yield str(path)

    def reached_by(self, names):
        """All names that name one of these, and so on, and the lines (path, line) of the functions Python sees."""
        names, lines, grown = set(names), set(), True
        while grown:
            grown = False
            for path, name, own, used, seen in self.users:
                if not used & names:
                    continue
                if seen:
                    lines |= {(path, line) for line in own}
                elif name not in names:
                    names, grown = names | {name}, True
        return names, lines


def _used_at_import(tree):
    """Names in defaults, decorators, and the bodies of classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            used = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif isinstance(node, ast.ClassDef):
            used = [part for part in node.body if not isinstance(part, ast.FunctionDef)] + node.decorator_list
        else:
            continue
        for part in used:
            yield from _names(part)


def _is_compiled(node):
    return any(_last_name(decorator) in COMPILED for decorator in node.decorator_list)


def _names(node):
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    found |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return found | {part.arg for part in ast.walk(node) if isinstance(part, ast.keyword) and part.arg}


def _last_name(node):
    node = node.func if isinstance(node, ast.Call) else node
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


class Coverage:
    """The lines of a room that each test runs, by file of tests, and how long it takes the processor."""

    def __init__(self, room, scratch):
        self.kept = scratch / "lines.pickle"
        self.room = room
        known = pickle.loads(self.kept.read_bytes()) if self.kept.exists() else {}
        source = b"".join(path.read_bytes() for path in room.files)
        self.keys = {path: hashlib.sha256(source + path.read_bytes()).hexdigest() for path in room.tests}
        self.by_file = {key: known[key] for key in self.keys.values() if key in known}
        self.imported = known.get(hashlib.sha256(source).hexdigest(), set())
        self.own_key = hashlib.sha256(source).hexdigest()

    def missing(self):
        return {path for path, key in self.keys.items() if key not in self.by_file}

    def add(self, path, tests, imported):
        self.by_file[self.keys[path]] = tests
        self.imported |= imported
        everything = {**self.by_file, self.own_key: self.imported}
        self.kept.write_bytes(pickle.dumps(everything))

    def reload(self):
        return Coverage(self.room, self.kept.parent)

    @property
    def tests(self):
        return {name: found for tests in self.by_file.values() for name, found in tests.items()}


def tests_for(mutant, room, coverage):
    """(test, seconds) of those that may notice, the quickest first, and whether the module has to be imported anew."""
    place, path = mutant.mutation.place, room.package / mutant.path
    lines = {(str(path.relative_to(room.tree)), line) for line in range(place.first, place.last + 1)}
    constant = not place.in_function and room.is_constant(mutant)
    anew = not (place.in_function or constant) or bool(lines & coverage.imported)
    if anew or constant or room.stale(mutant):
        _, reached = room.reached_by(place.names[-2:])
        lines |= {(str(file.relative_to(room.tree)), line) for file, line in reached}
    named = [
        path for path in room.tests if not place.in_function and place.names and place.names[-1] in path.read_text()
    ]
    chosen = [
        (name, seconds)
        for name, (seconds, ran) in coverage.tests.items()
        if ran & lines or any(name.startswith(str(path.relative_to(room.tree)) + "::") for path in named)
    ]
    mirror = f"/test_{path.stem}.py::"
    chosen.sort(key=lambda test: (test[1] + (0.0 if mirror in test[0] else 0.3), test[0]))
    return chosen, anew


class Tracing:
    """Which lines of the room run."""

    def __init__(self, room):
        self.prefix, self.lines = len(str(room.tree)) + 1, set()
        self.files = {str(path) for path in room.files}

    def __call__(self, frame, *_):
        if frame.f_code.co_filename not in self.files:
            return None
        return self._line(frame)

    def _line(self, frame, *_):
        self.lines.add((frame.f_code.co_filename[self.prefix :], frame.f_lineno))
        return self._line

    def start(self):
        self.lines = set()
        threading.settrace(self)
        sys.settrace(self)

    def stop(self):
        sys.settrace(None)
        threading.settrace(None)
        return self.lines
