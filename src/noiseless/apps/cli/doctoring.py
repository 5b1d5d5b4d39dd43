"""``noiseless doctor``: whether all is well here, what is not, and how to mend it."""

import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import typer

import noiseless
from noiseless.apps.cli import console, installation, machine, trial_run
from noiseless.apps.cli.troubles import Finding, Trouble, checked

CHECKS: Mapping[str, Callable[[], Finding]] = {
    "libraries": installation.libraries,
    "processor": machine.processor,
    "cores": machine.cores,
    "memory": machine.memory,
    "gpu": machine.gpu,
    "extras": installation.extras,
    "folders": machine.folders,
    "terminal": machine.terminal,
    "weights": installation.weights,
    "speed": trial_run.speed,
}


def doctor(as_json: console.Json = False) -> None:  # noqa: FBT002
    """Check the installation, and say how to mend it.

    Looks at versions, processor, cores, memory, GPU, optional packages, folders and the terminal, holds the models
    against their hashes, and denoises a small pattern with a known answer by each engine. Takes some seconds, and more
    the first time. Packages that are not installed are no trouble: each stands with the line that brings it.
    """
    began = {
        "noiseless": noiseless.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    if not as_json:
        typer.echo(f"noiseless {began['noiseless']}, Python {began['python']}, {began['platform']}")
    facts: dict[str, Any] = {}
    troubles: list[Trouble] = []
    for name, check in CHECKS.items():
        facts[name], found = checked(check)
        troubles += found
        if not as_json and facts[name] is not None:
            for line in WORDS[name](facts[name]):
                typer.echo(f"  {line}")
    if as_json:
        said = [{"trouble": trouble.what, "remedy": trouble.remedy} for trouble in troubles]
        console.record({**began, **facts, "healthy": not troubles, "troubles": said})
    elif troubles:
        for trouble in troubles:
            typer.echo(f"trouble: {trouble.what}; {trouble.remedy}")
    else:
        typer.echo("all is well")
    if troubles:
        raise typer.Exit(1)


def _libraries(found: dict[str, str | None]) -> Iterator[str]:
    for name, version in found.items():
        yield f"{name} {version}" if version else f"{name} is not installed"


def _processor(found: dict[str, Any]) -> Iterator[str]:
    yield f"engine: {found['engine']}"
    yield f"instructions: {', '.join(found['instructions']) or 'none that make networks fast'}"


def _cores(found: dict[str, Any]) -> Iterator[str]:
    bounds = [
        *(["the container allows no more"] if found["quota"] else []),
        *([f"OMP_NUM_THREADS={found['OMP_NUM_THREADS']}"] if found["OMP_NUM_THREADS"] else []),
    ]
    why = f" ({', '.join(bounds)})" if bounds else ""
    yield f"cores: {found['usable']} of {found['machine']} may be used, threads: {found['threads']}{why}"


def _memory(found: dict[str, Any]) -> Iterator[str]:
    if found["gib"] is not None:
        yield f"memory: {found['gib']:.1f} GiB, {found['free_gib']:.1f} GiB free"


def _gpu(found: dict[str, Any]) -> Iterator[str]:
    devices = ", ".join(f"{device['name']} of {device['gib']} GiB" for device in found["devices"])
    none = "none that torch sees" if found["torch"] else "not looked for without torch"
    yield f"GPU: {devices or none}{'; ' + found['note'] if found['note'] else ''}"


def _extras(found: dict[str, Any]) -> Iterator[str]:
    yield "extras:"
    for name, extra in found.items():
        there = ", ".join(f"{package} {version}" for package, version in extra["packages"].items() if version)
        yield f"  {name:<8} {extra['brings']:<30} {there if extra['complete'] else extra['install']}"


def _folders(found: dict[str, Any]) -> Iterator[str]:
    if found["temporary"]:
        yield f"temporary files: {found['temporary']['path']}, {found['temporary']['free_gib']:.1f} GiB free"
    if found["compiled_code"]:
        yield f"compiled code: {found['compiled_code']}"


def _terminal(found: dict[str, Any]) -> Iterator[str]:
    kind = f"{found['columns']} columns" if found["interactive"] else "output is not shown on one"
    yield f"terminal: {kind}, {found['encoding']}; names of files {found['file_names']}"


def _weights(found: dict[str, str]) -> Iterator[str]:
    yield f"models: {', '.join(f'{name} {state}' for name, state in found.items())}"


def _speed(found: list[dict[str, Any]]) -> Iterator[str]:
    yield f"denoising {trial_run.SIDE} x {trial_run.SIDE} pixels:"
    for run in found:
        kind = {1: "gray", 3: "colour"}[run["channels"]]
        rate = f"{run['megapixels_per_second']:.3g} megapixels/s"
        yield f"  {run['engine']:<13} {run['model']:<13} {kind:<7} {rate:>19}   {run['gain_db']:.1f} dB gained"


WORDS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "libraries": _libraries,
    "processor": _processor,
    "cores": _cores,
    "memory": _memory,
    "gpu": _gpu,
    "extras": _extras,
    "folders": _folders,
    "terminal": _terminal,
    "weights": _weights,
    "speed": _speed,
}
"""What people are told of each finding, a line each."""
