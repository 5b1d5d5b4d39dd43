"""The curve of sRGB between light and stored values, and what it makes of noise that lies in the light.

References
----------
IEC 61966-2-1: the transfer function of sRGB.
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

KNEE, SLOPE, EXPONENT, LIFT = 0.0031308, 12.92, 2.4, 0.055
# 12.92 v below the knee, 1.055 v^(1/2.4) - 0.055 above.

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
_WEIGHTS = _WEIGHTS / np.sqrt(2 * np.pi)
# E[f(n)], n ~ N(0, 1), is the sum of weights * f(nodes).


def light_of(value: Values) -> Values:
    """From sRGB values (white is 1) to light, odd about 0."""
    size = np.abs(value)
    above = ((np.maximum(size, KNEE * SLOPE) + LIFT) / (1 + LIFT)) ** EXPONENT
    return np.copysign(np.where(size <= KNEE * SLOPE, size / SLOPE, above), value)


def value_of(light: Values) -> Values:
    """From light to sRGB values, odd about 0: the inverse of :func:`light_of`."""
    size = np.abs(light)
    above = (1 + LIFT) * np.maximum(size, KNEE) ** (1 / EXPONENT) - LIFT
    return np.copysign(np.where(size <= KNEE, SLOPE * size, above), light)


def steepness(light: Values) -> Values:
    """The derivative of :func:`value_of`: how much stronger a little noise is in the values than in the light."""
    size = np.abs(light)
    above = (1 + LIFT) / EXPONENT * np.maximum(size, KNEE) ** (1 / EXPONENT - 1)
    return np.where(size <= KNEE, SLOPE, above)


def moments(light: Values, deviation: Values) -> tuple[Values, Values]:
    """Mean and variance of value_of(light + deviation n) - value_of(light), n ~ N(0, 1), by Gauss-Hermite quadrature.

    Parameters
    ----------
    light : of any shape, white is 1
    deviation : >= 0, of that shape
    """
    value = value_of(light)
    first, second = np.zeros(light.shape), np.zeros(light.shape)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        change = value_of(light + deviation * node) - value
        first += weight * change
        second += weight * change**2
    return first, np.maximum(second - first**2, 0.0)
