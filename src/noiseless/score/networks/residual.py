"""A stack of bias-free residual blocks at reduced resolution."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noiseless.score.architecture import ResidualShape


class ResidualNetwork(nn.Module):
    """The noise in an image, from the image and its sigma map.

        (y, sigma) -> unfold -> 1x1 -> blocks of  h + conv(relu(conv(h)))  -> 3x3 -> fold -> sigma * eps

    No convolution has a bias and there is no normalisation, so the network is homogeneous of degree one:
    network(a y, a sigma) = a network(y, sigma) for a > 0. One network thus serves every intensity scale, and
    eps = network / sigma depends only on the ratio of contrast to noise. Cost and receptive field are those of
    ``shape``. Borders are zero-padded.

    References
    ----------
    Bias-free: Mohan, Kadkhodaie, Simoncelli, Fernandez-Granda, ICLR 2020, arXiv:1906.05478. Unfolded input with a
    noise map: Zhang, Zuo, Zhang, IEEE TIP 27, 4608 (2018), arXiv:1710.04026.
    """

    def __init__(self, shape: ResidualShape) -> None:
        super().__init__()
        self.shape = shape
        folded = shape.channels * shape.factor**2
        self.head = nn.Conv2d(2 * folded, shape.width, 1, bias=False)
        self.body = nn.ModuleList(Block(shape.width) for _ in range(shape.blocks))
        self.tail = nn.Conv2d(shape.width, folded, 3, padding=1, bias=False)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """(B, C, H, W) noisy image and sigma map, H and W multiples of the factor; returns sigma * eps."""
        hidden = self.head(F.pixel_unshuffle(torch.cat([noisy, sigma], dim=1), self.shape.factor))
        for block in self.body:
            hidden = block(hidden)
        return F.pixel_shuffle(self.tail(hidden), self.shape.factor)


class Block(nn.Module):
    """h + conv(relu(conv(h))). The second convolution starts small, so the untrained stack is near the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, hidden: Tensor) -> Tensor:
        update: Tensor = self.second(F.relu(self.first(hidden)))
        return hidden + update
