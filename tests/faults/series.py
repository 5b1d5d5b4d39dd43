"""Command lines one after the other in one process, each with its own want of room: ``python series.py < STEPS``.

STEPS is a list of JSON objects; the answer is one for each, on standard output.

words : of the command line
old : files to make first, which hold three bytes, "old"
free : bytes that the file system of the working directory is to have left
files : bytes that a file may have; more is an error, not a signal
answer : code, out, err, and "left", the files below the working directory with what they hold (a hash)
"""

import hashlib
import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path

FILLER = Path("filler")


def main():
    """Answer all steps."""
    from noiseless.apps.cli import main as command_line

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    steps = json.load(sys.stdin)
    answers, silent = os.fdopen(os.dup(1), "w"), os.open(os.devnull, os.O_WRONLY)
    for step in steps:
        pipes = [os.pipe() for _ in range(2)]  # what is said is not to be cut off by the fault
        for descriptor, (_, end) in enumerate(pipes, 1):
            os.dup2(end, descriptor)
            os.close(end)
        for name in step.get("old", ()):
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_bytes(b"old")
        if "free" in step:
            fill(step["free"])
        if "files" in step:
            resource.setrlimit(resource.RLIMIT_FSIZE, (step["files"], resource.RLIM_INFINITY))
        try:
            code = command_line(step["words"])
        except BaseException:
            traceback.print_exc()
            code = -1
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        FILLER.unlink(missing_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        said = []
        for end, _ in pipes:
            with open(end, "rb") as stream:
                said.append(stream.read().decode(errors="replace"))
        answer = {"code": code, "out": said[0], "err": said[1], "left": left()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def fill(free):
    """Leave so many bytes free."""
    state = os.statvfs(".")
    size = state.f_bavail * state.f_frsize - free
    if size > 0:
        with FILLER.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, size)


def left():
    """The files below, and what they hold."""
    found = {}
    for folder, _, names in os.walk("."):  # which goes past what it may not see
        for path in (Path(folder) / name for name in names):
            try:
                if not path.is_file():
                    continue  # a pipe would wait for somebody to write it
                found[str(path)] = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
            except OSError as error:
                found[str(path)] = error.strerror
    return found


if __name__ == "__main__":
    main()
