"""The noise of a camera's photographs: made in the raw image, seen through the processing.

A photograph is taken back to what the sensor counted, noise is added there, and the result is developed again. So the
noise of dark places is stronger than a Gaussian on the photograph has it, its colours are tied together, and it has
the grain of demosaicking.

References
----------
Brooks et al. 2019, CVPR, arXiv:1811.11127: unprocessing photographs.
Malvar, He & Cutler 2004, ICASSP, doi:10.1109/ICASSP.2004.1326587: linear demosaicking by 5x5 filters.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, positive
from noiseless.errors import InvalidImage, InvalidParameter

from .srgb import light_of, moments, value_of

COLOUR_MATRIX = np.array([[1.70, -0.55, -0.15], [-0.25, 1.55, -0.30], [0.00, -0.55, 1.55]])
# From the colours of a sensor to those of sRGB: a typical one of the kind that cameras state, where rows sum to 1 so
# that white stays white. It makes the noise stronger by a factor of 1.6 to 1.8.

FAINTEST = 1e-12
# A million million photons are more than any sensor holds, and near the end of what float64 counts exactly.


@dataclass(frozen=True)
class Camera:
    """Photon and read noise of a raw image, seen in the photograph developed from it.

    A photograph (3, *space) is unprocessed: inverse sRGB curve, inverse colour matrix, inverse white balance, mosaic of
    the Bayer pattern RGGB that begins at the first pixel. Its noise is raw = gain * Poisson(raw / gain) + sigma * n, in
    shares of the full scale of the sensor. Development: white balance, demosaicking (Malvar, He & Cutler), colour
    matrix, sRGB curve. With any other number of channels each is a monochrome sensor: the curve alone, no mosaic.

    ``sample`` adds to the clean image what the noise has changed, developed(noisy raw) - developed(clean raw): a clean
    photograph has been demosaicked before, and the artefacts of doing it again are no noise. Nothing is clipped: the
    curve is taken as odd, and goes on above white; light below 0 has no photons, and so read noise only.

    Parameters
    ----------
    gain : >= 0. Share of full scale that one photon makes; larger means fewer photons, and stronger noise.
    sigma : >= 0. Standard deviation of the read noise, in shares of full scale.
    white : > 0, in the units of the image. The value of full scale: 255 for 8 bits.
    red, blue : > 0. Gains of white balance against green; larger makes the noise of that colour stronger.

    Raises
    ------
    InvalidParameter : a parameter is out of its range, or not a number.
    """

    gain: float
    sigma: float
    white: float = 255.0
    red: float = 2.0
    blue: float = 1.6

    def __post_init__(self) -> None:
        for name in ("gain", "sigma", "white", "red", "blue"):
            value = getattr(self, name)
            if name in ("gain", "sigma"):
                value = not_negative(name, value, "give a share of full scale")
            else:
                value = positive(name, value, "give the value of white" if name == "white" else "1 changes no colour")
            object.__setattr__(self, name, value)
        if 0 < self.gain < FAINTEST:
            raise InvalidParameter(
                f"gain is {self.gain:g}; below {FAINTEST:g} of full scale photons are not counted: use 0"
            )

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype; or has three channels and a plane of less than 3x3 pixels.
        """
        if clean.dtype.kind != "f":
            raise InvalidImage(f"noise needs a floating-point image, not {clean.dtype}; convert it with astype first")
        linear = light_of(clean.astype(np.float64) / self.white)
        raw = self._raw(linear)
        light = np.maximum(raw, 0.0)
        noise = self.sigma * rng.standard_normal(raw.shape)
        if self.gain > 0:
            noise += self.gain * rng.poisson(light / self.gain) - light
        # Development is linear up to the curve, so the noise is developed alone, and the clean raw image with it.
        if len(clean) == 3:
            raw, noise = self._developed(raw), self._developed(noise)
        change = value_of(raw + noise) - value_of(raw)
        return (clean + self.white * change).astype(clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``, and what the bent curve makes of symmetric noise: it darkens all but the darkest places.

        By Gauss-Hermite quadrature, for noise that is Gaussian before the curve.

        Raises
        ------
        InvalidImage : as :meth:`sample`.
        """
        first, _ = self._moments(clean)
        return np.asarray(clean + self.white * first).astype(clean.dtype)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The variance of each pixel, in squared image units; at least float32.

        That before the curve is exact away from the border: raw variances through the squared weights of demosaicking
        and colours, in their place in the Bayer pattern, so that it changes from pixel to pixel. The curve is taken
        into account by quadrature, for Gaussian noise; in bright places that is slope^2 times the variance before it.
        The skewness of few photons is missed: at 5 photons a pixel of gray, what is said here is 20 % too much, at 20
        photons 2 % (measured).

        Raises
        ------
        InvalidImage : as :meth:`sample`.
        """
        _, second = self._moments(clean)
        return np.asarray(self.white**2 * second).astype(np.result_type(clean.dtype, np.float32))

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of log normal densities with the mean and variance of each pixel: an approximation.

        It leaves out the correlation of neighbours and colours, and the skewness that the curve gives to dark pixels.

        Raises
        ------
        InvalidImage : the two images differ in shape, or as :meth:`sample`.
        InvalidParameter : some pixel has no noise, as with gain and sigma 0.
        """
        if noisy.shape != clean.shape:
            raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
        exact = clean.astype(np.float64)
        first, second = self._moments(exact)
        if not np.all(second > 0):
            raise InvalidParameter("sigma is 0, and so is the noise of black pixels; use a sigma above 0")
        variance = self.white**2 * second
        residual = noisy.astype(np.float64) - exact - self.white * first
        return float(-0.5 * (residual**2 / variance + np.log(2 * np.pi * variance)).sum())

    def _moments(self, clean: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of the change, in shares of white."""
        light = light_of(clean.astype(np.float64) / self.white)
        return moments(light, np.sqrt(self._linear_variance(light)))

    def _linear_variance(self, linear: NDArray[np.float64]) -> NDArray[np.float64]:
        """The variance of each colour before the curve."""
        raw = self.gain * np.maximum(self._raw(linear), 0.0) + self.sigma**2
        if len(linear) != 3:
            return raw
        weighted = raw * self._balance(raw.shape) ** 2
        variance = np.empty(linear.shape)
        for y, x in _PHASES:
            # The weight of a raw pixel in a colour of sRGB is summed over the colours of the sensor, then squared.
            filters = np.tensordot(COLOUR_MATRIX, np.stack([_filter(colour, y, x) for colour in range(3)]), axes=1)
            for colour in range(3):
                variance[colour, ..., y::2, x::2] = _filtered(weighted, filters[colour] ** 2, y, x)
        return variance

    def _raw(self, linear: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the sensor sees: (*space) for colour, the image itself otherwise."""
        if len(linear) != 3:
            return linear
        if linear.ndim < 3 or min(linear.shape[-2:]) < 3:
            raise InvalidImage(f"a Bayer pattern needs a plane of 3x3 pixels, and the image has shape {linear.shape}")
        sensor = np.tensordot(np.linalg.inv(COLOUR_MATRIX), linear, axes=1)
        raw = np.empty(linear.shape[1:])
        for y, x in _PHASES:
            raw[..., y::2, x::2] = sensor[_COLOUR_AT[y, x], ..., y::2, x::2]
        return np.asarray(raw / self._balance(raw.shape))

    def _developed(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """From a Bayer mosaic (*space) to linear sRGB (3, *space): white balance, demosaicking, colour matrix."""
        balanced = raw * self._balance(raw.shape)
        sensor = np.empty((3, *raw.shape))
        for y, x in _PHASES:
            for colour in range(3):
                sensor[colour, ..., y::2, x::2] = _filtered(balanced, _filter(colour, y, x), y, x)
        return np.tensordot(COLOUR_MATRIX, sensor, axes=1)

    def _balance(self, space: tuple[int, ...]) -> NDArray[np.float64]:
        """The gain of white balance at every pixel of the mosaic; broadcasts to ``space``."""
        gains = np.array([self.red, 1.0, self.blue])[_COLOUR_AT]
        return np.tile(gains, (space[-2] // 2 + 1, space[-1] // 2 + 1))[: space[-2], : space[-1]]


_COLOUR_AT = np.array([[0, 1], [1, 2]])  # red, green, blue of RGGB by row and column
_PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))

_GREEN = np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]) / 8
_ALONG_ROW = (
    np.array([[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]) / 8
)
_OPPOSITE = np.array([[0, 0, -3, 0, 0], [0, 4, 0, 4, 0], [-3, 0, 12, 0, -3], [0, 4, 0, 4, 0], [0, 0, -3, 0, 0]]) / 16
_KNOWN = np.pad([[1.0]], 2)


def _filter(colour: int, y: int, x: int) -> NDArray[np.float64]:
    """The weights of 5x5 raw pixels in ``colour`` at a pixel whose place in the Bayer pattern is (y, x)."""
    here = _COLOUR_AT[y, x]
    if here == colour:
        return _KNOWN
    if colour == 1:
        return _GREEN
    if here != 1:
        return _OPPOSITE
    # At green, the colour's own row is that of red (0) or of blue (1).
    return _ALONG_ROW if y == colour // 2 else _ALONG_ROW.T


def _filtered(mosaic: NDArray[np.float64], weights: NDArray[np.float64], y: int, x: int) -> NDArray[np.float64]:
    """The 5x5 correlation at every second pixel from (y, x); mirrored about the border, which keeps the pattern."""
    height, width = mosaic.shape[-2:]
    padded = np.pad(mosaic, [(0, 0)] * (mosaic.ndim - 2) + [(2, 2), (2, 2)], mode="reflect")
    total = np.zeros(mosaic[..., y::2, x::2].shape)
    for row, column in np.argwhere(weights):
        total += weights[row, column] * padded[..., y + row : row + height : 2, x + column : column + width : 2]
    return total
