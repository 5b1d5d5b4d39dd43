"""Nonlinear filters with a tensor: edge-enhancing, coherence-enhancing, and mean curvature motion."""

import math
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import is_numpy_array

from noiseless.denoiser import Array
from noiseless.diffusion import tensor
from noiseless.diffusion.evolution import Evolution
from noiseless.diffusion.scalar import smoothing_for, smoothing_passes
from noiseless.diffusion.stencil import WINDOW
from noiseless.diffusion.stepping import EXPLICIT, FAST_EXPLICIT, Cycle
from noiseless.diffusion.tensor import TensorScheme
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

_KERNEL = Lazy("noiseless.diffusion.kernels.tensor:diffuse")


@dataclass(frozen=True, kw_only=True)
class EdgeEnhancing(Evolution):
    """Nonlinear image diffusion u_t = div(D grad u), D = (I + J)^-1: across edges hardly, along them freely.

    J is the structure tensor in units of the contrast, smoothed by ``integration``: the directions in which the
    image varies there. Unlike Perona-Malik, this removes noise *on* edges too, and keeps corners. The strongest
    denoiser of this room. Mean and range are kept: see :mod:`noiseless.diffusion.stencil`.

    The other parameters are those of :class:`~noiseless.diffusion.evolution.Evolution`; "semi-implicit" is not among
    the steppings, because a tensor does not split into axes.

    Parameters
    ----------
    integration : float from 0 to 10
        Standard deviation, in finest pixels, of the smoothing of the structure tensor. More follows edges and lines
        more steadily, and rounds small details.
    steps_per_tensor : int >= 1
        How many explicit steps one tensor serves. Fewer follow the equation more closely, and cost more.

    References
    ----------
    Weickert 1998, Anisotropic Diffusion in Image Processing, Teubner.
    Tschumperle & Deriche 2005, IEEE PAMI 27, 506, doi:10.1109/TPAMI.2005.87 (several channels).
    """

    contrast_per_sigma: float = 0.25
    integration: float = 1.2
    steps_per_tensor: int = 4

    usual_time: ClassVar[float] = 9.0
    steppings: ClassVar[tuple[str, ...]] = (EXPLICIT, FAST_EXPLICIT)
    _kind: ClassVar[str] = "edge-enhancing"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.integration <= 10.0:
            raise InvalidParameter(
                f"integration is {self.integration:g}; it is a standard deviation from 0 to 10 pixels, usually 1.2"
            )
        if self.steps_per_tensor < 1:
            raise InvalidParameter(f"steps_per_tensor is {self.steps_per_tensor}; a tensor serves at least 1 step")

    @property
    def _steps_a_cycle(self) -> int:  # type: ignore[override]
        return self.steps_per_tensor

    def _parameter(self) -> float:
        return 0.0

    def _evolve(
        self,
        image: Array,
        contrasts: tuple[float, ...],
        spacing: tuple[float, ...],
        cycles: list[Cycle],
        mask: Array | None,
    ) -> Array:
        scheme = self._scheme(contrasts, spacing)
        if is_numpy_array(image):
            return load(_KERNEL)(image, scheme, cycles, mask, self.threads)
        return tensor.diffuse(image, scheme, cycles, mask)

    def _scheme(self, contrasts: tuple[float, ...], spacing: tuple[float, ...]) -> TensorScheme:
        smoothing = (smoothing_for(length, spacing) for length in (self.presmoothing, self.integration))
        return TensorScheme(spacing, self._kind, self._parameter(), contrasts, *smoothing)

    def _reach_of_cycle(self, steps: int, spacing: tuple[float, ...]) -> int:
        # The weights at the far end of an edge count, with all that they look at.
        lengths = (self.presmoothing, self.integration)
        of_tensor = 1 + sum(smoothing_passes(length, len(spacing)) for length in lengths)
        return of_tensor + WINDOW[len(spacing)] * (steps + 1)


@dataclass(frozen=True, kw_only=True)
class CoherenceEnhancing(EdgeEnhancing):
    """Nonlinear image diffusion along lines: closes gaps in fingerprints, fibres and vessels, and joins what flows.

    D = c (a I + (1 - a) (I + J - m I)^-1) + (1 - c) / (1 + trace J) I, with the coherence c = r^2 / (1 + r^2) of the
    range r of J's eigenvalues, the least of which is m. Where a direction prevails, diffusion is along it, and
    ``across`` it; where none does, isotropic as in Perona-Malik. In a volume it runs along sheets and lines.
    It completes lines however strong they are, so it changes an image of little noise too, and draws lines into noise
    where the contrast is too low: look at what it adds.

    The other parameters are those of :class:`EdgeEnhancing`.

    Parameters
    ----------
    across : float from 0 to 1
        The conductivity across the lines, a. More blurs them.

    References
    ----------
    Weickert 1999, Int. J. Computer Vision 31, 111, doi:10.1023/A:1008009714131.
    """

    contrast_per_sigma: float = 0.2
    integration: float = 1.5
    across: float = 0.01

    usual_time: ClassVar[float] = 4.5
    _kind: ClassVar[str] = "coherence-enhancing"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.across) and 0.0 <= self.across <= 1.0):
            raise InvalidParameter(f"across is {self.across:g}; it is a conductivity from 0 to 1, usually 0.01")

    def _parameter(self) -> float:
        return self.across


@dataclass(frozen=True, kw_only=True)
class MeanCurvature(EdgeEnhancing):
    """Selective mean curvature motion u_t = g |grad u| div(grad u / |grad u|), by u_t = sum_ij D_ij d_ij u.

    D = (I + J)^-1 / (1 + selectivity * trace J). Level lines (surfaces in a volume) move at the speed of their
    curvature, so they get smooth and small ones vanish, whatever their contrast; the slower the stronger the edge.
    Below the contrast it is heat. The range is kept; the mean is not, because the equation is no divergence.

    The other parameters are those of :class:`EdgeEnhancing`.

    Parameters
    ----------
    selectivity : float >= 0
        How much slower strong edges move; 0 moves all alike, and sigma to 0 is then not the identity.

    References
    ----------
    Alvarez, Lions & Morel 1992, SIAM J. Numer. Anal. 29, 845, doi:10.1137/0729052.
    Evans & Spruck 1991, J. Differential Geometry 33, 635.
    """

    contrast_per_sigma: float = 0.4
    selectivity: float = 0.05

    usual_time: ClassVar[float] = 4.0
    _kind: ClassVar[str] = "mean-curvature"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.selectivity) and self.selectivity >= 0.0):
            raise InvalidParameter(f"selectivity is {self.selectivity:g}; it is a finite number >= 0, usually 0.05")

    def _parameter(self) -> float:
        return self.selectivity
