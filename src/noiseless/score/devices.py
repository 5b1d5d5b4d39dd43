"""GPUs by name, as torch knows them."""

import torch
from torch import Tensor

from noiseless.errors import InvalidParameter
from noiseless.threads import seat


def tensor_on(name: str) -> Tensor | None:
    """An empty tensor on a device, for others to be made like it; None where "auto" finds no GPU.

    Parameters
    ----------
    name : "cuda:1" and so on; "cuda", or "auto": the first GPU, or where several processes share the work each its own

    Raises
    ------
    InvalidParameter : there is no such device here.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto" and not count:
        return None
    if name in ("auto", "cuda") and count:
        return torch.empty(0, device=f"cuda:{seat() % count}")
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdecimal()):
        raise InvalidParameter(f"device is {name!r}; use 'cpu', 'cuda', 'cuda:1' and so on, or 'auto'")
    if not count:
        raise InvalidParameter(f"device is {name!r}, and torch {torch.__version__} finds no GPU; use 'cpu' or 'auto'")
    if number and int(number) >= count:
        raise InvalidParameter(f"device is {name!r}, and there are {count} GPUs, cuda:0 to cuda:{count - 1}")
    return torch.empty(0, device=name)
