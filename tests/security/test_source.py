"""What the source never does, read off its syntax: run foreign data, call a shell, guess names, fetch addresses."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "noiseless"
MODULES = {str(path.relative_to(SOURCE).as_posix()): path for path in sorted(SOURCE.rglob("*.py"))}

RUNS_DATA = {"pickle", "cloudpickle", "marshal", "shelve", "dill", "joblib", "code", "codeop", "runpy"}
OPEN_TO_BOMBS = {"xml", "lxml", "yaml"}
FETCHES = {"requests", "httpx", "aiohttp", "urllib3", "ftplib", "telnetlib", "xmlrpc"}
FORBIDDEN_IMPORTS = {*RUNS_DATA, *OPEN_TO_BOMBS, *FETCHES, "random", "urllib.request", "http.client"}
"""random: what is drawn for images comes from numpy, and what must not be guessed from secrets."""

OWN_PROCESSES = {"batches/processes.py": {"pickle"}, "batches/parcel.py": {"pickle", "cloudpickle"}}
"""Between processes that this library began itself, over pipes that nobody else holds (batches/processes.py), and to
workers of a Dask cluster, which run what its scheduler sends them in any case (batches/parcel.py). Files, uploads and
the workers of the service, which read the files of strangers, never meet a pickle."""

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "input", "breakpoint"}
FORBIDDEN_ATTRIBUTES = {
    "os.system", "os.popen", "tempfile.mktemp", "tempfile.mkstemp", "torch.load", "yaml.load", "marshal.loads",
    "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
}  # fmt: skip

IMPORTS_BY_NAME = {
    "names.py": "entries of tables in the source, and the entry points of plug-ins that were installed",
    "apps/cli/installation.py": "a list in that module",
    "classical/installed.py": "a table in that module",
}
"""Modules that import what a variable names, and where that comes from."""

PROVEN = {"noise/stabilisation.py": 1}
"""Asserts of mathematics, which no input reaches. All others only tell a type checker what is known already."""


def name_of(node):
    """``a.b.c`` of an attribute, or of a name."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def keyword(call, name):
    """The value of a keyword of a call, or None."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def is_true(node):
    return not (isinstance(node, ast.Constant) and node.value is False)


def own_text(node):
    """Whether a text begins with letters of the source."""
    if isinstance(node, ast.JoinedStr):
        return bool(node.values) and isinstance(node.values[0], ast.Constant)
    return isinstance(node, ast.Constant)


def faults_of_call(call):
    called = name_of(call.func)
    last = called.rpartition(".")[2]
    if called in FORBIDDEN_CALLS or called in FORBIDDEN_ATTRIBUTES:
        yield f"calls {called}"
    for name in ("shell", "allow_pickle"):
        value = keyword(call, name)
        if value is not None and is_true(value):
            yield f"{called} with {name}"
    if called.startswith("subprocess.") and call.args and not isinstance(call.args[0], ast.List | ast.Name):
        yield f"{called} of something that is no list"
    if last == "import_module" and not own_text(call.args[0]):
        yield "imports by name"
    if last in ("urlopen", "urlretrieve"):
        yield f"fetches by {called}"


def faults_of(tree):
    """What a module does that it must not."""
    for node in ast.walk(tree):
        for name in imported(node):
            if name in FORBIDDEN_IMPORTS or name.partition(".")[0] in FORBIDDEN_IMPORTS:
                yield f"imports {name.partition('.')[0] if name not in FORBIDDEN_IMPORTS else name}"
        if isinstance(node, ast.Call):
            yield from faults_of_call(node)
        if isinstance(node, ast.Compare) and compares_a_secret(node):
            yield "compares a secret in a time that tells of it"
        if isinstance(node, ast.Assert) and not tells_a_type(node.test):
            yield "asserts"


def compares_a_secret(node):
    named = (name_of(side).endswith(("token", "secret", "password")) for side in (node.left, *node.comparators))
    return any(named) and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)


def tells_a_type(test):
    if isinstance(test, ast.Call):
        return name_of(test.func) == "isinstance"
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_does_what_it_must_not(name):
    found = list(faults_of(ast.parse(MODULES[name].read_text(encoding="utf-8"))))
    allowed = {f"imports {each}" for each in OWN_PROCESSES.get(name, ())}
    allowed |= {"imports by name"} if name in IMPORTS_BY_NAME else set()
    left = [fault for fault in found if fault not in allowed]
    assert left == ["asserts"] * PROVEN.get(name, 0)


def test_what_is_allowed_is_still_there():
    assert {*OWN_PROCESSES, *IMPORTS_BY_NAME, *PROVEN} <= set(MODULES)


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from pickle import loads", "import xml.etree.ElementTree as ET", "from lxml import etree",
        "import random", "from random import choice", "import yaml", "from urllib.request import urlopen",
        "import urllib.request", "from urllib import request", "eval(text)", "exec(text)", "compile(text, '', 'exec')",
        "__import__(name)", "os.system('ls')", "os.popen('ls')", "tempfile.mktemp()", "torch.load(path)",
        "np.load(path, allow_pickle=True)", "np.load(path, allow_pickle=trusted)", "np.save(path, allow_pickle=True)",
        "subprocess.run('ls')", "subprocess.run(f'ls {x}')", "subprocess.Popen(['ls'], shell=True)",
        "importlib.import_module(name)", "import_module(f'{name}.x')", "request.urlopen(url)",
        "if given == token: pass", "if self.token != given: pass", "assert value > 0", "assert value",
    ],
)  # fmt: skip
def test_the_law_sees(code):
    assert list(faults_of(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "network.eval()", "re.compile('a')", "np.load(path)", "np.load(path, allow_pickle=False)", "self.execute(1)",
        "subprocess.run(['ls', name])", "subprocess.run(words)", "import_module('noiseless.x')",
        "if token is None: pass", "import_module(f'noiseless.{name}')", "hmac.compare_digest(given, token)",
        "rng.random()", "import numpy.random", "from urllib.parse import quote",
        "assert isinstance(a, int)", "assert a is not None", "if name == 'token': pass",
    ],
)  # fmt: skip
def test_the_law_lets_pass(code):
    assert not list(faults_of(ast.parse(code)))


def test_scripts_of_pages_make_no_markup_of_text():
    """Names of files and words of headers reach them; as text they are no markup, whatever they hold."""
    scripts = [*SOURCE.rglob("*.js"), *SOURCE.rglob("*.html")]
    assert scripts
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert word not in text, f"{word} in {path.name}"
