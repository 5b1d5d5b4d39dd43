"""How the noise level of a training patch is drawn."""

from dataclasses import dataclass

import torch
from torch import Tensor

from noiseless.errors import InvalidParameter


@dataclass(frozen=True)
class Uniform:
    """Noise levels drawn evenly from [low, high]; part of the patches get a level that varies.

    A network that takes a sigma for every pixel and channel must have seen such maps. A ``varied`` share of the
    patches gets, half and half, one level for each channel or a plane that tilts across the patch.

    Parameters
    ----------
    low, high : float, nominal units, 0 < low < high
    varied : float in [0, 1]

    Raises
    ------
    InvalidParameter : the bounds are not in order, or ``varied`` is outside [0, 1].
    """

    low: float = 0.5 / 255
    high: float = 75 / 255
    varied: float = 0.2

    def __post_init__(self) -> None:
        if not 0.0 < self.low < self.high:
            raise InvalidParameter(f"sigma is to be drawn from [{self.low:g}, {self.high:g}]; use 0 < low < high")
        if not 0.0 <= self.varied <= 1.0:
            raise InvalidParameter(f"varied is {self.varied:g}; it is a share of the patches, from 0 to 1")

    def draw(self, shape: tuple[int, int, int, int], generator: torch.Generator) -> Tensor:
        """Sigma for a batch.

        Parameters
        ----------
        shape : (batch, channels, height, width)
        generator : fixes the draw; the result lives on its device.

        Returns
        -------
        (batch, channels, height, width) float32 tensor, every entry in [low, high].
        """
        batch, channels, height, width = shape
        device = generator.device

        def level(*size: int) -> Tensor:
            return self.low + (self.high - self.low) * torch.rand(*size, generator=generator, device=device)

        sigma = level(batch, 1, 1, 1).expand(batch, channels, 1, 1)
        kind = torch.rand(batch, 1, 1, 1, generator=generator, device=device)
        sigma = torch.where(kind < self.varied / 2, level(batch, channels, 1, 1), sigma)
        row = torch.linspace(0, 1, height, device=device).view(1, 1, height, 1)
        column = torch.linspace(0, 1, width, device=device).view(1, 1, 1, width)
        corners = level(batch, 1, 2, 2)
        top = corners[:, :, :1, :1] * (1 - column) + corners[:, :, :1, 1:] * column
        bottom = corners[:, :, 1:, :1] * (1 - column) + corners[:, :, 1:, 1:] * column
        plane = top * (1 - row) + bottom * row
        tilted = (kind >= self.varied / 2) & (kind < self.varied)
        return torch.where(tilted, plane, sigma.expand(batch, channels, height, width))
