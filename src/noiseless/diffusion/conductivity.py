"""How much flux passes a contrast: functions from (|grad u| / contrast)^2 to a conductivity in (0, 1].

They belong to image diffusion. Each is 1 where the image is flat, so one stability bound serves all, and falls
with the gradient. The flux is conductivity * gradient; where it falls as the gradient grows, edges are sharpened.
"""

from collections.abc import Callable, Mapping

from array_api_compat import array_namespace

from noiseless.denoiser import Array


def rational(squared_ratio: Array) -> Array:
    """1 / (1 + s): wide regions are favoured over small ones; the flux is largest at |grad u| = contrast.

    References
    ----------
    Perona & Malik 1990, IEEE PAMI 12, 629, doi:10.1109/34.56205.
    """
    return 1.0 / (1.0 + squared_ratio)


def exponential(squared_ratio: Array) -> Array:
    """exp(-s): strong contrasts are favoured over weak ones; the flux is largest at |grad u| = contrast / sqrt(2).

    References
    ----------
    Perona & Malik 1990, IEEE PAMI 12, 629, doi:10.1109/34.56205.
    """
    return array_namespace(squared_ratio).exp(-squared_ratio)


def charbonnier(squared_ratio: Array) -> Array:
    """1 / sqrt(1 + s): the flux never falls, so the problem is convex; edges are kept but not sharpened.

    References
    ----------
    Charbonnier, Blanc-Feraud, Aubert & Barlaud 1997, IEEE TIP 6, 298, doi:10.1109/83.551699.
    """
    return 1.0 / array_namespace(squared_ratio).sqrt(1.0 + squared_ratio)


def homogeneous(squared_ratio: Array) -> Array:
    """1 everywhere: linear heat diffusion, by explicit steps."""
    return array_namespace(squared_ratio).ones_like(squared_ratio)


CONDUCTIVITIES: Mapping[str, Callable[[Array], Array]] = {
    "rational": rational,
    "exponential": exponential,
    "charbonnier": charbonnier,
    "homogeneous": homogeneous,
}
