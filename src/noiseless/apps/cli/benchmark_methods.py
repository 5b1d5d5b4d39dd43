"""The methods of ``noiseless bench``, ours and those of other packages, as functions of one kind."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import noiseless

Pixels: TypeAlias = NDArray[Any]
"""(Y, X) or (Y, X, 3), of 0 to 255."""

Contender: TypeAlias = Callable[[Pixels, float], Pixels]

PEERS = "peers"
"""Stands for every denoiser of another package that is installed."""


def named_methods(text: str) -> tuple[str, ...]:
    """The methods of a list with commas, of which those within ``name:parameter=value,...`` divide nothing.

    Raises
    ------
    noiseless.UnknownName, noiseless.InvalidParameter : there is no such method, or it has no such parameter.
    noiseless.MissingExtra : it is of a package that is not installed, or none is and "peers" are asked for.
    """
    words: list[str] = []
    for part in text.split(","):
        if words and "=" in part and ":" not in part:
            words[-1] += f",{part}"
        else:
            words.append(part.strip())
    methods = dict.fromkeys(name for word in words for name in (_installed() if word == PEERS else (word,)))
    for name in methods:
        if name in noiseless.classical.INSTALLED:
            noiseless.classical.INSTALLED[name].check()
        else:
            noiseless.Recipe(method=name).build_denoiser()
    return tuple(methods)


def _installed() -> tuple[str, ...]:
    found, missing = [], ""
    for name, denoiser in noiseless.classical.INSTALLED.items():
        try:
            denoiser.check()
        except noiseless.MissingExtra as error:
            missing = missing or str(error)
        else:
            found.append(name)
    if not found:
        raise noiseless.MissingExtra(f"none of the peers is installed; {missing}")
    return tuple(found)


def contender(method: str, model: str) -> Contender:
    """A method as a function of a noisy image and sigma, both of 0 to 255."""
    installed = noiseless.classical.INSTALLED.get(method)
    if installed is None:
        return partial(_by_noiseless, method=method, model=model)

    def denoised(noisy: Pixels, sigma: float) -> Pixels:
        planes = noisy[None] if noisy.ndim == 2 else np.moveaxis(noisy, -1, 0)
        return channel_last(255.0 * installed((planes / 255.0).astype(np.float32), sigma / 255.0))

    return denoised


def _by_noiseless(noisy: Pixels, sigma: float, *, method: str, model: str) -> Pixels:
    axis = -1 if noisy.ndim == 3 else None
    denoised: Pixels = noiseless.denoise(noisy, sigma=sigma, channel_axis=axis, method=method, model=model)
    return denoised


def channel_last(planes: Pixels) -> Pixels:
    """(Y, X) of one plane, (Y, X, C) of several."""
    return planes[0] if planes.shape[0] == 1 else np.moveaxis(planes, 0, -1)
