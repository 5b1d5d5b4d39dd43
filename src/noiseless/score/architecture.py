"""The shape of a score network as data: enough to build it in any engine, and free of any."""

from collections.abc import Mapping
from dataclasses import dataclass

from noiseless.errors import InvalidParameter

LARGEST = 4096
"""Far above every number of a network here; a file that says more would only cost memory."""


@dataclass(frozen=True)
class ResidualShape:
    """What fixes a residual network.

    Parameters
    ----------
    channels : of the image: 1 gray, 3 colour
    width : feature channels
    blocks : residual blocks of two 3x3 convolutions each
    factor : how many pixels a side are folded into channels before the first convolution

    Raises
    ------
    InvalidParameter : a number is below 1, or above ``LARGEST``.
    """

    channels: int
    width: int
    blocks: int
    factor: int = 2

    def __post_init__(self) -> None:
        for name in ("channels", "width", "blocks", "factor"):
            value = getattr(self, name)
            if not (isinstance(value, int) and 1 <= value <= LARGEST):
                shown = f"{value!r:.20}"  # of a file, it may be as long as it likes
                raise InvalidParameter(f"{name} is {shown}; a network needs a whole number from 1 to {LARGEST}")

    @property
    def reach(self) -> int:
        """Pixels, along each axis, that an output pixel can depend on: every 3x3 convolution adds one folded pixel."""
        return self.factor * (2 * self.blocks + 1) + self.factor - 1

    @property
    def multiply_adds(self) -> float:
        """Multiply-adds for each image pixel (all channels together)."""
        folded = self.channels * self.factor**2
        body = 2 * self.blocks * 9 * self.width**2
        return (2 * folded * self.width + body + 9 * self.width * folded) / self.factor**2

    def kernel_shapes(self) -> Mapping[str, tuple[int, int, int, int]]:
        """The name and the (out, in, height, width) of every kernel, in the order in which they are applied."""
        folded = self.channels * self.factor**2
        shapes = {"head.weight": (self.width, 2 * folded, 1, 1)}
        for block in range(self.blocks):
            for part in ("first", "second"):
                shapes[f"body.{block}.{part}.weight"] = (self.width, self.width, 3, 3)
        shapes["tail.weight"] = (folded, self.width, 3, 3)
        return shapes


SIZES: Mapping[str, Mapping[str, int]] = {
    "tiny": {"width": 16, "blocks": 16},
    "base": {"width": 48, "blocks": 14},
    "large": {"width": 96, "blocks": 14},
}
"""Multiply-adds a gray pixel: tiny 0.019 million, base 0.146 million, large 0.58 million."""
