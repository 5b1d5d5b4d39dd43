"""What a header says of each of its frames: rescale, and where in the patient it lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import UnreadableFile

MOST_RESCALED = 1e20
"""Of a slope and an intercept; words times it are still numbers in float32."""

EVEN = 0.01
"""Slices are a volume when their distances differ by no more than this part of them."""


@dataclass(frozen=True)
class Frame:
    """One picture of a header.

    Parameters
    ----------
    slope, intercept : modality units = slope * word + intercept
    position : of its first pixel, in millimetres; empty where it is not said
    orientation : directions of its rows and columns, six numbers; empty likewise
    spacing : millimetres from row to row and from column to column; empty likewise
    """

    slope: float
    intercept: float
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]

    @property
    def height(self) -> float | None:
        """Along the normal of its plane, in millimetres."""
        if len(self.position) != 3 or len(self.orientation) != 6:
            return None
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        return float(normal @ np.asarray(self.position))


def frames_of(header: Any) -> tuple[Frame, ...]:
    """All frames, in the order in which they are stored.

    Raises
    ------
    UnreadableFile : a rescale that is not finite, or beyond all units.
    """
    count = int(header.get("NumberOfFrames") or 1)
    shared = _first(header, "SharedFunctionalGroupsSequence")
    own = list(header.get("PerFrameFunctionalGroupsSequence") or [])
    return tuple(_frame(header, shared, own[number] if number < len(own) else None) for number in range(count))


def spacing_of(frames: Sequence[Frame]) -> tuple[float, ...]:
    """Millimetres from frame to frame, row to row and column to column where the frames are a volume; or else ().

    They are one when they are parallel, stacked, one above the other and evenly apart.
    """
    heights = [frame.height for frame in frames]
    first = frames[0]
    if len(frames) < 2 or None in heights or len(first.spacing) != 2:
        return ()
    alike = all(
        np.allclose(frame.orientation, first.orientation, atol=1e-4) and frame.spacing == first.spacing
        for frame in frames
    )
    steps = np.diff(np.asarray(heights, dtype=np.float64))
    step = float(np.median(steps))
    if not alike or step == 0.0 or np.abs(steps / step - 1.0).max() > EVEN or not _straight(frames):
        return ()
    return (abs(step), *first.spacing)


def _straight(frames: Sequence[Frame]) -> bool:
    """Whether the frames lie above one another, to within a pixel."""
    rows, columns = (np.asarray(frames[0].orientation[part]) for part in (slice(0, 3), slice(3, 6)))
    shifts: NDArray[np.float64] = np.asarray([frame.position for frame in frames]) - np.asarray(frames[0].position)
    across = max(float(np.abs(shifts @ rows).max()), float(np.abs(shifts @ columns).max()))
    return across <= min(frames[0].spacing)


def _frame(header: Any, shared: Any, own: Any) -> Frame:
    def group(name: str) -> Any:
        return _first(own, name) or _first(shared, name)

    rescale = group("PixelValueTransformationSequence") or header
    measures = group("PixelMeasuresSequence") or header
    place, plane = group("PlanePositionSequence") or header, group("PlaneOrientationSequence") or header
    spacing = _numbers(measures.get("PixelSpacing") or measures.get("ImagerPixelSpacing"), 2)
    slope, intercept = float(rescale.get("RescaleSlope") or 1.0), float(rescale.get("RescaleIntercept") or 0.0)
    if not all(abs(number) <= MOST_RESCALED for number in (slope, intercept)):
        raise UnreadableFile(f"its rescale is by {slope:g} and {intercept:g}, which is no unit; it is damaged")
    return Frame(
        slope=slope,
        intercept=intercept,
        position=_numbers(place.get("ImagePositionPatient"), 3),
        orientation=_numbers(plane.get("ImageOrientationPatient"), 6),
        spacing=spacing if all(size > 0.0 for size in spacing) else (),
    )


def _first(group: Any, name: str) -> Any:
    items = group.get(name) if group is not None else None
    return items[0] if items else None


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values or ())
    return numbers if len(numbers) == count and all(np.isfinite(numbers)) else ()
