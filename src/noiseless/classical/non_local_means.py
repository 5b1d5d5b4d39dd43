"""Non-local means: pixels are averaged whose surroundings look alike, wherever they lie."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array

from noiseless.denoiser import Array, Sigma
from noiseless.diffusion.arguments import check_image
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load
from noiseless.progress import tell
from noiseless.sigma_map import sigma_array

_KERNEL = Lazy("noiseless.classical.kernels:averaged")


@dataclass(frozen=True)
class NonLocalMeans:
    """The mean of the pixels within a window, weighted by how much the patches about them look like the own patch.

        D(y)_i = sum_j w_ij y_j / sum_j w_ij
        w_ij = min(1, max(0, 1 - (d_ij - 2 n sigma^2) / (tolerance sigma^2 sqrt(8 n))))^2,   w_ii = max_j w_ij
        d_ij = sum over the n values of a patch of (y_i - y_j)^2

    Two patches that differ by their noise alone have d = 2 n sigma^2 on average, with standard deviation sigma^2
    sqrt(8 n), so the tolerance counts standard deviations. It keeps repeated texture (fabric, brick, cells) that
    filters smooth away; where nothing looks alike it leaves noise.

    Parameters
    ----------
    patch : width in pixels, odd, 3 or more. Wider patches tell texture from noise better, and find fewer alike.
    search : width of the window in pixels, odd, 3 or more; the time goes with its square.
    tolerance : > 0. A higher one averages more, and blurs what is faint.
    threads : CPU threads for NumPy arrays; 0 lets it use all cores. The result is the same, to the bit.

    Notes
    -----
    D(a y, a sigma) = a D(y, sigma). Channels are compared together. Volumes are taken slice by slice. Of a sigma map
    the value at the own pixel counts. Images go on beyond their border by reflection.

    Raises
    ------
    InvalidParameter : a parameter is out of its range; sigma is negative, not finite, or does not broadcast.
    InvalidImage : no finite (C, *space) array of float32 or float64.

    References
    ----------
    Buades, Coll, Morel 2005, CVPR, doi:10.1109/CVPR.2005.38; Salmon 2010, IEEE Signal Process. Lett. 17, 269, for the
    weight of the own pixel; Goossens et al. 2008, LNLA, for the weights of bisquare form.
    """

    patch: int = 5
    search: int = 17
    tolerance: float = 3.5
    threads: int = 0

    def __post_init__(self) -> None:
        for name, width in (("patch", self.patch), ("search", self.search)):
            if width < 3 or width % 2 == 0:
                raise InvalidParameter(f"{name} is {width}; it is a width in pixels with a middle: 3, 5, 7, ...")
        if not (math.isfinite(self.tolerance) and self.tolerance > 0.0):
            raise InvalidParameter(f"tolerance is {self.tolerance:g}; use a number above 0, usually 3 to 4")
        if self.threads < 0:
            raise InvalidParameter(f"threads is {self.threads}; it is a number of threads, or 0 for all cores")

    def reach(self, sigma: float, /) -> int:  # noqa: ARG002  the windows do not depend on sigma
        """Pixels, along each axis, that an output pixel can depend on."""
        return (self.patch + self.search) // 2 - 1

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        check_image(noisy)
        xp = array_namespace(noisy)
        level = xp.broadcast_to(sigma_array(sigma, noisy, xp), tuple(noisy.shape))
        single = xp.astype(noisy, xp.float32, copy=False)
        images, levels = (array if array.ndim == 4 else array[:, None, ...] for array in (single, level))
        slices = []
        for z in range(images.shape[1]):
            slices.append(self._slice(images[:, z, ...], levels[:, z, ...], xp))
            tell(math.prod(slices[-1].shape))
        denoised = xp.reshape(xp.stack(slices, axis=1), noisy.shape)
        return xp.astype(xp.where(level == 0, single, denoised), noisy.dtype, copy=False)

    def _slice(self, image: Array, level: Array, xp: Any) -> Array:
        variance = level**2
        alike = 2.0 * self.patch**2 * xp.sum(variance, axis=0)
        width = self.tolerance * math.sqrt(8.0) * self.patch * xp.sqrt(xp.sum(variance**2, axis=0))
        slope = xp.where(width > 0, 1.0 / xp.where(width > 0, width, xp.ones_like(width)), xp.zeros_like(width))
        patch, search = self.patch // 2, self.search // 2
        padded = _reflected(image, patch + search, xp)
        if is_numpy_array(image):
            return load(_KERNEL)(padded, alike, slope, search, patch, self.threads)
        return averaged(padded, alike, slope, search, patch, xp)


def averaged(padded: Array, alike: Array, slope: Array, search: int, patch: int, xp: Any) -> Array:
    """What :func:`noiseless.classical.kernels.averaged` computes, of any kind of array."""
    rows, columns = alike.shape
    wide, high = columns + 2 * patch, rows + 2 * patch
    here = padded[:, search : search + high, search : search + wide]
    total, largest = xp.zeros_like(alike), xp.zeros_like(alike)
    sums = xp.zeros_like(here[:, :rows, :columns])
    for dy in range(2 * search + 1):
        for dx in range(2 * search + 1):
            if dy == search and dx == search:
                continue
            there = padded[:, dy : dy + high, dx : dx + wide]
            squares = xp.sum((here - there) ** 2, axis=0)
            down = sum(squares[k : k + rows, :] for k in range(2 * patch + 1))
            distance = sum(down[:, k : k + columns] for k in range(2 * patch + 1))
            weight = xp.clip(1.0 - slope * (distance - alike), 0.0, 1.0) ** 2
            sums = sums + weight * there[:, patch : patch + rows, patch : patch + columns]
            total, largest = total + weight, xp.maximum(largest, weight)
    own = xp.where(largest > float(np.finfo(np.float32).tiny), largest, xp.ones_like(largest))
    return (sums + own * here[:, patch : patch + rows, patch : patch + columns]) / (total + own)


def _reflected(image: Array, margin: int, xp: Any) -> Array:
    """The image and ``margin`` pixels on each side, mirrored about the outermost ones as often as it takes."""
    for axis in (1, 2):
        size = image.shape[axis]
        places = np.arange(-margin, size + margin) % max(2 * size - 2, 1)
        folded = xp.asarray(np.minimum(places, 2 * size - 2 - places), device=device(image))
        image = xp.take(image, folded, axis=axis)
    return image
