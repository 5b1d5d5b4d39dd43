"""How rough the calmest parts of a frame are: what tells, from one frame to the next, that its noise has changed."""

import math

import array_api_compat

from noiseless.denoiser import Array

SIDE = 8
# Pixels of the squares that are compared,

CALM = 0.1
# and the share of them that is calmer than the answer: texture and edges lie in the others.


def roughness_of(frame: Array) -> float:
    """The root mean square of y[i, j] - y[i, j+1] - y[i+1, j] + y[i+1, j+1], halved, in a calm square of the frame.

    For white noise alone it is close below sigma. Its ratio between two frames of a scene is that of their noise.

    Parameters
    ----------
    frame : (C, Y, X) float32

    Returns
    -------
    0 where the frame has no square of 8x8 pixels.
    """
    xp = array_api_compat.array_namespace(frame)
    rows, columns = (frame.shape[1] - 1) // SIDE, (frame.shape[2] - 1) // SIDE
    if rows == 0 or columns == 0:
        return 0.0
    part = frame[:, : rows * SIDE + 1, : columns * SIDE + 1]
    across = part[:, :, 1:] - part[:, :, :-1]
    mixed = across[:, 1:, :] - across[:, :-1, :]
    squares = xp.reshape(mixed**2, (frame.shape[0], rows, SIDE, columns, SIDE))
    energy = xp.sort(xp.reshape(xp.mean(squares, axis=(0, 2, 4)), (-1,)))
    calm = float(energy[int(CALM * (energy.shape[0] - 1))])
    return math.sqrt(calm) / 2.0
