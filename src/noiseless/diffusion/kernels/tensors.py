"""From structure tensors to diffusion tensors, on rows; equals the functions of :mod:`noiseless.diffusion.tensor`."""

from typing import Any

import numpy as np

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import inner

KINDS = {"edge-enhancing": 0, "coherence-enhancing": 1, "mean-curvature": 2}


@inner
def edges_image(a: Array, b: Array, c: Array, parameter: Array) -> None:
    """(I + J)^-1 / (1 + parameter * trace J)."""
    one, none = a.dtype.type(1), a.dtype.type(0)
    for j in range(a.size):
        p, q, r = a[j], b[j], c[j]
        # The determinant of J, which is not negative, apart: rounding must not make it so.
        determinant = one + p + r + max(p * r - q * q, none)
        scale = one / (determinant * (one + parameter * (p + r)))
        a[j], b[j], c[j] = (one + r) * scale, -q * scale, (one + p) * scale


@inner
def coherence_image(a: Array, b: Array, c: Array, across: Array) -> None:
    """See :func:`noiseless.diffusion.tensor.coherence_enhancing`."""
    number = a.dtype.type
    one, half = number(1), number(0.5)
    for j in range(a.size):
        p, q, r = a[j], b[j], c[j]
        radius = np.sqrt(half * half * (p - r) * (p - r) + q * q)
        least = half * (p + r) - radius
        squared = number(4) * radius * radius
        coherence = squared / (one + squared)
        isotropic = coherence * across + (one - coherence) / (one + p + r)
        along = coherence * (one - across)
        p, r = p + (one - least), r + (one - least)
        scale = along / (one + radius + radius)
        a[j], b[j], c[j] = r * scale + isotropic, -q * scale, p * scale + isotropic


@inner
def tensor_volume(
    zz: Array, zy: Array, zx: Array, yy: Array, yx: Array, xx: Array, kind: int, parameter: Array, rounding: float
) -> None:
    """One row of diffusion tensors of a volume, in place; in float64, whose digits the determinant needs."""
    for j in range(zz.size):
        a, b, c, d, e, f = float(zz[j]), float(zy[j]), float(zx[j]), float(yy[j]), float(yx[j]), float(xx[j])
        trace = a + d + f
        # More on the diagonal than rounding took, so that no eigenvalue is negative.
        a, d, f = a + rounding * trace, d + rounding * trace, f + rounding * trace
        trace = a + d + f
        shift, along, isotropic = 1.0, 1.0, 0.0
        if kind == 1:
            least, largest = _extremes(a, b, c, d, e, f)
            squared = (largest - least) * (largest - least)
            coherence = squared / (1.0 + squared)
            shift, along = 1.0 - least, coherence * (1.0 - parameter)
            isotropic = coherence * parameter + (1.0 - coherence) / (1.0 + trace)
        elif kind == 2:
            along = 1.0 / (1.0 + parameter * trace)
        a, d, f = a + shift, d + shift, f + shift
        aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
        scale = along / (a * aa + b * bb + c * cc)
        zz[j], zy[j], zx[j] = aa * scale + isotropic, bb * scale, cc * scale
        yy[j], yx[j], xx[j] = (
            (a * f - c * c) * scale + isotropic,
            (b * c - a * e) * scale,
            (a * d - b * b) * scale + isotropic,
        )


@inner
def _extremes(a: Array, b: Array, c: Array, d: Array, e: Array, f: Array) -> Any:
    """The least and the largest eigenvalue, by the trigonometric formula."""
    mean = (a + d + f) / 3.0
    a, d, f = a - mean, d - mean, f - mean
    spread = np.sqrt((a * a + d * d + f * f + 2.0 * (b * b + c * c + e * e)) / 6.0)
    if not spread > 0.0:
        return mean, mean
    a, b, c, d, e, f = a / spread, b / spread, c / spread, d / spread, e / spread, f / spread
    half = 0.5 * (a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d))
    angle = np.arccos(max(-1.0, min(1.0, half))) / 3.0
    third = 2 * np.pi / 3
    return mean + 2.0 * spread * np.cos(angle + third), mean + 2.0 * spread * np.cos(angle)
