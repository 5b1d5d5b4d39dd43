"""Read what may be a bomb, in a process with little memory and time; what became of it goes to the one who asked.

A line of JSON with ``kind``, ``path``, ``megabytes`` and ``seconds`` comes in; a line of JSON goes out with the name of
the error (empty: there was none), its message, the seconds that it took, and the megabytes that it took at most. The
libraries are loaded once, and each reading is a fork of that: the limit is on what a reading needs beyond them.
"""

import importlib
import json
import os
import resource
import signal
import sys
import time
import warnings
from pathlib import Path

MIB = 2**20
SLOWEST = 10
"""Seconds of the wall to one of a core, where others share it; then the reading is taken to wait for something."""

HEAVY = ("noiseless.files", "noiseless.score", "noiseless.restoration", "noiseless.noise", "imagecodecs", "tifffile",
         "PIL.Image", "nibabel", "pydicom", "zarr", "numcodecs", "av", "rosbags.rosbag1", "rosbags.rosbag2",
         "rosbags.typesys", "rawpy")  # fmt: skip


def image(path):
    from noiseless.files import read

    read(path)


def chunked(path):
    from noiseless.files import open_chunked

    source = open_chunked(path)
    window = tuple(slice(0, min(8, length)) for length in source.space)
    source.read(0, slice(0, 1), window)


def video(path):
    from noiseless.files import open_video

    with open_video(path) as opened:
        for _ in opened:
            pass


def bag(path):
    from noiseless.files import open_bag

    with open_bag(path) as opened:
        for _ in opened.topics:
            pass
        for _ in opened.messages():
            pass


def rewritten_bag(path):
    from noiseless.files import rewrite_bag

    rewrite_bag(path, Path(path).with_name(f"clean-{Path(path).name}"), lambda stream, frame: frame)


def checkpoint(path):
    from noiseless.score.checkpoint import load

    load(Path(path))


def density(path):
    from noiseless.score.density_file import load_density

    load_density(Path(path))


def recipe(path):
    from noiseless.restoration.recipe_file import read_recipe

    read_recipe(path)


def noise(path):
    from noiseless.noise import parse_noise

    parse_noise(Path(path).read_text(encoding="utf-8"))


def nothing(path):
    bytearray(int(Path(path).read_text()))


READERS = (image, chunked, video, bag, rewritten_bag, checkpoint, density, recipe, noise, nothing)
KINDS = {each.__name__: each for each in READERS}


def main():
    for name in HEAVY:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # its tests are skipped
    say({"ready": True})
    for line in sys.stdin:
        say(in_a_fork(json.loads(line)))


def say(told):
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def in_a_fork(asked):
    ours, its = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks where there are threads
        child = os.fork()
    if not child:
        os.close(ours)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries write of damage there
        os.write(its, json.dumps(outcome(asked)).encode())
        os._exit(0)
    os.close(its)
    told = bytearray()
    while piece := os.read(ours, 2**16):
        told += piece
    os.close(ours)
    _, status = os.waitpid(child, 0)
    return json.loads(told) if told else {"error": f"ended by signal {os.WTERMSIG(status)}", "message": ""}


def outcome(asked):
    os.chdir(Path(asked["path"]).parent)
    before = resident()
    limit = address_space() + asked["megabytes"] * MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    # No handler: it would not be heard within the code of a library.
    signal.setitimer(signal.ITIMER_PROF, asked["seconds"])
    signal.setitimer(signal.ITIMER_REAL, SLOWEST * asked["seconds"])
    began = time.process_time()
    try:
        KINDS[asked["kind"]](asked["path"])
        error, message = "", ""
    except BaseException as caught:
        error, message = type(caught).__name__, str(caught)[:2000]
    took = time.process_time() - began
    return {"error": error, "message": message, "peak_mb": max(0.0, resident() - before), "took_s": took}


def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def address_space():
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
