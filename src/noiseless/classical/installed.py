"""Denoisers of other packages, as the user has installed them: what ours are measured against, in the same run.

Each is told sigma, from which its own parameter follows by one constant, its strength: that of the best mean PSNR over
gray and colour photographs and sigma 15, 25 and 50 (``benchmarks/peers_tuning.py``, on images of which no result is
told). None of the packages comes with noiseless.
"""

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import is_numpy_array
from numpy.typing import NDArray

from noiseless.denoiser import Array, Sigma
from noiseless.diffusion.arguments import check_image
from noiseless.errors import InvalidImage, InvalidParameter, MissingExtra
from noiseless.sigma_map import sigma_array

Pixels: TypeAlias = NDArray[np.float32]
"""(Y, X), or (Y, X, 3), of the nominal range."""


@dataclass(frozen=True)
class InstalledDenoiser:
    """A denoiser of another package: noisy (1 or 3, Y, X) and sigma in, the same kind of array out.

    Parameters
    ----------
    install : what pip is told to bring it
    modules : that it imports, the one that holds it first
    function : of pixels, sigma and strength
    strength : > 0. A higher one removes more, of the image too.

    Raises
    ------
    MissingExtra : the package is not installed; the message has the pip line.
    InvalidImage : no finite NumPy array of one or three channels and two axes of space.
    InvalidParameter : strength is not above 0; sigma is negative, not finite, or not the same everywhere, which these
        denoisers cannot be told.
    """

    install: str
    modules: tuple[str, ...]
    function: Callable[[Pixels, float, float], Pixels]
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and self.strength > 0.0):
            raise InvalidParameter(f"strength is {self.strength:g}; use a number above 0, usually 0.5 to 3")

    def check(self) -> None:
        """Raise :class:`MissingExtra` where the package is not installed."""
        for module in self.modules:
            try:
                importlib.import_module(module)
            except ModuleNotFoundError as error:
                what = f"{self.modules[0]} is compared with only where it is installed, and {error.name!r} is not"
                raise MissingExtra(f"{what}: pip install {self.install}") from error

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        self.check()
        if not is_numpy_array(noisy):
            raise InvalidImage(f"{self.modules[0]} takes NumPy arrays; this is a {type(noisy).__name__}")
        check_image(noisy)
        if noisy.ndim != 3 or noisy.shape[0] not in (1, 3):
            raise InvalidImage(f"{self.modules[0]} takes images (1, Y, X) or (3, Y, X); this one has {noisy.shape}")
        levels = np.unique(sigma_array(sigma, noisy, np))
        if levels.size != 1:
            raise InvalidParameter(
                f"sigma is from {levels[0]:g} to {levels[-1]:g}, and {self.modules[0]} takes one number; give its mean"
            )
        if levels[0] == 0.0:
            return noisy.copy()
        pixels = noisy[0] if noisy.shape[0] == 1 else np.moveaxis(noisy, 0, -1)
        # A copy, as some work in place.
        denoised = self.function(np.array(pixels, np.float32, order="C"), float(levels[0]), self.strength)
        planes = denoised[None] if denoised.ndim == 2 else np.moveaxis(denoised, -1, 0)
        return np.ascontiguousarray(planes, noisy.dtype)


def _channel_axis(pixels: Pixels) -> int | None:
    return -1 if pixels.ndim == 3 else None


def scikit_image_non_local_means(pixels: Pixels, sigma: float, strength: float) -> Pixels:
    """``denoise_nl_means`` in its fast mode, patches of 5 pixels within a window of 13; h = strength sigma."""
    restoration: Any = importlib.import_module("skimage.restoration")
    denoised: Pixels = restoration.denoise_nl_means(
        pixels, patch_size=5, patch_distance=6, h=strength * sigma, sigma=sigma, channel_axis=_channel_axis(pixels)
    )
    return denoised


def scikit_image_total_variation(pixels: Pixels, sigma: float, strength: float) -> Pixels:
    """``denoise_tv_chambolle``; weight = strength sigma.

    By its usual ``eps`` it ends at once on some images, up to 0.7 dB below; a quarter of that costs twice the time.
    """
    restoration: Any = importlib.import_module("skimage.restoration")
    denoised: Pixels = restoration.denoise_tv_chambolle(
        pixels, weight=strength * sigma, eps=5e-5, channel_axis=_channel_axis(pixels)
    )
    return denoised


def scikit_image_wavelets(pixels: Pixels, sigma: float, strength: float) -> Pixels:
    """``denoise_wavelet`` by BayesShrink, softly, with db2, told strength sigma.

    Colours as luminance and two differences, with ``rescale_sigma``: without it sigma is taken for one of another
    range, and nothing is removed.
    """
    restoration: Any = importlib.import_module("skimage.restoration")
    denoised: Pixels = restoration.denoise_wavelet(
        pixels,
        sigma=strength * sigma,
        wavelet="db2",
        method="BayesShrink",
        mode="soft",
        rescale_sigma=True,
        convert2ycbcr=pixels.ndim == 3,
        channel_axis=_channel_axis(pixels),
    )
    return denoised


def opencv_non_local_means(pixels: Pixels, sigma: float, strength: float) -> Pixels:
    """``fastNlMeansDenoising``, in colour ``fastNlMeansDenoisingColored``, with its usual windows, 7 within 21.

    It takes eight bits only, so the noisy image is rounded and clipped to grey levels first; h = strength sigma.
    """
    cv2: Any = importlib.import_module("cv2")
    levels = np.clip(np.rint(255.0 * pixels), 0, 255).astype(np.uint8)
    h = 255.0 * strength * sigma
    gray = levels.ndim == 2
    denoised = (
        cv2.fastNlMeansDenoising(levels, None, h) if gray else cv2.fastNlMeansDenoisingColored(levels, None, h, h)
    )
    return np.asarray(denoised, np.float32) / np.float32(255.0)


def opencv_bilateral(pixels: Pixels, sigma: float, strength: float, *, width: float = 2.5) -> Pixels:
    """``bilateralFilter`` with deviations of ``width`` pixels in space and of strength sigma in intensity.

    In colour the latter is sqrt(3) times as much, since the differences of three channels are added up.
    """
    cv2: Any = importlib.import_module("cv2")
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    denoised: Pixels = cv2.bilateralFilter(pixels, -1, strength * sigma * math.sqrt(channels), width)
    return denoised


def itk_gradient_diffusion(pixels: Pixels, sigma: float, strength: float, *, conductance: float = 2.0) -> Pixels:
    """``GradientAnisotropicDiffusion`` of SimpleITK, channel by channel; strength iterations a grey level of sigma."""
    return _itk("GradientAnisotropicDiffusion", pixels, 255.0 * strength * sigma, conductance)


def itk_curvature_diffusion(pixels: Pixels, sigma: float, strength: float, *, conductance: float = 2.0) -> Pixels:
    """``CurvatureAnisotropicDiffusion``, likewise."""
    return _itk("CurvatureAnisotropicDiffusion", pixels, 255.0 * strength * sigma, conductance)


def _itk(name: str, pixels: Pixels, iterations: float, conductance: float) -> Pixels:
    itk: Any = importlib.import_module("SimpleITK")
    # The step is the largest that it takes for stable in the plane.
    options = {"timeStep": 0.125, "conductanceParameter": conductance, "numberOfIterations": max(1, round(iterations))}
    planes = [
        itk.GetArrayFromImage(getattr(itk, name)(itk.GetImageFromArray(np.ascontiguousarray(plane)), **options))
        for plane in (np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels[None])
    ]
    return planes[0] if pixels.ndim == 2 else np.stack(planes, axis=-1)


def block_matching(pixels: Pixels, sigma: float, strength: float) -> Pixels:
    """``bm3d``, in colour ``bm3d_rgb``, as it comes, told strength sigma. Its licence allows no commercial use."""
    bm3d: Any = importlib.import_module("bm3d")
    denoised = (bm3d.bm3d_rgb if pixels.ndim == 3 else bm3d.bm3d)(pixels, strength * sigma)
    return np.asarray(denoised, np.float32)


_SCIKIT_IMAGE, _OPENCV = "scikit-image", "opencv-python-headless"

INSTALLED: Mapping[str, InstalledDenoiser] = {
    "skimage-nlm": InstalledDenoiser(_SCIKIT_IMAGE, ("skimage",), scikit_image_non_local_means, 0.6),
    "skimage-tv": InstalledDenoiser(_SCIKIT_IMAGE, ("skimage",), scikit_image_total_variation, 0.85),
    "skimage-wavelet": InstalledDenoiser(
        f"{_SCIKIT_IMAGE} PyWavelets", ("skimage", "pywt"), scikit_image_wavelets, 1.0
    ),
    "opencv-nlm": InstalledDenoiser(_OPENCV, ("cv2",), opencv_non_local_means, 0.83),
    "opencv-bilateral": InstalledDenoiser(_OPENCV, ("cv2",), opencv_bilateral, 2.6),
    "itk-gradient": InstalledDenoiser("SimpleITK", ("SimpleITK",), itk_gradient_diffusion, 0.26),
    "itk-curvature": InstalledDenoiser("SimpleITK", ("SimpleITK",), itk_curvature_diffusion, 0.16),
    "bm3d": InstalledDenoiser("bm3d", ("bm3d",), block_matching, 1.0),
}
"""By name; of each its constant. A new one is a function and a line here."""
