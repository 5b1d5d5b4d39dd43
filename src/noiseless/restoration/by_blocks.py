"""Images larger than memory: what the whole decides is decided once, and then they are denoised block by block.

Decided once for each channel, on a sample of windows from all over the image (on all of it where it is small): the
noise, the range of the values and, where noise is made white, where black lies. Then each block is read with as much
around it as the denoiser looks at, denoised in tiles by the functions of images in memory, and written without its
surroundings. So there are no seams: the result is that of the whole image.

Equal to 1e-5 of the range under white noise, and under noise that is made white, where the sample is the whole. Under
correlated noise, to 4e-5 sigma, but for a strip along the border of the image, where filters on a periodic grid see the
opposite border, and here that of the block. Impulses are looked for in each block by itself.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from noiseless.denoiser import Array, LocalDenoiser, Sigma
from noiseless.errors import InvalidParameter
from noiseless.image import Image
from noiseless.noise import NoiseEstimate, NoiseModel
from noiseless.restoration.audit import Audit, audit_of
from noiseless.restoration.block_decision import PLANAR, Decision, decided, told_of, with_axes
from noiseless.restoration.block_grid import USUAL_MEMORY, Needs, Pieces, Window, inside, pieces_for
from noiseless.restoration.block_sample import sample_of
from noiseless.restoration.chunked import Chunked, Values, Writer, read_finite
from noiseless.restoration.denoising import report_of
from noiseless.restoration.devices import LocalOnDevice, tensor_on
from noiseless.restoration.measurable import check_measurable
from noiseless.restoration.noise_at_hand import Noise
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal_in_parts import local_denoiser
from noiseless.restoration.sampled_risk import Part, middle_of, risk_of_parts
from noiseless.restoration.tiling import Tiled

AUDITED = 16
"""Windows of the sample that are denoised beforehand, to be looked at."""

DEFAULT = Recipe()


@dataclass(frozen=True, eq=False)
class RestoredByBlocks:
    """What was done to a chunked image.

    Parameters
    ----------
    noise : that was removed, in stored units: of all channels where they are one picture, or else one a channel
    recipe : how
    reports : plain values, one for each noise, as those of images in memory; the audit is that of a sample
    blocks : how many were written
    """

    noise: tuple[NoiseEstimate, ...]
    recipe: Recipe
    reports: tuple[Mapping[str, Any], ...]
    blocks: int


@dataclass(frozen=True, eq=False)
class _Channel:
    """A channel, or all of one picture, and what was decided for it."""

    channels: slice
    decision: Decision
    audit: Audit
    pieces: Pieces


def restore_by_blocks(
    source: Chunked,
    writer: Writer,
    recipe: Recipe = DEFAULT,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
    memory_bytes: int = USUAL_MEMORY,
    device: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> RestoredByBlocks:
    """Denoise an image that need not fit into memory.

    Parameters
    ----------
    source, writer : noisy, and where the result goes
    recipe : of a method whose reach is known
    sigma, noise : as for :func:`noiseless.restore`, in stored units; sigma is a number, or one a channel. None: the
        noise is estimated once for each channel, from a sample.
    memory_bytes : what the arrays may take; with less, smaller blocks are read.
    device : where it is done, as for :func:`noiseless.denoise`
    progress : called with the share that is done, 0 to 1, after each block

    Raises
    ------
    NeedsWholeImage : method, noise or what else is asked for looks at the whole image.
    InvalidParameter : the noise cannot be estimated; there is no such device; the file has to be written in pieces that
        do not fit into memory.
    InvalidImage : a value is NaN or infinite.
    Diverged : so is a denoised one.
    """
    started = time.perf_counter()
    denoiser, like = local_denoiser(recipe), tensor_on(device)
    _check_chunk(source, memory_bytes)
    single = range(source.channels)
    groups = [slice(0, source.channels)] if source.together else [slice(n, n + 1) for n in single]
    told = told_of(sigma, noise, source.channels)
    parts = [
        _decided(source, group, writer.grid, denoiser, recipe, _of_channels(told, group), memory_bytes, like)
        for group in groups
    ]
    work = [(part, item, block) for part in parts for item in range(source.items) for block in part.pieces.blocks]
    for number, (part, item, block) in enumerate(work, start=1):
        writer.write(item, part.channels, block, _restored(source, part, item, block))
        if progress is not None:
            progress(number / len(work))
    seconds = time.perf_counter() - started
    reports = tuple(report_of(part.audit, part.decision.noise, recipe) | {"seconds": seconds} for part in parts)
    return RestoredByBlocks(tuple(part.decision.noise for part in parts), recipe, reports, len(work))


def _check_chunk(source: Chunked, memory_bytes: int) -> None:
    """Refuse a file of which more must be decoded at once than half the memory holds."""
    needed = 2 * math.prod(source.chunk) * source.dtype.itemsize * (source.channels if source.together else 1)
    if needed > memory_bytes:
        raise InvalidParameter(
            f"pieces of {' x '.join(map(str, source.chunk))} pixels, in which the file is coded, need "
            f"{needed / 2**30:.3g} GiB of memory, and {memory_bytes / 2**30:.3g} may be used; allow more"
        )


def _of_channels(told: tuple[Any, Noise], group: slice) -> tuple[Any, Noise]:
    sigma, noise = told
    if not isinstance(sigma, np.ndarray):
        return told
    return (float(sigma[group.start]) if group.stop - group.start == 1 else sigma[group]), noise


def _decided(
    source: Chunked,
    group: slice,
    grid: tuple[int, ...],
    denoiser: LocalDenoiser,
    recipe: Recipe,
    told: tuple[Any, Noise],
    memory_bytes: int,
    like: Array | None,
) -> _Channel:
    """What the sample says of a channel, or of a picture, and into what it is cut."""
    ndim, deep = len(source.space), recipe.method_name not in PLANAR
    sample = sample_of(source, group, memory_bytes=memory_bytes, deep=deep)
    decision = decided(sample, told, denoiser, recipe, ndim)
    if like is not None:
        there = LocalOnDevice(Tiled(decision.removal.denoiser), like)
        decision = replace(decision, removal=replace(decision.removal, denoiser=there))
    needs = Needs(
        space=source.space,
        grid=grid,
        reach=decision.removal.reach(sample.scale),
        deep=deep or decision.removal.is_deep,
        tile=recipe.tile,
        value_bytes=source.dtype.itemsize * sample.channels,
        pixel_bytes=decision.removal.pixel_bytes(sample.channels),
        memory_bytes=memory_bytes,
    )
    by_caller = told[0] is not None or isinstance(told[1], NoiseModel)
    audit = _audit(sample, decision, recipe, ndim, told=by_caller)
    return _Channel(group, decision, audit, pieces_for(needs))


def _audit(sample: Image, decision: Decision, recipe: Recipe, ndim: int, *, told: bool) -> Audit:
    """A look at windows of the sample, and at what comes of them."""
    count, depth = min(sample.volumes, AUDITED), sample.pixels.shape[1] // sample.volumes
    seen = replace(sample, pixels=sample.pixels[:, : count * depth], volumes=count)
    shape = (sample.channels, depth, *sample.space[-2:])
    of_window, axes = (shape, "CZYX") if ndim == 3 else ((shape[0], *shape[2:]), "CYX")
    windows = [
        replace(sample, pixels=sample.volume(number).pixels.reshape(of_window), axes=axes, volumes=1)
        for number in range(sample.volumes)
    ]
    clean = [decision.denoised(window).reshape(shape) for window in windows[:count]]
    risk, found = None, None
    if recipe.predict:
        found = check_measurable(decision.noise.model, seen, told=told)
        parts = [middle_of(window) for window in windows]
        if len(windows) == 1:  # all of the image
            parts = [Part(windows[0], tuple(slice(0, length) for length in windows[0].space[-2:]))]
        risk = risk_of_parts(parts, decision.noise, recipe, decision.denoised)
    of_stack = replace(decision.noise, model=with_axes(decision.noise.model, 3))
    return audit_of(seen, np.concatenate(clean, axis=1), of_stack, recipe, risk, found)


def _restored(source: Chunked, part: _Channel, item: int, block: Window) -> Values:
    """(C, *block) denoised values in stored units."""
    outer = part.pieces.around(block)
    stored = read_finite(source, item, part.channels, outer)
    return part.decision.restored(stored, inside(block, outer), part.pieces.tile, part.pieces.halo)
