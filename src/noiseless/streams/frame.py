"""What a stream takes from its source and what it gives: pixels with a time."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture as its source gives it.

    Parameters
    ----------
    pixels : (Y, X) gray or (Y, X, 3) RGB; uint8, uint16, or float32 with nominal range [0, 1]
    time : seconds since the first picture of this connection by the source's own clock; None where it has none
    """

    pixels: NDArray[Any]
    time: float | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """One denoised frame.

    Parameters
    ----------
    pixels : in the shape and dtype of the source
    time : seconds since the first frame
    index : number of the frame in the source; those that were dropped leave gaps
    latency_ms : from the arrival of the frame to its denoised pixels
    """

    pixels: NDArray[Any]
    time: float
    index: int
    latency_ms: float


@dataclass(frozen=True, eq=False)
class Arrival:
    """One picture on its way from the reading thread to the denoiser.

    Parameters
    ----------
    picture : as the source gave it
    time : seconds since the first frame of the stream, across connections
    index : number in the source
    connection : 0, and one more after each loss of the source
    at : when it arrived, by the clock of the stream
    """

    picture: Picture
    time: float
    index: int
    connection: int
    at: float
