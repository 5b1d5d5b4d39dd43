"""Checks of numbers and words that callers give, each with one clear line for what cannot be."""

import math
from typing import Any

import numpy as np

from noiseless.errors import InvalidParameter

LONGEST = 60
"""Letters that a message shows of a value that cannot be."""


def shown(value: Any) -> str:
    """A value as a message shows it: one line, not longer than a line can be."""
    text = f"{value:g}" if isinstance(value, float | np.floating) else " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def is_number(value: Any) -> bool:
    """Whether it is a real number of Python or NumPy, which a bool is not."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def number(name: str, value: Any, remedy: str) -> float:
    """``value`` as a float.

    Raises
    ------
    InvalidParameter : it is no number (a bool is none), or not finite, or beyond what a float can hold.
    """
    if not is_number(value):
        raise InvalidParameter(f"{name} is {shown(value)}; it must be a number: {remedy}")
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise InvalidParameter(f"{name} is {shown(value)}; it must be finite: {remedy}")
    return converted


def positive(name: str, value: Any, remedy: str) -> float:
    """``value`` as a float > 0.

    Raises
    ------
    InvalidParameter : it is no number, not finite, or not above 0.
    """
    checked = number(name, value, remedy)
    if checked <= 0:
        raise InvalidParameter(f"{name} is {checked:g}; it must be finite and > 0: {remedy}")
    return checked


def not_negative(name: str, value: Any, remedy: str) -> float:
    """``value`` as a float >= 0.

    Raises
    ------
    InvalidParameter : it is no number, not finite, or below 0.
    """
    checked = number(name, value, remedy)
    if checked < 0:
        raise InvalidParameter(f"{name} is {checked:g}; it must be finite and >= 0: {remedy}")
    return checked


def whole(name: str, value: Any, least: int, remedy: str, *, most: float = math.inf) -> int:
    """``value`` as an int from ``least`` to ``most``.

    Raises
    ------
    InvalidParameter : it is no whole number (a bool is none, a float neither), too small or too large.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not least <= value <= most:
        bounds = f"from {least} up" if most == math.inf else f"from {least} to {most:g}"
        raise InvalidParameter(f"{name} is {shown(value)}; it must be a whole number {bounds}: {remedy}")
    return int(value)


def word(name: str, value: Any, remedy: str) -> str:
    """``value``, which must be a text.

    Raises
    ------
    InvalidParameter : it is none.
    """
    if not isinstance(value, str):
        raise InvalidParameter(f"{name} is {shown(value)}; it must be a text: {remedy}")
    return value
