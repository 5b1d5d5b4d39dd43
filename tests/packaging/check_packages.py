"""Build the packages as they would be published, look into them, install them far from here, and use them.

    python tests/packaging/check_packages.py [--python PYTHON]

The sdist and the wheel; the wheel again, from the sdist; what is in them, and how large they are; then each in a fresh
environment, where the command line, the library and the service must do a little. Tells the sizes and the seconds of
each step, or the first thing that is wrong.
"""

import argparse
import email
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "constraints.txt"

MIB = 2**20
MEASURED_MIB = {"wheel": 4.35, "sdist": 7.49}
ROOM = 1.15
"""A package may grow by so much before somebody has to look why."""

NEEDED = (
    "noiseless/py.typed", "noiseless/__init__.pyi", "noiseless/score/weights/base-gray.safetensors",
    "noiseless/score/weights/base-colour.safetensors", "noiseless/score/weights/tiny-gray.safetensors",
    "noiseless/score/weights/camera-colour.safetensors", "noiseless/score/weights/densities/experts.safetensors",
    "noiseless/generation/calibrations.json", "noiseless/apps/web/example.jpg", "noiseless/apps/napari/napari.yaml",
)  # fmt: skip
NEEDED_OF_KIND = (
    "noiseless/apps/web/page/*.js", "noiseless/apps/web/page/*.css", "noiseless/apps/web/page/*.html",
    "noiseless/apps/viewer/assets/*.js", "noiseless/apps/report/assets/*.css", "noiseless/restoration/presets/*.toml",
    "noiseless/restoration/*.schema.json",
)  # fmt: skip
UNWANTED = re.compile(
    r"(^|/)(\.[^/]*|__pycache__|shared|build|dist|demo|node_modules)(/|$)|\.(pyc|log|pid|orig|rej|ipynb|resume)$"
)
UNWANTED_IN_WHEEL = re.compile(r"(^|/)(tests?|docs|training|benchmarks)/|conftest|(^|/)test_")

USE = """
import pathlib, sys
import numpy as np, noiseless
assert pathlib.Path(noiseless.__file__).is_relative_to(sys.prefix), noiseless.__file__
rng = np.random.default_rng(0)
clean = np.tile(np.linspace(40, 200, 64), (48, 1))
noisy = clean + 20 * rng.standard_normal(clean.shape)
restored = noiseless.restore(noisy, sigma=20)
gain = 10 * np.log10(np.mean((noisy - clean) ** 2) / np.mean((restored.image - clean) ** 2))
assert gain > 8, gain
noiseless.write(noiseless.from_array(np.clip(noisy, 0, 255).astype(np.uint8)), "noisy.png")
print(f"restored: {gain:.1f} dB better")
"""


class Wrong(Exception):
    """Something that must be put right before the packages are published."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the environments")
    python = parser.parse_args().python
    try:
        with tempfile.TemporaryDirectory(prefix="packages-") as name:
            _check(Path(name), python)
    except Wrong as wrong:
        sys.stderr.write(f"packages: {wrong}\n")
        return 1
    return 0


def _check(folder: Path, python: str) -> None:
    with _step("build"):
        tools = _environment(folder / "tools", python)
        _run(tools, "-m", "pip", "install", "--quiet", "--constraint", CONSTRAINTS, "build", "hatchling")
        sdist, wheel = _built(tools, folder / "first", ROOT, "--sdist", "--wheel")
        unpacked = _unpacked(sdist, folder / "unpacked")
        (again,) = _built(tools, folder / "second", unpacked, "--wheel")
    with _step("look"):
        _check_wheel(wheel)
        _check_sdist(sdist)
        _check_same(wheel, again)
    with _step("install the wheel"):
        _install(tools, f"{wheel}[web]")
    with _step("use it"):
        _use(tools, folder / "use")
        _serve(tools, folder / "use")
    with _step("install the sdist"):
        _run(tools, "-m", "pip", "uninstall", "--quiet", "--yes", "noiseless")
        _run(tools, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", sdist)
    with _step("use it"):
        _use(tools, folder / "use-of-sdist")


@contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    sys.stdout.write(f"{name}: {time.monotonic() - began:.1f} s\n")
    sys.stdout.flush()


def _run(python: Path, *words: object, cwd: Path | None = None) -> str:
    """What a program of an environment prints; only that of the environment is found, whatever surrounds this."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    told = [str(python), *map(str, words)]
    done = subprocess.run(told, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"{' '.join(map(str, words))[:200]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _environment(folder: Path, python: str) -> Path:
    if Path(python).resolve() == Path(sys.executable).resolve():
        venv.create(folder, with_pip=True, symlinks=True)
    else:
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def _built(python: Path, target: Path, source: Path, *kinds: str) -> list[Path]:
    _run(python, "-m", "build", "--no-isolation", *kinds, "--outdir", target, source)
    return sorted(target.iterdir(), key=lambda path: path.suffix == ".whl")


def _unpacked(sdist: Path, target: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(target, filter="data")
    (folder,) = target.iterdir()
    return folder


def _check_size(path: Path, kind: str) -> None:
    size, most = path.stat().st_size / MIB, ROOM * MEASURED_MIB[kind]
    sys.stdout.write(f"{path.name}: {size:.2f} MiB, at most {most:.2f}\n")
    if size > most:
        raise Wrong(
            f"the {kind} has {size:.2f} MiB, and {most:.2f} are the bound; see what came in, or raise the bound"
        )


def _check_names(names: list[str], unwanted: re.Pattern[str], kind: str) -> None:
    bad = [name for name in names if unwanted.search(name)]
    if bad:
        raise Wrong(f"the {kind} has what does not belong there: {', '.join(bad[:8])}")


def _check_paths(kind: str, name: str, content: bytes) -> None:
    for path in {str(ROOT), str(Path.home()) + os.sep} - {os.sep}:
        if path.encode() in content:
            raise Wrong(f"{name} of the {kind} has a path of this machine in it")


def _check_wheel(wheel: Path) -> None:
    _check_size(wheel, "wheel")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for name in names:
            _check_paths("wheel", name, archive.read(name))
        (told,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(told))
    _check_names(names, UNWANTED, "wheel")
    _check_names(names, UNWANTED_IN_WHEEL, "wheel")
    lacking = [name for name in NEEDED if name not in names]
    lacking += [kind for kind in NEEDED_OF_KIND if not any(Path(name).match(kind) for name in names)]
    lacking += [] if any(name.endswith("licenses/LICENSE") for name in names) else ["LICENSE"]
    if lacking:
        raise Wrong(f"the wheel lacks {', '.join(lacking)}")
    source = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    if missing := sorted(source - set(names)):
        raise Wrong(f"the wheel lacks {', '.join(missing[:8])}")
    _check_metadata(metadata)


def _check_metadata(metadata: email.message.Message) -> None:
    for field in ("Name", "Version", "Summary", "Requires-Python", "License-Expression", "Description-Content-Type"):
        if not metadata.get(field):
            raise Wrong(f"the metadata lack {field}")


def _check_sdist(sdist: Path) -> None:
    _check_size(sdist, "sdist")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
        for member in members:
            if not (member.isfile() or member.isdir()):
                raise Wrong(f"{member.name} of the sdist is no plain file")
            if member.isfile():
                stream = archive.extractfile(member)
                _check_paths("sdist", member.name, stream.read() if stream else b"")
    names = [member.name.partition("/")[2] for member in members]
    _check_names([name for name in names if name != ".gitignore"], UNWANTED, "sdist")
    lacking = {"pyproject.toml", "LICENSE", "README.md", "PKG-INFO", "constraints.txt", "SECURITY.md"} - set(names)
    if lacking:
        raise Wrong(f"the sdist lacks {', '.join(sorted(lacking))}")


def _check_same(wheel: Path, again: Path) -> None:
    """The wheel of the checkout and the wheel of the sdist: the same files, with the same content."""
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        ours, theirs = ({item.filename: item.CRC for item in archive.infolist()} for archive in (first, second))
    different = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if different:
        raise Wrong(f"the wheel of the sdist differs from that of the checkout: {', '.join(different[:8])}")


def _install(python: Path, what: str) -> None:
    _run(python, "-m", "pip", "install", "--quiet", "--no-compile", "--constraint", CONSTRAINTS, what)
    _run(python, "-m", "pip", "check")


def _use(python: Path, folder: Path) -> None:
    """In a folder where nothing of the checkout is near."""
    folder.mkdir()
    version = _run(python, "-m", "noiseless", "--version", cwd=folder).strip()
    script = python.with_name("noiseless")
    if _run(script, "--version", cwd=folder).strip() != version or not re.fullmatch(r"noiseless \d+\.\d+\S*", version):
        raise Wrong(f"noiseless --version says {version!r}")
    if "denoise" not in _run(script, "--help", cwd=folder):
        raise Wrong("noiseless --help does not name its verbs")
    sys.stdout.write(_run(python, "-c", USE, cwd=folder))
    _run(script, "denoise", "noisy.png", "-o", "clean.png", cwd=folder)
    if (folder / "clean.png").read_bytes()[:4] != b"\x89PNG":
        raise Wrong("noiseless denoise wrote no PNG")


def _serve(python: Path, folder: Path) -> None:
    with subprocess.Popen(
        [str(python.with_name("noiseless")), "serve", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url.startswith("http://"):
                raise Wrong(f"noiseless serve says {url!r}")
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            for path, kind in (
                ("", "text/html"),
                ("api/options", "application/json"),
                ("assets/page.js", "javascript"),
            ):
                with opener.open(f"{url}{path}", timeout=60) as answer:
                    if kind not in answer.headers["content-type"] or not answer.read():
                        raise Wrong(f"the service answers /{path} with {answer.headers['content-type']}")
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
