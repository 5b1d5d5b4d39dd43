"""The machinery of variance stabilisation: maps as tables, their exact unbiased inverses, and maps made by numbers.

A map f makes noise white when the standard deviation of f(noisy) is 1 whatever the clean value x. After denoising, what
is at hand is an estimate of E[f(noisy) | x], and f^-1 of that is not x, as f is curved: the *exact unbiased inverse* is
the inverse of x -> E[f(noisy) | x]. That function is computed as an exact sum or integral at some hundreds of
clean values, joined by a cubic spline, and turned round.

Where no f is known in closed form, the integral of 1 / std over the mean is one to first order, and :func:`whitened`
improves it until the standard deviation is level, without making the noise lopsided.

References
----------
Makitalo & Foi 2011, IEEE TIP 20, 99, doi:10.1109/TIP.2010.2056693: exact unbiased inverses.
Foi 2009, "Optimization of variance-stabilizing transformations", preprint: maps by optimisation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noiseless.names import Lazy, load

_SPLINE = Lazy("scipy.interpolate:CubicSpline")

Values = NDArray[np.float64]

STEP = 0.005
# Of the tables, in standard deviations of the noise. Linear interpolation errs by STEP^2 / 8 times the curvature, 3e-6
# for a curvature of 1; a table of 40 standard deviations has 8000 entries, which stay in the cache.

MOST_STEPS, LARGEST_STEP, SETTLED = 40, 0.5, 1e-7
# Of Gauss-Newton: steps in the log of the slope are cut to 0.5. It settles in 6 to 12 steps.


@dataclass(frozen=True, eq=False)
class UniformTable:
    """A function by its values at equal steps: linear between them, constant beyond both ends.

    Parameters
    ----------
    start : the argument of the first value
    step : > 0, the distance of the arguments
    values : two or more
    """

    start: float
    step: float
    values: Values

    @property
    def end(self) -> float:
        """The argument of the last value."""
        return self.start + self.step * (len(self.values) - 1)

    def __call__(self, at: Values) -> Values:
        """The function at any arguments; NaN stays NaN."""
        last = len(self.values) - 1
        place = np.clip((at - self.start) / self.step, 0, last)
        # fmax takes the number where the other is NaN, which is no index; the fraction then keeps it.
        left = np.fmax(np.fmin(place, last - 1), 0).astype(np.intp)
        lower = self.values[left]
        return np.asarray(lower + (place - left) * (self.values[left + 1] - lower))


def tabulated(function: Callable[[Values], Values], start: float, end: float, step: float = STEP) -> UniformTable:
    """A table of ``function`` from ``start`` to ``end`` exactly; the step is at most ``step``."""
    at = np.linspace(start, end, max(2, int(np.ceil((end - start) / step)) + 1))
    return UniformTable(start, float(at[1] - at[0]), np.asarray(function(at), dtype=np.float64))


def turned_round(clean: Values, expected: Values) -> UniformTable:
    """The inverse of clean -> E[f(noisy) | clean], from its values at increasing points.

    Parameters
    ----------
    clean : increasing; so dense that a cubic spline joins them. If E f is flat at the lower end, as at amplitude 0,
        give a power of the clean value in which it is not.
    expected : E f at each of them, increasing

    Returns
    -------
    A table of ``clean`` over ``expected``; below the least expected value it gives the least clean one.
    """
    assert np.all(np.diff(expected) > 0)  # E f increases wherever f does, for all the families here
    return tabulated(load(_SPLINE)(expected, clean), float(expected[0]), float(expected[-1]))


def whitened(values: Values, probability: Values, slope: Values, knots: Values, roughness: float) -> Values:
    """The increasing map f for which the standard deviation of f(noisy) is as near to 1 as smoothness allows.

    f' = slope * exp(g), where g is a cubic spline over the knots, 0 from the last one on, and constant before the
    first. Gauss-Newton makes sum log^2 std[f(noisy) | x] + roughness^2 sum (second differences of g)^2 least over g.

    Parameters
    ----------
    values : (M,) noisy values, at equal steps
    probability : (X, M), of each noisy value, for each of X clean ones; rows that sum to 1
    slope : (M,) > 0, the slope of f to begin with
    knots : (K,) equally spaced values, where the noise is far from white with that slope
    roughness : > 0; larger keeps f closer to a simple shape, so that the noise is closer to a Gaussian, but its
        standard deviation further from 1

    Returns
    -------
    f at ``values``; it is 0 at the first of them.
    """
    step = float(values[1] - values[0])
    unit = np.eye(len(knots))[:, :-1]  # the last knot stays 0
    inside = np.clip(values, knots[0], knots[-1])
    basis = load(_SPLINE)(knots, unit, bc_type="clamped")(inside)
    bending = roughness * np.diff(unit, 2, axis=0)
    log_slope = np.zeros(unit.shape[1])
    stabilised = _integrated(slope, step)
    for _ in range(MOST_STEPS):
        mean = probability @ stabilised
        variance = probability @ stabilised**2 - mean**2
        change = _integrated((slope * np.exp(basis @ log_slope))[:, np.newaxis] * basis, step)
        covariance = probability @ (stabilised[:, np.newaxis] * change) - mean[:, np.newaxis] * (probability @ change)
        jacobian = np.concatenate([covariance / variance[:, np.newaxis], bending])
        residual = np.concatenate([0.5 * np.log(variance), bending @ log_slope])
        move = np.linalg.lstsq(jacobian, -residual, rcond=None)[0]
        furthest = float(np.abs(move).max())
        log_slope += move * min(1.0, LARGEST_STEP / max(furthest, SETTLED))
        stabilised = _integrated(slope * np.exp(basis @ log_slope), step)
        if furthest < SETTLED:
            break
    return stabilised


def _integrated(slope: Values, step: float) -> Values:
    """The integral from the first value on, by the trapezoid rule, along the first axis."""
    total = np.zeros_like(slope)
    np.cumsum((slope[1:] + slope[:-1]) * (step / 2), axis=0, out=total[1:])
    return total
