"""Score networks on torch tensors: training, gradients and GPUs."""

import torch
from torch import Tensor

from noiseless.score.checkpoint import Checkpoint
from noiseless.score.networks.residual import ResidualNetwork


class TorchEngine:
    """A network in torch: (noisy, sigma map) in, sigma * eps out, on the device of the input.

    Parameters
    ----------
    checkpoint : shape and kernels
    precision : "float32", "bfloat16" inside the network, or "auto": bfloat16 on a GPU that has it
    device : where the kernels are kept, as torch names it
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: str, device: str) -> None:
        place = torch.device(device)
        self.network = build_network(checkpoint).eval().to(place)
        self.network.requires_grad_(requires_grad=False)
        fast = precision == "auto" and place.type == "cuda" and torch.cuda.is_bf16_supported()
        self.enabled = fast or precision == "bfloat16"

    def __call__(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """(B, C, H, W) image and sigma map, H and W multiples of the factor; returns sigma * eps in float32.

        Raises
        ------
        MemoryError : that of the device is too small; a smaller image may fit.
        """
        try:
            noisy = noisy.contiguous(memory_format=torch.channels_last)
            with torch.autocast(noisy.device.type, dtype=torch.bfloat16, enabled=self.enabled):
                residual: Tensor = self.network(noisy, sigma)
            return residual.to(noisy.dtype)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(f"{noisy.device} has no room for {tuple(noisy.shape)}") from error


def build_network(checkpoint: Checkpoint) -> ResidualNetwork:
    """The trainable network that a checkpoint describes."""
    network = ResidualNetwork(checkpoint.shape)
    network.load_state_dict({name: torch.from_numpy(kernel.copy()) for name, kernel in checkpoint.kernels.items()})
    return network
