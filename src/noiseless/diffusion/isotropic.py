"""Nonlinear filters with a scalar conductivity: Perona-Malik, Charbonnier, and total variation flow."""

from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import is_numpy_array

from noiseless.denoiser import Array
from noiseless.diffusion import scalar
from noiseless.diffusion.conductivity import CONDUCTIVITIES
from noiseless.diffusion.evolution import Evolution
from noiseless.diffusion.scalar import ScalarScheme, smoothing_for, smoothing_passes
from noiseless.diffusion.stepping import SEMI_IMPLICIT, Cycle
from noiseless.names import Lazy, load, lookup

_EXPLICIT_KERNEL = Lazy("noiseless.diffusion.kernels.scalar:diffuse")
_IMPLICIT_KERNEL = Lazy("noiseless.diffusion.kernels.implicit:diffuse")


@dataclass(frozen=True, kw_only=True)
class PeronaMalik(Evolution):
    """Nonlinear image diffusion u_t = div(g(|grad v|^2 / contrast^2) grad u), v = u smoothed a little (Catte).

    Gradients well below the contrast diffuse as heat, those above it hardly: noise goes, edges stay. The channels
    of a colour image share one conductivity, from their joint gradient, so edges stay aligned. The mean is kept and
    the range of the image is never left. NumPy arrays run through a compiled kernel, torch tensors on their device.

    The other parameters are those of :class:`~noiseless.diffusion.evolution.Evolution`.

    Parameters
    ----------
    conductivity : a name in ``CONDUCTIVITIES``: "rational", "exponential", "charbonnier", "homogeneous".

    Raises
    ------
    UnknownName : there is no such conductivity.

    Notes
    -----
    Tuned by ``benchmarks/diffusion_tuning.py`` for sigma 5 to 50 of 255.

    References
    ----------
    Perona & Malik 1990, IEEE PAMI 12, 629, doi:10.1109/34.56205.
    Catte, Lions, Morel & Coll 1992, SIAM J. Numer. Anal. 29, 182, doi:10.1137/0729012.
    """

    contrast_per_sigma: float = 0.45
    conductivity: str = "rational"

    usual_time: ClassVar[float] = 6.8

    def __post_init__(self) -> None:
        super().__post_init__()
        lookup(CONDUCTIVITIES, self.conductivity, kind="conductivity")

    def _evolve(
        self,
        image: Array,
        contrasts: tuple[float, ...],
        spacing: tuple[float, ...],
        cycles: list[Cycle],
        mask: Array | None,
    ) -> Array:
        weights, passes = smoothing_for(self.presmoothing, spacing)
        scheme = ScalarScheme(spacing, self.conductivity, contrasts, weights, passes)
        implicit = self.stepping == SEMI_IMPLICIT
        if is_numpy_array(image):
            return load(_IMPLICIT_KERNEL if implicit else _EXPLICIT_KERNEL)(image, scheme, cycles, mask, self.threads)
        return scalar.diffuse(image, scheme, cycles, mask, implicit=implicit)

    def _reach_of_cycle(self, steps: int, spacing: tuple[float, ...]) -> int:
        # A conductivity looks one pixel further than its smoothing, a flux one further than its conductivities.
        return smoothing_passes(self.presmoothing, len(spacing)) + 1 + steps


@dataclass(frozen=True, kw_only=True)
class Charbonnier(PeronaMalik):
    """Nonlinear image diffusion whose flux never falls as the gradient grows: g(s) = 1 / sqrt(1 + s).

    The gradient flow of a convex energy: there is one result, it depends on the image without jumps, and no edge is
    made sharper than it was. Edges blur a little where Perona-Malik keeps them.

    The parameters are those of :class:`~noiseless.diffusion.evolution.Evolution`.

    References
    ----------
    Charbonnier, Blanc-Feraud, Aubert & Barlaud 1997, IEEE TIP 6, 298, doi:10.1109/83.551699.
    """

    contrast_per_sigma: float = 0.15
    conductivity: str = "charbonnier"

    usual_time: ClassVar[float] = 5.8


@dataclass(frozen=True, kw_only=True)
class TotalVariation(PeronaMalik):
    """Total variation flow, u_s = div(grad u / |grad u|), with |grad u| regularised to sqrt(contrast^2 + |grad v|^2).

    Every region, however strong its edge, moves to its neighbours at a speed of perimeter over area: small ones go
    first, and what is left is piecewise flat. The time s of the flow is contrast * time, in the unit of the image
    times ``spacing``; 0.51 sigma by default. A smaller contrast is nearer to the flow and needs more steps for it.

    The parameters are those of :class:`~noiseless.diffusion.evolution.Evolution`; the contrast does not cool.

    References
    ----------
    Andreu, Ballester, Caselles & Mazon 2001, Differential and Integral Equations 14, 321.
    """

    contrast_per_sigma: float = 0.05
    cooling: float = 0.0
    conductivity: str = "charbonnier"

    usual_time: ClassVar[float] = 10.2
