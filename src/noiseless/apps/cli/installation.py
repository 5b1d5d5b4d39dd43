"""What is installed: packages and their versions, optional ones and what they bring, the models of the package."""

import importlib
import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass

import noiseless
from noiseless.apps.cli.troubles import Finding, Trouble

LIBRARIES = ("numpy", "scipy", "numba", "openvino", "pillow", "tifffile", "imagecodecs", "safetensors", "torch")


@dataclass(frozen=True)
class Extra:
    """Packages that are installed on request.

    Parameters
    ----------
    brings : what can be done with them
    packages : their names, and the module that shows whether one loads; "" where there is nothing compiled that may
        not fit the machine, so that being there is enough
    """

    brings: str
    packages: Mapping[str, str]


EXTRAS: Mapping[str, Extra] = {
    "medical": Extra("DICOM and NIfTI", {"nibabel": "", "pydicom": ""}),
    "raw": Extra("raw files of cameras", {"rawpy": "rawpy"}),
    "video": Extra("videos, cameras and streams", {"av": "av"}),
    "scale": Extra("zarr stores, Dask and clusters", {"zarr": "zarr", "dask": "", "distributed": ""}),
    "ros": Extra("bags of ROS", {"rosbags": ""}),
    "torch": Extra("GPUs, training, adapting", {"torch": "torch"}),
    "plot": Extra("--plot", {"matplotlib": "matplotlib.figure"}),
    "export": Extra("ONNX", {"onnx": "onnx"}),
    "web": Extra("noiseless serve", {"fastapi": "", "uvicorn": "", "python-multipart": "", "prometheus-client": ""}),
    "napari": Extra("the plug-in of napari", {"napari": "", "magicgui": "", "qtpy": ""}),
    "demo": Extra("the photograph of the demo", {"scikit-image": ""}),
}

_NAME, _LEAST = re.compile(r"[A-Za-z0-9._-]+"), re.compile(r">=\s*([0-9.]+)")


def libraries() -> Finding:
    """Versions of what noiseless stands on, or None; those that are too old are troubles."""
    troubles = []
    for package, least in _requirements("").items():
        found = version_of(package)
        if found is None:
            what, remedy = f"{package} is not installed, and noiseless needs it", "pip install --upgrade noiseless"
            troubles.append(Trouble(what, remedy))
        elif is_older(found, least):
            what = f"{package} {found} is installed, and noiseless needs {least} or later"
            troubles.append(Trouble(what, f"pip install --upgrade '{package}>={least}'"))
    return {name: version_of(name) for name in LIBRARIES}, troubles


def extras() -> Finding:
    """What is there of each extra; only what is there and does not work is a trouble."""
    facts, troubles = {}, []
    for name, extra in EXTRAS.items():
        least, found = _requirements(name), {package: version_of(package) for package in extra.packages}
        install = f"pip install 'noiseless[{name}]'"
        facts[name] = {
            "brings": extra.brings,
            "packages": found,
            "complete": None not in found.values(),
            "install": install,
        }
        for package, version in found.items():
            if version is None:
                continue
            if is_older(version, least.get(package, "")):
                what = f"{package} {version} is installed, and noiseless needs {least[package]} or later"
                troubles.append(Trouble(what, f"pip install --upgrade 'noiseless[{name}]'"))
            elif failure := _failure_of(extra.packages[package]):
                what = f"{package} {version} is installed and does not load, {failure}"
                troubles.append(Trouble(what, f"pip install --force-reinstall {package}"))
    return facts, troubles


def weights() -> Finding:
    """The models of the package, each held against its hash."""
    facts, troubles = {}, []
    for name in (*noiseless.score.shipped(), "experts"):
        try:
            if name == "experts":
                noiseless.score.load_density()
            else:
                noiseless.score.load_shipped(name)
            facts[name] = "verified"
        except (noiseless.NoiselessError, OSError) as error:
            facts[name] = "damaged"
            what = f"the model {name} cannot be used: {error}"
            troubles.append(Trouble(what, "pip install --force-reinstall --no-deps noiseless"))
    if not {"base-gray", "base-colour"} <= set(facts):
        what = f"models are missing, there are only {', '.join(facts)}"
        troubles.append(Trouble(what, "pip install --force-reinstall --no-deps noiseless"))
    return facts, troubles


def version_of(package: str) -> str | None:
    """That is installed; None where it is not."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_older(version: str, least: str) -> bool:
    """By their numbers, of which those that are not there count as 0; nothing is older than no version."""
    pair = [[int(number) for number in re.findall(r"\d+", text.partition("+")[0])] for text in (version, least)]
    length = len(pair[1])
    return bool(length) and (pair[0] + [0] * length)[:length] < pair[1]


def _requirements(extra: str) -> dict[str, str]:
    """Packages that an extra, or "" for the plain install, asks for, and their least versions; of those with any."""
    try:
        lines = importlib.metadata.requires("noiseless") or []
    except importlib.metadata.PackageNotFoundError:  # run from a folder
        return {}
    found = {}
    for line in lines:
        asked, _, marker = line.partition(";")
        name, least = _NAME.match(asked), _LEAST.search(asked)
        wanted = re.search(r"""extra == ['"](\w+)['"]""", marker)
        if name and least and (wanted.group(1) if wanted else "") == extra:
            found[name.group()] = least.group(1)
    return found


def _failure_of(module: str) -> str:
    """Why a module does not load; "" where it does, or there is none to try."""
    try:
        if module:
            importlib.import_module(module)
    except Exception as error:  # a library of the system that is missing, another version of a third package, ...
        return " ".join(f"{type(error).__name__}: {error}".split())
    return ""
