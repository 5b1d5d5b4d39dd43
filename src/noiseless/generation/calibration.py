"""From a raw measure of the error to intervals that hold: a monotone map, fitted where the clean image is known."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

_ISOTONIC = Lazy("scipy.optimize:isotonic_regression")

PROBES = 8
"""The shipped maps are for errors that are propagated by so many probes: what chance is left in them is part of it."""

LIKELY, NEARLY_ALWAYS = 0.68, 0.95
BINS = 48
"""Of about as many pixels each; between their middles the map is straight."""


@dataclass(frozen=True, eq=False)
class ErrorBars:
    """How far the clean image may be from the denoised one.

    Parameters
    ----------
    half68, half95 : of the shape of the image, in its units: the clean value of a pixel lies within ``half68`` of the
        denoised one in 68 of 100 pixels, within ``half95`` in 95.
    calibrated : True where this was checked on photographs, for the denoiser and the kind of noise at hand. False: the
        figures are those of a normal law with the propagated noise as its standard deviation, which leaves out what the
        denoiser itself gets wrong.
    """

    half68: Array
    half95: Array
    calibrated: bool


@dataclass(frozen=True, eq=False)
class Calibration:
    """Monotone maps from raw / sigma to the half widths of intervals / sigma, at some noise levels.

    Parameters
    ----------
    sigmas : (S,) increasing, in nominal units: the noise levels of the fit. Between them the maps are mixed in log
        sigma; beyond them the nearest holds.
    ratios : (S, N) increasing in each row: raw error over sigma
    half68, half95 : (S, N) increasing: half widths over sigma there. Beyond the ends the map is constant.

    Raises
    ------
    InvalidParameter : a row falls, or the shapes do not fit.
    """

    sigmas: NDArray[np.float64]
    ratios: NDArray[np.float64]
    half68: NDArray[np.float64]
    half95: NDArray[np.float64]

    def __post_init__(self) -> None:
        rows = (self.ratios, self.half68, self.half95)
        if any(row.shape != (self.sigmas.size, row.shape[-1]) for row in rows):
            raise InvalidParameter(f"{self.sigmas.size} sigmas need as many rows in each map, not {self.ratios.shape}")
        if any((np.diff(row, axis=-1) < 0).any() for row in rows):
            raise InvalidParameter("a calibration must not fall: a larger raw error is never a smaller one")

    def __call__(self, raw: Array, sigma: Sigma, /) -> ErrorBars:
        """Intervals from the raw error.

        Parameters
        ----------
        raw : (C, *space), in nominal units
        sigma : of the noise, in the same units; a number, or broadcastable. 0 gives intervals of no width.
        """
        xp = array_api_compat.array_namespace(raw)
        level = np.broadcast_to(np.asarray(sigma, dtype=np.float64), tuple(raw.shape))
        ratio = np.asarray(raw, dtype=np.float64) / np.maximum(level, 1e-30)
        place = np.interp(np.log(np.maximum(level, 1e-30)), np.log(self.sigmas), np.arange(self.sigmas.size))
        halves = []
        for widths in (self.half68, self.half95):
            each = [np.interp(ratio, *row) for row in zip(self.ratios, widths, strict=True)]
            weight = [np.clip(1.0 - np.abs(place - index), 0.0, 1.0) for index in range(len(each))]
            half = level * sum(w * value for w, value in zip(weight, each, strict=True))
            halves.append(xp.asarray(half.astype(np.asarray(raw).dtype), device=array_api_compat.device(raw)))
        return ErrorBars(halves[0], halves[1], calibrated=True)

    def as_json(self) -> dict[str, Any]:
        """Plain lists, rounded to four figures."""
        return {
            name: np.vectorize(lambda value: float(f"{value:.4g}"))(getattr(self, name)).tolist()
            for name in ("sigmas", "ratios", "half68", "half95")
        }


def normal_error_bars(raw: Array) -> ErrorBars:
    """Intervals of a normal law, where there is no calibration."""
    return ErrorBars(0.9945 * raw, 1.96 * raw, calibrated=False)


def fit_calibration(
    sigmas: Sequence[float], raws: Sequence[NDArray[Any]], errors: Sequence[NDArray[Any]]
) -> Calibration:
    """The monotone maps that make intervals hold on images whose clean version is known.

    Pixels are sorted by their raw error into bins of equal size. In each bin the half width is the quantile of the
    absolute error; where a quantile falls from bin to bin, which only chance can do, neighbours are pooled.

    Parameters
    ----------
    sigmas : increasing noise levels, nominal units
    raws, errors : for each level, raw errors and signed true errors of the same pixels, any shape

    Raises
    ------
    InvalidParameter : fewer pixels than 20 a bin.
    """
    ratios: list[Any] = []
    half68: list[Any] = []
    half95: list[Any] = []
    for sigma, raw, error in zip(sigmas, raws, errors, strict=True):
        if raw.size < 20 * BINS:
            raise InvalidParameter(f"there are {raw.size} pixels; a calibration needs at least {20 * BINS}")
        order = np.argsort(raw, axis=None, kind="stable")
        bins = [(raw.ravel()[part], np.abs(error.ravel()[part])) for part in np.array_split(order, BINS)]
        ratios.append([np.median(values) / sigma for values, _ in bins])
        for widths, share in ((half68, LIKELY), (half95, NEARLY_ALWAYS)):
            widths.append(load(_ISOTONIC)([np.quantile(errors, share) / sigma for _, errors in bins]).x)
    return Calibration(*(np.asarray(part, dtype=np.float64) for part in (sigmas, ratios, half68, half95)))


def shipped_calibrations() -> Mapping[str, Calibration]:
    """The maps inside the package, by the full name of the model, such as "base-gray"."""
    content = json.loads((resources.files("noiseless.generation") / "calibrations.json").read_text(encoding="utf-8"))
    return {
        name: Calibration(**{key: np.asarray(value, dtype=np.float64) for key, value in entry.items()})
        for name, entry in content.items()
    }
