"""Data-parallel training under ``torchrun``: every process draws its own patches, and gradients are averaged.

``torchrun`` starts the processes and tells each its rank; without it there is one process and nothing here acts.
"""

import os
from collections.abc import Sequence

import torch
from torch import Tensor, distributed


def join(device: torch.device) -> torch.device:
    """Join the processes that torchrun started, once; the device this process is to use.

    On CUDA each process gets the card of its local rank, and NCCL carries the gradients; on a CPU Gloo does.
    """
    if "WORLD_SIZE" not in os.environ or "RANK" not in os.environ:
        return device
    if str(device) == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return device


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def processes() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def average(gradients: Sequence[Tensor]) -> None:
    """Replace each gradient by its mean over the processes."""
    if processes() == 1:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= processes()
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def longest(seconds: float, device: torch.device) -> float:
    """The largest of a number over the processes, so that all of them stop at the same step."""
    if processes() == 1:
        return seconds
    shared = torch.tensor(seconds, dtype=torch.float64, device=device)
    distributed.all_reduce(shared, distributed.ReduceOp.MAX)
    return float(shared)


def leave(*, wait: bool = True) -> None:
    """Part from the other processes, when all have come here: one that just ends would abort the others."""
    if distributed.is_initialized():
        if wait:
            distributed.barrier()
        distributed.destroy_process_group()
