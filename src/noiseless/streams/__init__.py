"""Live streams: cameras, networks, pipes and folders being filled, denoised frame by frame within a time budget.

    for frame in Stream("rtsp://camera.local/1", budget_ms=40):
        show(frame.pixels)

    stream = Stream(budget_ms=40)  # for those who have their own loop
    clean = stream.push(noisy)

A thread of its own reads the source; at most two frames wait. The effort of each frame, from the usual network with
motion down to averaging in time, follows what the frames before took, so that the latency stays within the budget; and
only where the cheapest effort is too slow are frames dropped.
"""

from .effort import EFFORTS, Controller, Effort
from .frame import Frame, Picture
from .live import Stream
from .sinks import Sink, open_sink
from .source import Source
from .sources import open_source
from .waiting import DROPS, FrameQueue

__all__ = [
    "DROPS",
    "EFFORTS",
    "Controller",
    "Effort",
    "Frame",
    "FrameQueue",
    "Picture",
    "Sink",
    "Source",
    "Stream",
    "open_sink",
    "open_source",
]
