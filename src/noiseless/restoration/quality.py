"""How close an image is to its clean original: PSNR and SSIM, under one fixed protocol."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import positive
from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.image import LARGEST_VALUE, as_values, check_dtype, check_finite, check_magnitude, with_channel_first
from noiseless.names import Lazy, load

CORRELATE = Lazy("scipy.ndimage:correlate1d")


def psnr(image: Any, clean: Any, *, data_range: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(data_range**2 / mean |image - clean|**2), over all values.

    Parameters
    ----------
    image, clean : arrays of one shape; nothing is clipped or rounded here
    data_range : the peak, in the units of the arrays: 255 for 8-bit values, 1 for the nominal range

    Returns
    -------
    float, greater is closer; infinite for equal images.

    Raises
    ------
    InvalidImage : the shapes differ, or a value is not finite.
    InvalidParameter : ``data_range`` is not above 0.
    """
    a, b = _pair(image, clean, data_range)
    difference = a - b
    largest = float(np.max(np.abs(difference)))
    if largest == 0.0:
        return math.inf
    # Squares of the smallest and the greatest values would leave float64.
    error = float(np.mean(np.square(difference / largest)))
    return 20.0 * (math.log10(data_range) - math.log10(largest)) - 10.0 * math.log10(error)


def ssim(image: Any, clean: Any, *, data_range: float = 255.0, channel_axis: int | None = None) -> float:
    """Structural similarity: Gaussian window of standard deviation 1.5, mean over pixels and channels.

    Windows are cut at 3.5 standard deviations, a border of 5 pixels is left out, and moments are those of the
    population, as in the paper; the figures equal those of scikit-image with ``gaussian_weights=True``,
    ``sigma=1.5`` and ``use_sample_covariance=False``.

    Parameters
    ----------
    image, clean : arrays of one shape, at least 11 pixels along each spatial axis
    data_range : as in :func:`psnr`
    channel_axis : which axis holds the channels; None for a gray image

    Returns
    -------
    float up to 1, greater is closer.

    Raises
    ------
    InvalidImage : the shapes differ, a value is not finite, or the image is smaller than a window.
    InvalidParameter : ``data_range`` is not above 0, or ``channel_axis`` is not an axis.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13, 600 (2004), doi:10.1109/TIP.2003.819861.
    """
    correlate1d = load(CORRELATE)
    a, b = _pair(image, clean, data_range)
    a, b = with_channel_first(a, channel_axis), with_channel_first(b, channel_axis)
    radius = 5
    if min(a.shape[1:], default=0) < 2 * radius + 1:
        raise InvalidImage(f"SSIM needs at least 11 pixels along each axis; the image has the shape {np.shape(image)}")
    window = np.exp(-0.5 * np.square(np.arange(-radius, radius + 1) / 1.5))
    window /= window.sum()

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        for axis in range(1, values.ndim):
            values = correlate1d(values, window, axis=axis, mode="reflect")
        return values

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity /= (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    inner = (slice(None), *[slice(radius, -radius)] * (a.ndim - 1))
    return float(similarity[inner].mean())


def _pair(image: Any, clean: Any, data_range: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = as_values(image), as_values(clean)
    check_dtype(a)
    check_dtype(b)
    if a.shape != b.shape or a.size == 0:
        raise InvalidImage(f"the images have the shapes {a.shape} and {b.shape}; a comparison needs equal ones")
    if positive("data_range", data_range, "it is the peak value, 255 for 8-bit images") > LARGEST_VALUE:
        raise InvalidParameter(f"data_range is {data_range:g}; it must be at most {LARGEST_VALUE:g}: use another unit")
    for values in (a, b):
        if values.dtype.kind == "f":
            check_finite(values)
            check_magnitude(values)
    return a.astype(np.float64), b.astype(np.float64)
