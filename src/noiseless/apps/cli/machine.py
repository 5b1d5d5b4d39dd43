"""What the machine offers: processor, cores, memory, GPU, folders and terminal."""

import importlib
import importlib.util
import locale
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import noiseless
from noiseless import threads
from noiseless.apps.cli.troubles import Finding, Trouble
from noiseless.memory import free_memory, usable_memory

GIB = 2**30

LEAST_MEMORY, LEAST_DISK = 0.5, 0.25
"""GiB that must be free for a photograph and its result."""

INSTRUCTIONS = {
    "sse4_2": "SSE4.2", "avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 bf16", "amx_bf16": "AMX bf16",
    "asimd": "NEON", "sve": "SVE", "bf16": "Arm bf16",
}  # fmt: skip
"""As Linux calls what makes networks fast, and as its makers do."""

NUMPY_CALLS = {"SSE42": "SSE4.2", "AVX2": "AVX2", "AVX512F": "AVX-512", "NEON": "NEON", "SVE": "SVE"}

_CPUS = Path("/proc/cpuinfo")
_DRIVER = Path("/proc/driver/nvidia/version")

BEYOND_ASCII = "\N{LATIN SMALL LETTER E WITH ACUTE}\N{GREEK SMALL LETTER SIGMA}\N{CJK UNIFIED IDEOGRAPH-65E5}"


def processor() -> Finding:
    """Which one, its instructions, and what the engine does with it."""
    return {"instructions": _instructions(), "engine": noiseless.score.engine_description()}, []


def _instructions() -> list[str]:
    try:
        lines = _CPUS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        known = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
        return [name for key, name in NUMPY_CALLS.items() if known.get(key)]
    said: set[str] = set()
    for line in lines:
        if line.lower().startswith(("flags", "features")):
            said.update(line.partition(":")[2].split())
    return [name for flag, name in INSTRUCTIONS.items() if flag in said]


def cores() -> Finding:
    """Cores that there are, that this process may use, and the threads that it will."""
    machine, usable, used = os.cpu_count() or 1, threads.cores(), threads.usual_threads()
    said = os.environ.get(threads.THREADS)
    quota = threads.quota()
    facts = {
        "machine": machine,
        "usable": usable,
        "quota": quota if quota < machine else None,
        "threads": used,
        threads.THREADS: said,
    }
    troubles = []
    if said and not threads.threads_of_environment():
        remedy = f"give it a number of 1 to {usable}, or unset it"
        troubles.append(Trouble(f"{threads.THREADS} is {said!r}, which is no number and is ignored", remedy))
    elif used > usable:
        what = f"{threads.THREADS} asks for {used} threads, and this process may use {usable} of {machine} cores"
        troubles.append(Trouble(what, f"set it to {usable} or less, or unset it: too many threads are slower"))
    return facts, troubles


def memory() -> Finding:
    """GiB of the machine or the container, and free."""
    usable, free = usable_memory(), free_memory()
    if usable is None or free is None:
        return {"gib": None, "free_gib": None}, []
    facts = {"gib": round(usable / GIB, 2), "free_gib": round(free / GIB, 2)}
    if free >= LEAST_MEMORY * GIB:
        return facts, []
    remedy = "end other programs, or denoise with --tile 512 --memory 0.25"
    return facts, [Trouble(f"{facts['free_gib']} GiB of memory are free, below {LEAST_MEMORY}", remedy)]


def gpu() -> Finding:
    """The GPUs that torch sees; without torch, whether there is a driver for some."""
    driver = _DRIVER.exists() or shutil.which("nvidia-smi") is not None
    if importlib.util.find_spec("torch") is None:
        note = "there is a driver: pip install 'noiseless[torch]' to use the GPU" if driver else None
        return {"torch": None, "driver": driver, "devices": [], "note": note}, []
    torch = importlib.import_module("torch")
    facts: dict[str, Any] = {"torch": torch.__version__, "driver": driver, "devices": [], "note": None}
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            known = torch.cuda.get_device_properties(number)
            facts["devices"].append({"name": known.name, "gib": round(known.total_memory / GIB, 1)})
    elif driver and torch.version.cuda is None:
        facts["note"] = "there is a driver, and this torch is for CPUs alone: install one that is built for CUDA"
    elif driver:
        what = f"there is an NVIDIA driver, and torch {torch.__version__} sees no GPU"
        remedy = f"install a driver for CUDA {torch.version.cuda}, and let CUDA_VISIBLE_DEVICES not hide the GPU"
        return facts, [Trouble(what, remedy)]
    return facts, []


def folders() -> Finding:
    """Where temporary files and compiled code go."""
    facts: dict[str, Any] = {}
    troubles = []
    try:
        temporary = tempfile.gettempdir()
        free = shutil.disk_usage(temporary).free / GIB
        facts["temporary"] = {"path": temporary, "free_gib": round(free, 2)}
        if free < LEAST_DISK:
            what = f"{temporary} has {free:.2f} GiB free, below {LEAST_DISK}"
            troubles.append(Trouble(what, "empty it, or set TMPDIR to a folder with more room"))
    except OSError as error:
        facts["temporary"] = None
        what = f"no temporary folder can be written ({error.strerror})"
        troubles.append(Trouble(what, "set TMPDIR to one that can be"))
    places = _places_of_code()
    facts["compiled_code"] = next((str(place) for place in places if _can_hold(place)), None)
    if facts["compiled_code"] is None:
        what = f"compiled code cannot be kept: {' and '.join(map(str, places))} cannot be written"
        troubles.append(Trouble(what, "set NUMBA_CACHE_DIR to a folder that can be written"))
    return facts, troubles


def _places_of_code() -> list[Path]:
    """Folders that numba tries, the first first."""
    if said := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(said)]
    return [Path(noiseless.__file__).parent, Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"]


def _can_hold(folder: Path) -> bool:
    """Whether files can be made in a folder, which may be still to be made."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def terminal() -> Finding:
    """How text is shown."""
    encoding = sys.stdout.encoding or "ascii"
    facts = {
        "interactive": sys.stdout.isatty(),
        "columns": shutil.get_terminal_size().columns,
        "encoding": encoding,
        "file_names": sys.getfilesystemencoding(),
        "locale": ".".join(part or "" for part in locale.getlocale()).strip("."),
    }
    troubles = []
    for where, used in (("text", encoding), ("names of files", facts["file_names"])):
        try:
            BEYOND_ASCII.encode(str(used))
        except (UnicodeEncodeError, LookupError):
            remedy = "set LC_ALL=C.UTF-8, and unset PYTHONIOENCODING"
            troubles.append(Trouble(f"the encoding of {where} is {used}, which cannot hold all letters", remedy))
    return facts, troubles
