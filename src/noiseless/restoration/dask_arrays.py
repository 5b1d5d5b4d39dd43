"""Dask arrays: denoised when they are computed, block by block, and equal to the whole.

As for images on disk (see ``by_blocks``), what the whole decides is decided once, on a sample of windows from all over
the array. That is one task of the graph; each block takes its result, and the pixels around the block that the denoiser
looks at.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np

from noiseless.denoiser import Array, LocalDenoiser, Sigma
from noiseless.diffusion import FILTERS
from noiseless.errors import InvalidParameter, NeedsWholeImage
from noiseless.image import Image, check_dtype, from_array, stored_range, with_channel_axis, with_channel_first
from noiseless.names import Lazy, load
from noiseless.noise import Gaussian, NoiseModel
from noiseless.restoration.block_decision import PLANAR, Decision, decided, told_of
from noiseless.restoration.block_grid import OF_HALO, USUAL_MEMORY, Needs, size_of, tile_for
from noiseless.restoration.block_sample import SamplePlan, plan_for
from noiseless.restoration.chunked import Values, check_window
from noiseless.restoration.noise_at_hand import Noise, given_noise
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal_in_parts import FILLED, FILTERED, RemovalInParts, check_by_place, local_denoiser
from noiseless.restoration.tiling import ALIGNMENT

_DELAYED = Lazy("dask:delayed", extra="scale")
_OVERLAP = Lazy("dask.array.overlap:overlap", extra="scale")

Chunks = tuple[tuple[int, ...], ...]

BESIDES: Mapping[str | None, int] = {
    None: FILTERED + FILLED,
    "gaussian": 0,
    "poisson-gaussian": 0,
    "speckle": 0,
    "correlated": FILTERED,
    "tomography": FILTERED,
}
"""Pixels that noise of a kind which is to be estimated may need around a block, besides those of the denoiser."""

UNBOUNDED = 2**62
"""Bytes: tiles are of the usual size. What memory there is, the user has considered in the chunks of the array."""

SCALES = (1e-6, 1e-3, 1.0, 1e3, 1e6)
"""That an array may have, as long as it is not computed."""

DEFAULT = Recipe()


@dataclass(frozen=True)
class _Plan:
    """How the blocks of an array are denoised, but for what its pixels decide.

    Parameters
    ----------
    recipe : how
    told : sigma and noise, as :func:`told_of` gives them
    channel_axis : of the array
    sample : windows of the array
    chunks, halo : along each axis of space, the lengths of the blocks, and the pixels around them where they have
        neighbours
    """

    recipe: Recipe
    told: tuple[Any, Noise]
    channel_axis: int | None
    sample: SamplePlan
    chunks: Chunks
    halo: tuple[int, ...]

    def decided_for(self, windows: list[Values]) -> Decision:
        """What the windows of the sample say; the doubts about the noise are warned of."""
        ndim, stacked = len(self.chunks), []
        for values, (_, window) in zip(windows, self.sample.places, strict=True):
            channel_first = with_channel_first(values, self.channel_axis)
            check_window(channel_first, 0, window[-ndim:])
            stacked.append(channel_first.reshape(len(channel_first), -1, *channel_first.shape[-2:]))
        sample = self.sample.sample(stacked)
        found = decided(sample, self.told, local_denoiser(self.recipe), self.recipe, ndim)
        for doubt in found.noise.warnings:
            warnings.warn(doubt, stacklevel=2)
        return found

    def denoised_block(self, values: Values, *, decision: Decision, block_id: tuple[int, ...]) -> Values:
        """A block of the result, from the noisy values there and around it."""
        place = block_id if self.channel_axis is None else np.delete(block_id, self.channel_axis)
        core, window = [], []
        for number, lengths, margin in zip(place, self.chunks, self.halo, strict=True):
            before = margin if number > 0 else 0
            after = margin if number < len(lengths) - 1 else 0
            start, length = sum(lengths[:number]), lengths[number]
            core.append(slice(before, before + length))
            window.append(slice(start - before, start + length + after))
        stored = with_channel_first(values, self.channel_axis)
        check_window(stored, 0, tuple(window))
        needs = Needs(
            space=stored.shape[1:],
            grid=stored.shape[1:],
            reach=decision.removal.reach(decision.like.scale),
            deep=decision.removal.is_deep or self.recipe.method_name not in PLANAR,
            tile=self.recipe.tile,
            value_bytes=stored.dtype.itemsize * len(stored),
            pixel_bytes=decision.removal.pixel_bytes(len(stored)),
            memory_bytes=UNBOUNDED,
        )
        tile = size_of(tuple(core)) if self.recipe.method_name in FILTERS else tile_for(needs, size_of(tuple(core)))
        clean = decision.restored(stored, tuple(core), tile, needs.halo)
        return np.ascontiguousarray(with_channel_axis(clean, self.channel_axis))


def denoise_lazily(
    noisy: Array,
    recipe: Recipe = DEFAULT,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
    channel_axis: int | None = None,
) -> Array:
    """A dask array as :func:`noiseless.denoise` would give it, whose blocks are denoised when they are computed.

    Nothing is computed by the call itself. What needs numbers of the whole array (noise that is to be estimated, the
    range of floats and signed integers, black of photon noise, the levels of images of great contrast) is decided in
    one task, from windows of the array, 4 million pixels at most; of an array that is no larger, from all of it.

    Equal to the result in memory to 1e-5 of the range where that is in float32, under white noise and under noise that
    is made white; to 4e-5 sigma under correlated noise, save along the border, as for images on disk
    (``noiseless.restoration.restore_by_blocks``). An estimate gives one sigma, or one a channel, and no map of it.
    "auto" is always the score network with its model as it is named: no other one for JPEG.

    Parameters
    ----------
    noisy : dask array of the axes and dtypes that :func:`noiseless.denoise` takes
    recipe : of a method whose reach is known, in one step
    sigma : a number, or one a channel, in the units of ``noisy``; None: it is estimated, once
    noise : a model, or a kind, instead of ``sigma``
    channel_axis : which axis holds the channels; None for gray images

    Returns
    -------
    Dask array of the shape and dtype of ``noisy``. Its chunks along Y and X, of which networks fold 8 pixels, are
    multiples of 8 and of those of ``noisy`` (rounded up to multiples of 8), at least four times as wide as what a block
    looks at around it; those of volumes under filters along Z, Y and X once as wide. Channels are in one chunk.

    Warns
    -----
    UserWarning : of what is doubtful about the noise that was found. Where and when it is found: on computing, in the
        process that runs the task, so workers of a cluster have it in their logs.

    Raises
    ------
    InvalidImage : no image can be made of ``noisy``: dtype, axes, empty; on computing, values that are not finite.
    InvalidParameter : method, noise or what else is asked for looks at the whole image; the size of ``noisy`` is not
        known; on computing, the noise cannot be estimated.

    Notes
    -----
    One block takes all cores: the usual scheduler of threads works on several blocks at once, which is right but takes
    more memory and is hardly faster. Use ``dask.config.set(scheduler="synchronous")``, or ``num_workers=2`` so that
    one block is read while another is denoised. On a cluster take workers of one thread each, ``dask worker --nworkers
    N --nthreads 1``, whose engines take one thread too, for OMP_NUM_THREADS is 1 there. A model that is the path of a
    file must be there for all workers.
    """
    _check(noisy, channel_axis)
    if recipe.predict:
        raise NeedsWholeImage("predict tells what it found, and a dask array is lazy; use restore on a computed part")
    denoiser = local_denoiser(recipe)
    axes = [*range(noisy.ndim)]
    channels = 1
    if channel_axis is not None:
        channel_axis %= noisy.ndim
        channels = noisy.shape[axes.pop(channel_axis)]
    space = tuple(noisy.shape[axis] for axis in axes)
    if array_api_compat.is_dask_array(sigma):
        raise InvalidParameter("sigma is a dask array; compute it first, and give a number, or one a channel")
    told = told_of(sigma, noise, channels)
    given = given_noise(*told, _one_pixel(channels, len(space)), 0)
    reach, deep = _reach(given, denoiser, recipe, noisy.dtype)
    halo = (reach if deep else 0, *[-(-reach // ALIGNMENT) * ALIGNMENT] * 2)[-len(space) :]
    times = 1 if recipe.method_name in FILTERS and len(space) == 3 else max(1, OF_HALO)
    regular, merged = [], []
    for axis, margin, unit in zip(axes, halo, (1, ALIGNMENT, ALIGNMENT)[-len(space) :], strict=True):
        side = _side(max(noisy.chunks[axis]), margin * times, unit)
        regular.append(_lengths(noisy.shape[axis], side, 0))
        merged.append(_lengths(noisy.shape[axis], side, margin))
    sample = plan_for(1, channels, space, memory_bytes=USUAL_MEMORY, deep=recipe.method_name not in PLANAR)
    plan = _Plan(recipe, told, channel_axis, sample, tuple(merged), halo)

    def of_array(of_space: tuple[Any, ...], of_channels: Any) -> tuple[Any, ...]:
        return of_space if channel_axis is None else (*of_space[:channel_axis], of_channels, *of_space[channel_axis:])

    windows = [noisy[of_array(window[-len(space) :], slice(None))] for _, window in sample.places]
    decision = load(_DELAYED)(plan.decided_for, pure=True)(windows)
    depth = of_array(tuple(n if len(lengths) > 1 else 0 for n, lengths in zip(halo, merged, strict=True)), 0)
    chunks = of_array(tuple(merged), (channels,))
    around = load(_OVERLAP)(noisy.rechunk(chunks), dict(enumerate(depth)), "none", allow_rechunk=False)
    result = around.map_blocks(
        plan.denoised_block,
        decision=decision,
        chunks=chunks,
        dtype=noisy.dtype,
        meta=np.empty((0,) * noisy.ndim, noisy.dtype),
    )
    # A last block that is narrower than the halo was taken together with the one before it.
    return result.rechunk(of_array(tuple(regular), (channels,)))


def _check(noisy: Array, channel_axis: int | None) -> None:
    """Refuse what is no image, as ``from_array`` does, without its pixels."""
    if any(math.isnan(length) for length in noisy.shape):
        raise InvalidParameter(f"the shape of the array is {noisy.shape}; call its compute_chunk_sizes() first")
    check_dtype(noisy)
    stand_in = np.broadcast_to(np.uint8(0), noisy.shape)
    if stand_in.size == 0 or with_channel_first(stand_in, channel_axis).ndim not in (3, 4):
        from_array(stand_in, channel_axis=channel_axis)


def _one_pixel(channels: int, ndim: int) -> Image:
    return Image(np.zeros((channels, *[1] * ndim), np.float32), "CZYX" if ndim == 3 else "CYX")


def _reach(given: Noise, denoiser: LocalDenoiser, recipe: Recipe, dtype: np.dtype[Any]) -> tuple[int, bool]:
    """Pixels that a block looks at around it, at most, and whether along Z too."""
    besides = 0
    if not isinstance(given, NoiseModel):
        if given not in BESIDES:
            raise InvalidParameter(
                f"{given} noise is removed from whole images only, and a dask array is denoised block by block; give "
                f"sigma, or noise of one of the kinds {', '.join(filter(None, BESIDES))}"
            )
        besides = BESIDES[given]
    else:
        check_by_place(given, recipe)
    removal = RemovalInParts(given if isinstance(given, NoiseModel) else Gaussian(1.0), denoiser, recipe)
    known = isinstance(given, NoiseModel) and dtype.kind == "u"
    scales = (stored_range(np.zeros(1, dtype))[0],) if known else SCALES
    reaches = {removal.reach(scale) for scale in scales}
    if len(reaches) > 1:
        raise InvalidParameter(
            f"how far {recipe.method_name} looks depends on sigma beside the range of the values, which is not known "
            "before the array is computed; give sigma, and unsigned integers"
        )
    return reaches.pop() + besides, removal.is_deep or recipe.method_name not in PLANAR


def _side(given: int, least: int, unit: int) -> int:
    """Of the blocks along an axis: a multiple of the given side, rounded up to units, and at least so much."""
    side = -(-given // unit) * unit
    return side * max(1, -(-least // side))


def _lengths(length: int, side: int, least: int) -> tuple[int, ...]:
    """Of the blocks along an axis; the last one joined to the one before it where it has less than the least."""
    lengths = [side] * (length // side)
    rest = length % side
    if lengths and 0 < rest < least:
        lengths[-1] += rest
    elif rest:
        lengths.append(rest)
    return tuple(lengths)
