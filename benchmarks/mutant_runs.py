"""The tests of mutants, each in a process forked from one that has imported all. Part of mutants.py."""

import ast
import gc
import importlib.util
import os
import pickle
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from importlib.machinery import SourceFileLoader
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from _pytest.runner import runtestprotocol
from mutant_rooms import Tracing, tests_for
from mutations import mutated

MEMORY = 6 << 30
KILLED, SURVIVED, TIMED_OUT, NO_COVER, AGAIN, BROKEN = "killed", "survived", "timed out", "no cover", "again", "broken"
SLACK = 2.0  # seconds over five times the usual
SCREEN = os.fdopen(os.dup(1), "w")  # pytest takes the other


def say(text):
    print(text, file=SCREEN, flush=True)


def passes(item, following):
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def limited(seconds):
    """The process ends by itself when it has used, or waited, too long."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 120 + 20 * seconds)


def run_all(items, tests, longest, slack=SLACK):
    """The exit status of a mutant: 1 where a test fails, 0 where all pass."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    start = time.process_time()
    if any(name not in items for name, _ in tests):
        return 1  # its file cannot be imported any more
    chosen = [(items[name], seconds) for name, seconds in tests]
    for index, (item, seconds) in enumerate(chosen):
        if time.process_time() - start > longest:
            return 0
        limited(5 * seconds + slack)
        if not passes(item, chosen[index + 1][0] if index + 1 < len(chosen) else None):
            return 1
    return 0


def forked(work):
    """The number of a process that does this, and ends with what it returns; 3 where it fails itself."""
    child = os.fork()
    if child == 0:
        status = 3
        try:
            sys.settrace(None)
            status = work()
        except BaseException:
            traceback.print_exc(file=SCREEN)
            SCREEN.flush()
        finally:
            os._exit(status)
    return child


def outcome(status):
    if os.WIFSIGNALED(status):
        return TIMED_OUT if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM) else KILLED
    return {0: SURVIVED, 1: KILLED, 4: AGAIN}.get(os.WEXITSTATUS(status), BROKEN)


class Session:
    """A pytest run that has collected the tests, and does other work than to run them once."""

    def __init__(self, work):
        self.work = work

    def pytest_runtestloop(self, session):
        self.work({item.nodeid: item for item in session.items})
        return True


def collected(paths, tree, work):
    os.chdir(tree)
    arguments = [str(path) for path in paths]
    options = ["-qq", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--rootdir", str(tree)]
    return pytest.main([*options, *arguments], plugins=[Session(work)])


def look_up_lines(room, coverage):
    """Run the tests of the files that are not known with the tracing on, in a process of its own."""
    missing = sorted(coverage.missing())
    if missing:
        os.waitpid(forked(lambda: traced(room, coverage, missing)), 0)
    return coverage.reload()


def traced(room, coverage, files):
    tracing = Tracing(room)

    def work(items):
        imported = tracing.stop() & room.lines_in_functions
        tests = {path: {} for path in files}
        kept, last = [], None
        for item, following in pairwise([*items.values(), None]):
            kept, last = (kept if item.path == last else caches_of(room)), item.path
            for cache in kept:  # or only the first test would be seen to run what is kept
                cache.cache_clear()
            start = time.process_time()
            tracing.start()
            good = passes(item, following)
            lines = tracing.stop()
            if good:
                tests[item.path][item.nodeid] = time.process_time() - start, lines
            else:
                say(f"fails without a mutant: {item.nodeid}")
            if following is None or following.path != item.path:
                coverage.add(item.path, tests[item.path], imported)
                say(f"lines of {item.path.relative_to(room.tree)} are known")

    tracing.start()
    collected(files, room.tree, work)
    return 0


def caches_of(room):
    """The functions of a room that keep what they returned."""
    files = {str(path) for path in room.files}
    wrappers = [found for found in gc.get_objects() if type(found).__name__ == "_lru_cache_wrapper"]
    codes = [getattr(found.__wrapped__, "__code__", None) for found in wrappers]
    return [found for found, code in zip(wrappers, codes, strict=True) if code and code.co_filename in files]


def codes_of(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


def replaced(mutant, room, functions):
    """Change what was imported: the code of functions, or a constant; False where there is nothing of the kind."""
    path, tree, given = str(room.package / mutant.path), mutated(mutant.source, mutant.own), 0
    if not mutant.mutation.place.in_function:
        return rebound(mutant, room, tree)
    for code in codes_of(compile(tree, path, "exec", dont_inherit=True)):
        for function in functions.get((path, code.co_qualname, code.co_firstlineno), ()):
            if function.__code__.co_freevars == code.co_freevars:
                function.__code__ = code
                given += 1
    return given > 0


def forget(compiled, names):
    """Let numba compile the functions of these names, rather than to load what it kept of them before they changed."""
    from numba.core.caching import NullCache

    for name in compiled.keys() & names:
        for dispatcher in compiled[name]:
            dispatcher._cache = NullCache()


def rebound(mutant, room, tree):
    """Give a name of a module its new value, there and where it was imported; killed where it has none."""
    modules = {getattr(module, "__file__", None): module for module in list(sys.modules.values())}
    module, place = modules.get(str(room.package / mutant.path)), mutant.mutation.place
    if module is None:
        return False
    statement = next(node for node in tree.body if node.lineno == place.first)
    values = dict(vars(module))
    try:
        exec(compile(ast.Module([statement], []), mutant.path, "exec"), values)
    except Exception:  # so would the import
        os._exit(1)
    for name in place.names:
        old = vars(module)[name]
        for other in [module, *(modules[path] for path in room.importing(mutant, name) if path in modules)]:
            if vars(other).get(name) is old:
                setattr(other, name, values[name])
    return True


class MutantLoader(SourceFileLoader):
    mutant = None

    def get_code(self, fullname):
        if self.path.endswith(self.mutant.path):
            return compile(mutated(self.mutant.source, self.mutant.own), self.path, "exec", dont_inherit=True)
        return super().get_code(fullname)


class MutantFinder:
    """Finds one module before others do."""

    def __init__(self, room, mutant):
        parts = Path(mutant.path).with_suffix("").parts
        self.name = ".".join(("noiseless", *(parts[:-1] if parts[-1] == "__init__" else parts)))
        self.path = str(room.package / mutant.path)
        self.loader = MutantLoader(self.name, self.path)
        self.loader.mutant = mutant

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002
        if name != self.name:
            return None
        folders = [str(Path(self.path).parent)] if self.path.endswith("__init__.py") else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=self.loader, submodule_search_locations=folders
        )


def imported_anew(mutant, room, tests, longest):
    """Run the tests of a mutant in a process that has not yet imported the package."""
    slack, own = SLACK, None
    if mutant:
        sys.meta_path.insert(0, MutantFinder(room, mutant))
        own = recompiled(room.stale(mutant))
    if own:
        longest, slack = 3 * longest, 20 + slack  # compiling takes a while
    found = {}
    files = sorted({name.partition("::")[0] for name, _ in tests})
    limited(60)

    def work(items):
        found["status"] = run_all(items, tests, longest, slack)

    status = collected([room.tree / file for file in files], room.tree, work)
    if own:
        shutil.rmtree(own)
    return found.get("status", 1 if status else 0)


def recompiled(functions):
    """Let numba forget what it compiled of these; the folder where it keeps the rest, None where there are none."""
    if not functions:
        return None
    import numba

    own = tempfile.mkdtemp()
    if Path(numba.config.CACHE_DIR).is_dir():
        shutil.copytree(numba.config.CACHE_DIR, own, dirs_exist_ok=True)
    for path in Path(own).rglob("*.nb?"):
        if re.split(r"[.-]", path.name)[1] in functions:
            path.unlink()
    numba.config.CACHE_DIR = own
    return own


def all_of(tasks, jobs, tell):
    """Run the work of each task in a process of its own, so many at once."""
    waiting, running = list(reversed(tasks)), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, work = waiting.pop()
            running[forked(work)] = mutant, time.monotonic()
        child, status = os.wait()
        mutant, start = running.pop(child)
        tell(mutant, outcome(status), time.monotonic() - start)


class Judge:
    """Finds out what became of each mutant, first in copies of one process that imported all, then one by one."""

    def __init__(self, chosen, room, coverage, jobs, longest):
        self.chosen, self.room, self.coverage, self.jobs, self.longest = chosen, room, coverage, jobs, longest
        self.tests = {mutant.number: tests_for(mutant, room, coverage) for mutant in chosen}
        self.results = {}

    def judged(self):
        """What became of each, by number."""
        for mutant in self.chosen:
            if not self.tests[mutant.number][0]:
                self.tell(mutant, NO_COVER, 0.0)
        reader, writer = os.pipe()

        def serve():
            os.close(reader)
            if collected(self.room.tests, self.room.tree, self.in_copies):
                return 3
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(pickle.dumps(self.results))
            return 0

        child = forked(serve)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        if not answer:
            sys.exit("the process that has all imported failed")
        self.results.update(pickle.loads(answer))
        rest = [mutant for mutant in self.chosen if self.results.get(mutant.number, AGAIN) == AGAIN]
        if rest:
            self.check(lambda: imported_anew(None, self.room, self.tests[rest[0].number][0], self.longest))
        all_of([(mutant, lambda mutant=mutant: self.anew(mutant)) for mutant in rest], self.jobs, self.tell)
        return self.results

    def tell(self, mutant, result, seconds):
        self.results[mutant.number] = result
        if result != AGAIN:
            done, count = sum(one != AGAIN for one in self.results.values()), len(self.tests[mutant.number][0])
            say(f"{done}/{len(self.chosen)} {result} in {seconds:.1f} s, {count} tests {mutant.shown}")

    def check(self, work):
        """Without a mutant the tests must pass where mutants are judged."""
        _, status = os.waitpid(forked(work), 0)
        if outcome(status) != SURVIVED:
            sys.exit(f"the tests fail without a mutant ({outcome(status)}), so they can judge none")

    def in_copies(self, items):
        functions, compiled = defaultdict(list), defaultdict(list)
        for found in gc.get_objects():  # by type, as isinstance asks objects of libraries, which may warn
            if type(found) is FunctionType:
                code = found.__code__
                functions[code.co_filename, code.co_qualname, code.co_firstlineno].append(found)
            elif type(found).__name__ == "CPUDispatcher":
                compiled[found.py_func.__name__].append(found)
        gc.freeze()
        everything = [(name, seconds) for name, (seconds, _) in self.coverage.tests.items()]
        everything.sort(key=lambda test: test[1])
        self.check(lambda: run_all(items, everything, self.longest))

        def one(mutant):
            if not replaced(mutant, self.room, functions):
                return 4
            longest, slack = self.longest, SLACK
            stale = self.room.stale(mutant)
            if stale:
                forget(compiled, stale)
                longest, slack = 3 * longest, 20 + slack  # compiling takes a while
            return run_all(items, self.tests[mutant.number][0], longest, slack)

        quick = []
        for mutant in self.chosen:
            tests, anew = self.tests[mutant.number]
            if tests and not anew:
                quick.append(mutant)
        all_of([(mutant, lambda mutant=mutant: one(mutant)) for mutant in quick], self.jobs, self.tell)

    def anew(self, mutant):
        return imported_anew(mutant, self.room, self.tests[mutant.number][0], self.longest)
