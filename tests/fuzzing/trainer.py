"""A training run of a very small network, to be taken up again."""

from functools import cache
from typing import Any


@cache
def trainer() -> Any:
    """One for all inputs, after one step."""
    import torch

    from noiseless.score.architecture import ResidualShape
    from noiseless.score.networks.residual import ResidualNetwork
    from noiseless.score.patches import pack
    from noiseless.score.training import Trainer, TrainingSettings

    torch.manual_seed(0)
    network = ResidualNetwork(ResidualShape(channels=1, width=8, blocks=1))
    settings = TrainingSettings(steps=3, batch=1, patch=16, warmup=1, precision="float32")
    made = Trainer(network, pack([torch.zeros((1, 16, 16), dtype=torch.uint8)], size=16), settings)
    next(made.run())
    return made
