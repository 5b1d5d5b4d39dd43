"""The front door: denoise and restore."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array, Denoiser, Sigma
from noiseless.errors import Diverged, InvalidParameter
from noiseless.generation import ErrorBars
from noiseless.generation.plug_and_play import MOST_LEVELS
from noiseless.image import FloatArray, Image, from_array, with_channel_axis
from noiseless.noise import Correlated, NoiseEstimate, NoiseModel, StationaryNoise, measure_colour_noise
from noiseless.restoration.audit import Audit, audit_of, risk_of
from noiseless.restoration.choosing import Choice, choose
from noiseless.restoration.course import (
    DRAWING,
    FINDING,
    MEASURING,
    PREDICTING,
    REMOVING,
    Course,
    Progress,
    course_of,
)
from noiseless.restoration.dask_arrays import denoise_lazily
from noiseless.restoration.devices import on_device, tensor_on
from noiseless.restoration.ensemble import Ensemble
from noiseless.restoration.measurable import check_measurable
from noiseless.restoration.methods import ENSEMBLE
from noiseless.restoration.noise_at_hand import Noise, given_noise, known_noise
from noiseless.restoration.posterior import error_bars, posterior_samples
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal import remove_from_image
from noiseless.restoration.risk import Risk
from noiseless.restoration.sampled_risk import is_sampled, parts_of, risk_of_parts, stack_of
from noiseless.restoration.tiling import USUAL_TILE
from noiseless.version import __version__

T = TypeVar("T")

DEFAULT = Recipe()

STRONG = 6.0 / 255.0
"""Sigma of the luminance, nominal, from which the network of cameras is the better one for any noise that JPEG smoothed
in the colours; below it is for coarse noise alone (``benchmarks/noise_before_jpeg.py``)."""

SEEN = 0.25
"""Confidence from which noise was found, and not texture taken for it."""

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
    tile: int = USUAL_TILE,
    device: str | None = None,
) -> Array:
    """The clean image under the noise: E[x | y] for y = x + sigma n, by the score network unless told otherwise.

    Parameters
    ----------
    noisy : (Y, X) gray, (Z, Y, X) a volume, or with one more axis for channels. Integers, floats of 16 to 64 bits;
        a NumPy array, a torch tensor, or a dask array: the result is lazy then, see :mod:`.dask_arrays`.
    sigma : standard deviation of the noise in the units of ``noisy``: 25 means 25 grey levels of a uint8 image. A
        number, one a channel, or one a pixel. A larger sigma removes more. None: it is estimated from the image.
    noise : a noise model instead of ``sigma``, its parameters in the units of ``noisy``: ``noiseless.noise.Rician(9)``;
        or a kind in ``noiseless.noise.KINDS``, such as "rician", whose parameters are then estimated
    channel_axis : which axis holds the channels (-1 for the usual colour photograph); None for a gray image
    method, model, strength, steps, sampler, seed, tile : see :class:`Recipe`
    device : where a NumPy array is denoised: "cpu", "cuda", "cuda:1", or "auto", the first GPU if there is one. None is
        the CPU; a torch tensor is denoised where it is.

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
    if array_api_compat.is_dask_array(noisy):
        if device not in (None, "cpu"):
            raise InvalidParameter(f"device is {device!r}, and dask arrays are denoised on the CPU; leave it out")
        return denoise_lazily(noisy, recipe, sigma=sigma, noise=noise, channel_axis=channel_axis)
    image, like = _opened(noisy, channel_axis, device)
    law = given_noise(sigma, noise, image, channel_axis)
    course = course_of(None, image.pixels.size, recipe, told=isinstance(law, NoiseModel))
    done = _removed(image, law, recipe, like, course)
    return _laid_out(image.with_pixels(done.pixels).stored(), noisy, channel_axis)


def restore(
    noisy: Array,
    recipe: Recipe = DEFAULT,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
    channel_axis: int | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> Restored[Array]:
    """As :func:`denoise`, and what was estimated and done.

    Parameters
    ----------
    progress : called with the share that is done, 0 to 1, and what is being done, in words. An exception that it raises
        ends the work.

    Returns
    -------
    Restored : ``.image`` is what :func:`denoise` returns; ``.noise``, ``.recipe`` and ``.report`` say how.
    """
    if array_api_compat.is_dask_array(noisy):
        raise InvalidParameter("restore tells what it found, and a dask array is lazy; use denoise, or compute it")
    image, like = _opened(noisy, channel_axis, device)
    restored = _restore(image, given_noise(sigma, noise, image, channel_axis), recipe, like, progress)

    def laid_out(channel_first: Array) -> Array:
        return _laid_out(channel_first, noisy, channel_axis)

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
    device: str | None = None,
    progress: Progress | None = None,
) -> Restored[Image]:
    """As :func:`restore`, for an :class:`Image` as :func:`noiseless.read` gives it; header and alpha are kept.

    ``sigma`` and ``noise`` are in stored units, and a map is channel-first.
    """
    return _restore(image, given_noise(sigma, noise, image, 0), recipe, tensor_on(device), progress)


def _opened(noisy: Array, channel_axis: int | None, device: str | None) -> tuple[Image, Array | None]:
    """An array as an image, and a torch tensor that is where the work is to be done; None: NumPy does it."""
    if not array_api_compat.is_torch_array(noisy):
        return from_array(noisy, channel_axis=channel_axis), tensor_on(device)
    if device is not None and device != str(noisy.device):
        raise InvalidParameter(
            f"device is {device!r}, and the tensor is on {str(noisy.device)!r}, where it is denoised; leave it out, or "
            f"give noisy.to({device!r})"
        )
    return from_array(noisy.detach().cpu().numpy(), channel_axis=channel_axis), noisy


def _laid_out(channel_first: NDArray[Any], noisy: Array, channel_axis: int | None) -> Array:
    """An array of the kind, device and axes of the noisy one."""
    array = np.ascontiguousarray(with_channel_axis(channel_first, channel_axis))
    if not array_api_compat.is_torch_array(noisy):
        return array
    xp, device = array_api_compat.array_namespace(noisy), array_api_compat.device(noisy)
    # What is in units of error, and not of the image, is not of its dtype.
    same = str(noisy.dtype).removeprefix("torch.") == array.dtype.name
    return xp.asarray(array, dtype=noisy.dtype if same else None, device=device)


@dataclass(frozen=True, eq=False)
class _Removed:
    """A denoised image, and what it was made by.

    Parameters
    ----------
    pixels : nominal
    noise, recipe, choice : what was removed, how, and why so
    denoiser : of the recipe, where the work is done
    removed : with a denoiser, and other nominal pixels: the same once more
    found : what the image says of the noise where that was told; None where nobody asked
    """

    pixels: FloatArray
    noise: NoiseEstimate
    recipe: Recipe
    choice: Choice | None
    denoiser: Denoiser
    removed: Callable[[Denoiser, FloatArray], FloatArray]
    found: NoiseEstimate | None


def _removed(image: Image, given: Noise, recipe: Recipe, like: Array | None, course: Course) -> _Removed:
    """Estimate the noise and remove it. ``like`` is a torch tensor whose kind and device do the work, or None."""
    told = isinstance(given, NoiseModel)
    if recipe.samples and not told:
        raise InvalidParameter("samples are draws given the noise, which an estimate only guesses; give sigma or noise")
    # 1 Noise: given, or estimated once from the whole image, never tile by tile.
    with course.stage(FINDING):
        noise = known_noise(given, image, recipe.method_name)
    recipe = _recipe_for(recipe, noise, image, given)
    choosing = recipe.budget_s > 0.0 and recipe.model != CAMERA
    found = None
    if recipe.method_name == ENSEMBLE or recipe.predict or choosing:
        by_windows = recipe.predict and not choosing and recipe.method_name != ENSEMBLE and is_sampled(image, noise)
        found = check_measurable(noise.model, stack_of(parts_of(image)) if by_windows else image, told=told)
    choice = choose(image, noise.model, recipe) if choosing else None
    if choice is not None:
        recipe = replace(recipe, method=choice.method, budget_s=0.0)
    # 2 and 3 Diffusion or score, 4 generation: the recipe says which.
    denoiser = recipe.build_denoiser()
    if like is not None:
        denoiser = denoiser.on_device(like) if isinstance(denoiser, Ensemble) else on_device(denoiser, like)

    def removed(denoiser: Denoiser, pixels: FloatArray) -> FloatArray:
        return remove_from_image(noise.model, denoiser, image.with_pixels(pixels), recipe)

    with course.stage(REMOVING, times=MOST_LEVELS if isinstance(noise.model, StationaryNoise) else 1):
        pixels = removed(denoiser, image.pixels)
    if not np.isfinite(pixels).all():
        raise Diverged(f"{recipe.method_name} gave values that are not finite; report the image, or try another method")
    return _Removed(pixels, noise, recipe, choice, denoiser, removed, found)


def _restore(
    image: Image, given: Noise, recipe: Recipe, like: Array | None, progress: Progress | None
) -> Restored[Image]:
    """Estimate the noise, denoise, check; ``like`` as for :func:`_removed`."""
    started = time.perf_counter()
    told = isinstance(given, NoiseModel)
    course = course_of(progress, image.pixels.size, recipe, told=told)
    done = _removed(image, given, recipe, like, course)
    pixels, noise, recipe, denoiser, removed = done.pixels, done.noise, done.recipe, done.denoiser, done.removed
    error = None
    if recipe.error:
        with course.stage(MEASURING):
            error = error_bars(noise.model, removed, denoiser, image, pixels, recipe, told=told)
    drawn: Sequence[FloatArray] = ()
    if recipe.samples:
        with course.stage(DRAWING):
            drawn = posterior_samples(noise.model, removed, denoiser, image, recipe)
    samples = tuple(image.with_pixels(sample) for sample in drawn)
    risk = None
    if recipe.predict:
        with course.stage(PREDICTING):
            # It rests on the strength of the noise, which a blind network does without because it does not show.
            risk = _risk(image, done) if told or not recipe.blind else None
    audit = audit_of(image, pixels, noise, recipe, risk, done.found)
    report = report_of(audit, noise, recipe, done.choice) | {"seconds": time.perf_counter() - started}
    return Restored(image.with_pixels(pixels), noise, recipe, report, audit, error, samples)


def _risk(image: Image, done: _Removed) -> Risk:
    """The predicted error; of a large image by windows of it."""
    if not is_sampled(image, done.noise):
        return risk_of(image, done.noise, done.recipe, partial(done.removed, done.denoiser))

    def removed(part: Image) -> FloatArray:
        return remove_from_image(done.noise.model, done.denoiser, part, done.recipe)

    return risk_of_parts(parts_of(image), done.noise, done.recipe, removed)


def _recipe_for(recipe: Recipe, noise: NoiseEstimate, image: Image, given: Noise) -> Recipe:
    """What "auto" means for an image: the network of cameras for raw files, and where JPEG went over coarse or strong
    noise.

    No estimate of such noise is of use: in the calmest patches, on which it rests, JPEG has left nothing of it. On raw
    pictures, developed, its first weights were 1.6 and 2.9 dB better than the usual network (weak and strong noise). On
    noise that went through the half-size colours of JPEG see ``benchmarks/noise_before_jpeg.py``.
    """
    usual = recipe.method == "auto" and recipe.model == Recipe.model and recipe.samples == 0 and recipe.steps == 1
    photograph = image.channels == 3 and len(image.space) == 2
    if given is not None or not usual or not photograph:
        return recipe
    if image.header.get("format") == "raw":
        return replace(recipe, model=CAMERA)
    by_colour = measure_colour_noise(image.pixels)
    coarse = noise.compressed and isinstance(noise.model, Correlated)
    # Where nothing shows but texture, colours have less of that too.
    strong = by_colour.luminance >= STRONG and (noise.compressed or noise.confidence >= SEEN)
    return replace(recipe, model=CAMERA) if by_colour.smoothed and (coarse or strong) else recipe


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
