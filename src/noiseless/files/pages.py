"""Between the pages of a TIFF file and (C, *space): which axis is what, and where alpha lies.

Axes are tifffile's letters. Y and X; S for the samples of a pixel; C for pages that are channels; Z for slices; I and
Q for pages of which nothing is said, which are taken for slices.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import UnsupportedFormat

Pixels = NDArray[np.generic]

PAGE_AXES = ("YX", "YXS", "SYX")
CHANNELS, DEPTHS = "CS", "ZIQ"


def kept_axes(shape: tuple[int, ...], axes: str, page_axes: str) -> tuple[tuple[int, ...], str]:
    """Shape and letters without the leading axes of length one, once it is clear what the others are.

    Raises
    ------
    UnsupportedFormat : a time series, or pages in an order that is neither a volume nor channels.
    """
    if page_axes not in PAGE_AXES or not axes.endswith(page_axes):
        raise UnsupportedFormat(f"its pages are laid out as {axes}, which is no picture or volume; export it as ZYX")
    leading = len(axes) - len(page_axes)
    kept = [n for n in range(len(axes)) if n >= leading or shape[n] > 1]
    letters = "".join(axes[n] for n in kept)
    if "T" in letters:
        raise UnsupportedFormat(f"it is a time series ({letters}); save each frame as a file of its own first")
    channels = [letter for letter in letters if letter in CHANNELS]
    depths = [letter for letter in letters if letter in DEPTHS]
    if len(channels) > 1 or len(depths) > 1 or len(letters) != len(channels) + len(depths) + 2:
        raise UnsupportedFormat(f"its pages are ordered {letters}; only slices (Z) and channels (C) can be read")
    return tuple(shape[n] for n in kept), letters


def channel_first(values: Pixels, axes: str) -> Pixels:
    """(C, *space), from an array with the axes of a file."""
    return np.ascontiguousarray(channel_first_view(values, axes))


def channel_first_view(values: Pixels, axes: str) -> Pixels:
    """As :func:`channel_first`, of the very memory of ``values``."""
    ordered = values.transpose([axes.index(letter) for letter in _order(axes)])
    return ordered if _has_channels(axes) else ordered[np.newaxis]


def page_axes_of(axes: str) -> str:
    """The last letters, those of a single page."""
    return axes[-3:] if "S" in axes else axes[-2:]


def planes(samples: Pixels, axes: str) -> Iterator[Pixels]:
    """The pages of (C, *space) in the order of a file: the inverse of :func:`channel_first`, page by page."""
    ordered = samples if _has_channels(axes) else samples[0]
    stored = ordered.transpose([_order(axes).index(letter) for letter in axes])
    page_ndim = len(page_axes_of(axes))
    for page in stored.reshape(-1, *stored.shape[-page_ndim:]):
        yield np.ascontiguousarray(page)


def _has_channels(axes: str) -> bool:
    return any(letter in CHANNELS for letter in axes)


def _order(axes: str) -> str:
    """The letters of a file's axes as ours: channels, depth, Y, X."""
    rank = {letter: n for n, letter in enumerate(CHANNELS + DEPTHS + "YX")}
    return "".join(sorted(axes, key=lambda letter: rank[letter]))
