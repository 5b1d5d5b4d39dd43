"""The values of a few parameters at which a noisy measurement is least, within a time."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

_SCALAR, _MINIMISE = Lazy("scipy.optimize:minimize_scalar"), Lazy("scipy.optimize:minimize")

Values = Mapping[str, Any]

DIGITS = 4
"""Of the values that are tried: what a recipe says is what was measured."""

PRECISION = 0.02
"""Of a range, where a search ends: near its least a risk is flat."""

FIRST_STEP = 0.15
"""Of each range, from the start to the other corners of the first simplex."""


@dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``: searched by ratios where both are above 0, by differences otherwise.

    Raises
    ------
    InvalidParameter : an end is not finite, or they are in the wrong order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InvalidParameter(f"{self.low:g} to {self.high:g} is no range; give a lower and a higher number")

    def at(self, share: float) -> float:
        """The value at a share of the way, from 0 to 1."""
        if self.low > 0.0:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + share * (self.high - self.low)
        return float(f"{min(max(value, self.low), self.high):.{DIGITS}g}")

    def share(self, value: float) -> float:
        """The inverse of :meth:`at`; values outside go to the nearer end."""
        inside = min(max(value, self.low), self.high)
        if self.low > 0.0:
            return math.log(inside / self.low) / math.log(self.high / self.low)
        return (inside - self.low) / (self.high - self.low)


Domain: TypeAlias = Range | tuple[Any, ...]
"""Where a parameter lies: a range, or the values to choose from."""


def search(
    measure: Callable[[Values], float],
    parameters: Mapping[str, Domain],
    start: Values,
    deadline: float,
) -> bool:
    """Try values until the least is found: Brent's golden section for one range, Nelder and Mead's simplex for more.

    Every combination of choices is gone through, each with a search over the ranges; all get the same time.

    Parameters
    ----------
    measure : what is to be small; keeps what it was asked for and what it found
    parameters : by name
    start : values of ranges to begin from; the middle of a range where there is none
    deadline : of ``time.perf_counter``; nothing is tried after it

    Returns
    -------
    bool : whether the search came to its end before the deadline.
    """
    ranges = {name: domain for name, domain in parameters.items() if isinstance(domain, Range)}
    chosen = list(_choices(parameters))
    began, finished = time.perf_counter(), True
    for index, choice in enumerate(chosen):
        until = began + (deadline - began) * (index + 1) / len(chosen)
        try:
            _search_ranges(_until(until, measure), ranges, choice, start)
        except _OutOfTime:
            finished = False
    return finished


def _choices(parameters: Mapping[str, Domain]) -> Iterator[dict[str, Any]]:
    listed = {name: domain for name, domain in parameters.items() if not isinstance(domain, Range)}
    for values in product(*listed.values()):
        yield dict(zip(listed, values, strict=True))


def _search_ranges(
    measure: Callable[[Values], float], ranges: Mapping[str, Range], choice: Values, start: Values
) -> None:
    def at(shares: Any) -> float:
        values = {name: domain.at(float(share)) for (name, domain), share in zip(ranges.items(), shares, strict=True)}
        return measure({**choice, **values})

    if not ranges:
        measure(choice)
    elif len(ranges) == 1:
        load(_SCALAR)(lambda share: at([share]), bounds=(0.0, 1.0), method="bounded", options={"xatol": PRECISION})
    else:
        first = [domain.share(start[name]) if name in start else 0.5 for name, domain in ranges.items()]
        corners = np.array([first] * (len(ranges) + 1))
        for index in range(len(ranges)):
            corners[index + 1, index] += FIRST_STEP if first[index] <= 0.5 else -FIRST_STEP
        # The precision of the values ends it: risks have no scale of their own.
        options = {"initial_simplex": corners, "xatol": PRECISION, "fatol": math.inf}
        load(_MINIMISE)(at, first, method="Nelder-Mead", bounds=[(0.0, 1.0)] * len(ranges), options=options)


class _OutOfTime(Exception):
    """Ends a search from within what it measures."""


def _until(deadline: float, measure: Callable[[Values], float]) -> Callable[[Values], float]:
    def measured(values: Values) -> float:
        if time.perf_counter() > deadline:
            raise _OutOfTime
        return measure(values)

    return measured
