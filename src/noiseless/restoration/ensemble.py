"""Several denoisers made one: a denoiser and its mirror images, or different ones by what each is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import array_api_compat
import numpy as np

from noiseless.denoiser import Array, Denoiser, LocalDenoiser, Sigma
from noiseless.errors import InvalidParameter
from noiseless.image import FloatArray
from noiseless.noise import Gaussian, NoiseModel
from noiseless.restoration.combination import weights_of_least_risk
from noiseless.restoration.covariance import covariance_of
from noiseless.restoration.devices import on_device
from noiseless.restoration.orientation import LEAST_DEPTH, Across
from noiseless.restoration.risk import Whole, response_of
from noiseless.sigma_map import sigma_array


@dataclass(frozen=True)
class SelfEnsemble:
    """The mean of a denoiser over the eight turns and mirrorings of the last two axes; 8 calls.

    Parameters
    ----------
    denoiser : local; sigma may be a number or a map
    """

    denoiser: LocalDenoiser

    def reach(self, sigma: float, /) -> int:
        """Pixels, along each axis, that an output pixel can depend on."""
        return self.denoiser.reach(sigma)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        xp = array_api_compat.array_namespace(noisy)
        level = xp.broadcast_to(sigma_array(sigma, noisy, xp), tuple(noisy.shape))
        total = xp.zeros_like(noisy)
        for mirrored, swapped in product(((), (-2,), (-1,), (-2, -1)), (False, True)):
            image, levels = (_swap(xp.flip(array, axis=mirrored), swapped, xp) for array in (noisy, level))
            total = total + xp.flip(_swap(self.denoiser(image, levels), swapped, xp), axis=mirrored)
        return total / 8.0


@dataclass(frozen=True)
class OneLevelAChannel:
    """A filter that knows one sigma a channel, given the root mean square of a map.

    Parameters
    ----------
    denoiser : called with a number, or an array (C, 1...)
    """

    denoiser: Denoiser

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        if isinstance(sigma, int | float):
            return self.denoiser(noisy, sigma)
        xp = array_api_compat.array_namespace(noisy)
        level = xp.broadcast_to(sigma_array(sigma, noisy, xp), tuple(noisy.shape))
        space = tuple(range(1, noisy.ndim))
        return self.denoiser(noisy, xp.sqrt(xp.mean(level**2, axis=space, keepdims=True)))


@dataclass(frozen=True)
class Ensemble:
    """The mixture of denoisers that has the least estimated risk on the very image, overall and around each pixel.

    Different denoisers err differently: a network knows photographs, non-local means finds what repeats, cosine waves
    describe weaves. See :mod:`noiseless.restoration.combination` for the weights.

    Parameters
    ----------
    members : by name. The first is trusted where the others cannot be shown to help.
    probes : >= 1, calls of each member besides the first
    local : whether weights may differ over the image
    seed : of the probes

    Notes
    -----
    ``sigma`` must be all of the noise, and white: the risk is as right as it is. Members of planes across
    (:class:`~noiseless.restoration.orientation.Across`) are left out where there are none: in pictures, and in volumes
    of a few slices.

    Raises
    ------
    InvalidParameter : there are less than two members; when called, sigma is not what a member takes.
    """

    members: Mapping[str, Denoiser]
    probes: int = 2
    local: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise InvalidParameter(f"an ensemble of {', '.join(self.members) or 'nothing'} is none; name two members")

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        if array_api_compat.is_torch_array(noisy):
            xp = array_api_compat.array_namespace(noisy)
            level = float(sigma) if isinstance(sigma, int | float) else np.asarray(xp.asarray(sigma).cpu())
            combined = self.on_device(noisy)(noisy.detach().cpu().numpy(), level)
            return xp.asarray(combined, device=array_api_compat.device(noisy))
        level = sigma_array(sigma, noisy, np)
        if not level.any():
            return noisy.copy()
        told = float(level) if level.ndim == 0 else level
        whole = [lambda image, d=member: np.asarray(d(image, told)) for member in self.fitting(noisy)]
        return self.combined(whole, noisy, Gaussian(told))

    def on_device(self, like: Array) -> "Ensemble":
        """The ensemble for NumPy arrays whose members do their work as ``like`` is: of its kind, on its device."""
        there = {
            name: replace(member, denoiser=on_device(member.denoiser, like))
            if isinstance(member, Across)
            else on_device(member, like)
            for name, member in self.members.items()
        }
        return replace(self, members=there)

    def fitting(self, noisy: Array) -> list[Denoiser]:
        """The members that an image of this shape can be given to."""
        deep = noisy.ndim == 4 and noisy.shape[1] >= LEAST_DEPTH
        return [member for member in self.members.values() if deep or not isinstance(member, Across)]

    def combined(self, wholes: Sequence[Whole], noisy: FloatArray, noise: NoiseModel) -> FloatArray:
        """The mixture of what was done to ``noisy``, (C, *space), with each member, in the units of ``noise``.

        Raises
        ------
        InvalidParameter : the risk is not known for noise of that kind.
        """
        if len(wholes) == 1:
            return wholes[0](noisy)
        responses = [response_of(whole, noisy, noise, probes=self.probes, seed=self.seed) for whole in wholes]
        residuals, divergences = (
            np.stack([getattr(response, name) for response in responses]) for name in ("residual", "divergence")
        )
        covariance = covariance_of(noise, noisy)
        weights = weights_of_least_risk(residuals, divergences, covariance, self.probes, local=self.local)
        return np.asarray(noisy + np.sum(weights * residuals, axis=0, dtype=noisy.dtype))


def _swap(image: Array, swapped: bool, xp: Any) -> Array:  # noqa: FBT001
    """The image, with its last two axes swapped if so."""
    return xp.permute_dims(image, (*range(image.ndim - 2), image.ndim - 1, image.ndim - 2)) if swapped else image
