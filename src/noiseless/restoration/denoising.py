"""The front door: denoise and restore."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

import array_api_compat
import numpy as np

from noiseless.denoiser import Array, Denoiser, Sigma
from noiseless.errors import Diverged, InvalidParameter
from noiseless.generation import ErrorBars
from noiseless.image import FloatArray, Image, from_array, with_channel_axis
from noiseless.noise import Correlated, NoiseEstimate, NoiseModel
from noiseless.restoration.audit import Audit, audit_of
from noiseless.restoration.choosing import Choice, choose
from noiseless.restoration.devices import on_device
from noiseless.restoration.ensemble import Ensemble
from noiseless.restoration.measurable import check_measurable
from noiseless.restoration.methods import ENSEMBLE
from noiseless.restoration.noise_at_hand import Noise, given_noise, known_noise
from noiseless.restoration.posterior import error_bars, posterior_samples
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal import remove_from_image
from noiseless.version import __version__

T = TypeVar("T")

DEFAULT = Recipe()

CAMERA = "camera"
"""The shipped network for the noise of cameras."""


@dataclass(frozen=True, eq=False)
class Restored(Generic[T]):
    """A denoised image and what was done to get it.

    Parameters
    ----------
    image : of the kind, shape, dtype and range that was given
    noise : the noise that was removed, in stored units, with confidence and warnings
    recipe : how
    report : plain values: version, method, sigma, seconds, audit, warnings
    audit : what the noisy image says about the result: structure that went with the noise, energy, predicted PSNR
    error : how far each pixel may be wrong, in the units of the image; None unless the recipe asks. Laid out like
        ``image`` where that is an array, channel first where it is an :class:`Image`.
    samples : images that may have been the clean one, each like ``image``; as many as the recipe asks for
    """

    image: T
    noise: NoiseEstimate
    recipe: Recipe
    report: Mapping[str, Any]
    audit: Audit
    error: ErrorBars | None = None
    samples: tuple[T, ...] = ()


def denoise(  # noqa: PLR0913  the one door: every choice a user has, by its name
    noisy: Array,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
    channel_axis: int | None = None,
    method: str = "auto",
    model: str = "base",
    strength: float = 1.0,
    steps: int = 1,
    sampler: str = "auto",
    seed: int = 0,
    tile: int = 512,
) -> Array:
    """The clean image under the noise: E[x | y] for y = x + sigma n, by the score network unless told otherwise.

    Parameters
    ----------
    noisy : (Y, X) gray, (Z, Y, X) a volume, or with one more axis for channels. Integers, floats of 16 to 64 bits;
        a NumPy array or a torch tensor.
    sigma : standard deviation of the noise in the units of ``noisy``: 25 means 25 grey levels of a uint8 image. A
        number, one a channel, or one a pixel. A larger sigma removes more. None: it is estimated from the image.
    noise : a noise model instead of ``sigma``, its parameters in the units of ``noisy``: ``noiseless.noise.Rician(9)``;
        or a kind in ``noiseless.noise.KINDS``, such as "rician", whose parameters are then estimated
    channel_axis : which axis holds the channels (-1 for the usual colour photograph); None for a gray image
    method, model, strength, steps, sampler, seed, tile : see :class:`Recipe`

    Returns
    -------
    Array of the kind, shape, dtype and device of ``noisy``, in its units; integers are rounded and clipped.

    Raises
    ------
    InvalidImage : no image can be made of ``noisy``: dtype, axes, empty, not finite.
    InvalidParameter : sigma or a choice is out of range, or the noise cannot be estimated and sigma must be given.
    UnknownName : there is no such method, model or sampler.

    Examples
    --------
    >>> import noiseless
    >>> clean = noiseless.denoise(noisy, sigma=25, channel_axis=-1)  # doctest: +SKIP
    """
    recipe = Recipe(method, model, strength, steps, sampler, seed, tile)
    return restore(noisy, recipe, sigma=sigma, noise=noise, channel_axis=channel_axis).image


def restore(
    noisy: Array,
    recipe: Recipe = DEFAULT,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
    channel_axis: int | None = None,
) -> Restored[Array]:
    """As :func:`denoise`, and what was estimated and done.

    Returns
    -------
    Restored : ``.image`` is what :func:`denoise` returns; ``.noise``, ``.recipe`` and ``.report`` say how.
    """
    like = noisy if array_api_compat.is_torch_array(noisy) else None
    values = np.asarray(noisy) if like is None else like.detach().cpu().numpy()
    image = from_array(values, channel_axis=channel_axis)
    restored = _restore(image, given_noise(sigma, noise, image, channel_axis), recipe, like)

    def laid_out(channel_first: Array) -> Array:
        array = np.ascontiguousarray(with_channel_axis(channel_first, channel_axis))
        if like is None:
            return array
        xp, device = array_api_compat.array_namespace(like), array_api_compat.device(like)
        return xp.asarray(array, dtype=like.dtype if array.dtype == values.dtype else None, device=device)

    error = restored.error
    if error is not None:
        error = replace(error, half68=laid_out(error.half68), half95=laid_out(error.half95))
    samples = tuple(laid_out(sample.stored()) for sample in restored.samples)
    result = laid_out(restored.image.stored())
    return Restored(result, restored.noise, restored.recipe, restored.report, restored.audit, error, samples)


def restore_image(
    image: Image,
    recipe: Recipe = DEFAULT,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
) -> Restored[Image]:
    """As :func:`restore`, for an :class:`Image` as :func:`noiseless.read` gives it; header and alpha are kept.

    ``sigma`` and ``noise`` are in stored units, and a map is channel-first.
    """
    return _restore(image, given_noise(sigma, noise, image, 0), recipe, None)


def _restore(image: Image, given: Noise, recipe: Recipe, like: Array | None) -> Restored[Image]:
    """Estimate the noise, denoise, check. ``like`` is a torch tensor whose kind and device do the work, or None."""
    started = time.perf_counter()
    told = isinstance(given, NoiseModel)
    if recipe.samples and not told:
        raise InvalidParameter("samples are draws given the noise, which an estimate only guesses; give sigma or noise")
    # 1 Noise: given, or estimated once from the whole image, never tile by tile.
    noise = known_noise(given, image, recipe.method_name)
    recipe = _recipe_for(recipe, noise, image, given)
    choosing = recipe.budget_s > 0.0 and recipe.model != CAMERA
    found = None
    if recipe.method_name == ENSEMBLE or recipe.predict or choosing:
        found = check_measurable(noise.model, image, told=told)
    choice = choose(image, noise.model, recipe) if choosing else None
    if choice is not None:
        recipe = replace(recipe, method=choice.method, budget_s=0.0)
    # 2 and 3 Diffusion or score, 4 generation: the recipe says which.
    denoiser = recipe.build_denoiser()
    if like is not None:
        denoiser = denoiser.on_device(like) if isinstance(denoiser, Ensemble) else on_device(denoiser, like)

    def removed(denoiser: Denoiser, pixels: FloatArray) -> FloatArray:
        return remove_from_image(noise.model, denoiser, image.with_pixels(pixels), recipe)

    pixels = removed(denoiser, image.pixels)
    if not np.isfinite(pixels).all():
        raise Diverged(f"{recipe.method_name} gave values that are not finite; report the image, or try another method")
    error = None
    if recipe.error:
        error = error_bars(noise.model, removed, denoiser, image, pixels, recipe, told=told)
    drawn = posterior_samples(noise.model, removed, denoiser, image, recipe) if recipe.samples else ()
    samples = tuple(image.with_pixels(sample) for sample in drawn)
    audit = audit_of(image, pixels, noise, recipe, partial(removed, denoiser) if recipe.predict else None, found)
    report = report_of(audit, noise, recipe, choice) | {"seconds": time.perf_counter() - started}
    return Restored(image.with_pixels(pixels), noise, recipe, report, audit, error, samples)


def _recipe_for(recipe: Recipe, noise: NoiseEstimate, image: Image, given: Noise) -> Recipe:
    """What "auto" means for an image: the network of cameras for raw files, and where JPEG went over coarse noise.

    No estimate of such noise is of use: in the calmest patches, on which it rests, JPEG has left nothing of it. On raw
    pictures, developed, the network of cameras is 1.6 and 2.9 dB better than the usual one (weak and strong noise).
    """
    raw = image.header.get("format") == "raw"
    coarse = given is None and (raw or (noise.compressed and isinstance(noise.model, Correlated)))
    usual = recipe.method == "auto" and recipe.model == Recipe.model and recipe.samples == 0 and recipe.steps == 1
    photograph = image.channels == 3 and len(image.space) == 2
    return replace(recipe, model=CAMERA) if coarse and usual and photograph else recipe


def report_of(audit: Audit, noise: NoiseEstimate, recipe: Recipe, choice: Choice | None = None) -> dict[str, Any]:
    """What was done, in plain values."""
    return {
        "version": __version__,
        "method": recipe.method_name,
        "model": recipe.model_name,
        **({"members": list(recipe.members)} if recipe.method_name == ENSEMBLE else {}),
        "strength": recipe.strength,
        "steps": recipe.steps,
        **({"samples": recipe.samples} if recipe.samples else {}),
        **({"bound": recipe.bound} if not math.isinf(recipe.bound) else {}),
        **({"choice": choice.summary()} if choice is not None else {}),
        "sigma": audit.sigma,
        **noise.summary(),
        "audit": audit.summary(),
        "warnings": [*noise.warnings, *audit.verdicts],
    }
