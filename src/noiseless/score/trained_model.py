"""From clean images to a checkpoint on disk, with a resume file beside it."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from noiseless.atomic import replacing
from noiseless.errors import IncompatibleCheckpoint, InvalidImage
from noiseless.names import lookup
from noiseless.score.architecture import SIZES, ResidualShape
from noiseless.score.checkpoint import Checkpoint, load, save
from noiseless.score.engines.torch_engine import build_network
from noiseless.score.networks.residual import ResidualNetwork
from noiseless.score.patches import pack
from noiseless.score.training import Trainer, TrainingSettings, TrainingState

# Every so many seconds the run is stored, so that a killed process loses no more than that.
STORE_EVERY = 60.0
# One image in this many is kept from training, for the validation curve; its central square of this side is used.
HELD_BACK, VALIDATION_SIDE = 20, 256


def train(
    images: Sequence[NDArray[np.uint8]],
    output: Path,
    *,
    model: str = "base",
    settings: TrainingSettings | None = None,
    start: Path | None = None,
    device: str = "cpu",
    card: Mapping[str, Any] | None = None,
) -> Iterator[TrainingState]:
    """Train a score network by denoising score matching; write the averaged weights at the end.

    Every 20th image is held back for the validation curve. The run is stored every minute in
    ``<output>.resume``; called again with the same arguments, it goes on from there.

    Parameters
    ----------
    images : (C, H, W) uint8 clean images, all gray (C = 1) or all colour (C = 3)
    output : path of the checkpoint, a ``.safetensors`` file
    model : size of the network, a name in ``SIZES``
    settings : see :class:`TrainingSettings`
    start : a checkpoint to begin from, instead of random weights
    device : as torch names it
    card : what else the card should say: data, licence

    Yields
    ------
    TrainingState : after every step.

    Raises
    ------
    InvalidImage : the images differ in their channels, or have neither 1 nor 3.
    IncompatibleCheckpoint : ``start`` or the resume file belongs to another network.
    Diverged : the loss is no longer finite.
    """
    settings = settings or TrainingSettings()
    channels = {image.shape[0] for image in images}
    if channels not in ({1}, {3}):
        raise InvalidImage(f"the training images have {sorted(channels)} channels; give only gray or only colour ones")
    shape = ResidualShape(channels=channels.pop(), **lookup(SIZES, model, kind="model size"))
    place = torch.device(device)
    tensors = [torch.from_numpy(np.ascontiguousarray(image)) for image in images]
    held = tensors[::HELD_BACK] if len(tensors) >= HELD_BACK else []
    kept = [tensor for index, tensor in enumerate(tensors) if not held or index % HELD_BACK]
    torch.manual_seed(settings.seed)
    network = ResidualNetwork(shape) if start is None else _started(start, shape)
    validation = [_central_square(tensor).float() / 255.0 for tensor in held]
    trainer = Trainer(network, pack(kept, size=settings.patch).to(place), settings, validation)
    resume_file = output.with_name(output.name + ".resume")
    if resume_file.exists():
        _resume(trainer, resume_file)
    stored, curve = trainer.elapsed, []
    for state in trainer.run():
        if state.psnr:
            curve.append({"step": state.step, **{f"sigma{level}": value for level, value in state.psnr.items()}})
        yield state
        if state.elapsed - stored > STORE_EVERY:
            with replacing(resume_file, overwrite=True) as temporary:
                temporary.write_bytes(save_tensors(trainer.state()))
            stored = state.elapsed
    kernels = {name: value.detach().cpu().numpy() for name, value in trainer.averaged_network().state_dict().items()}
    recipe = {"size": model, "objective": "denoising score matching", **dataclasses.asdict(settings)}
    full_card = {"steps": trainer.step, "images": len(kept), "recipe": recipe, "validation": curve, **(card or {})}
    save(Checkpoint(shape, kernels, full_card), output)
    resume_file.unlink(missing_ok=True)


def _started(start: Path, shape: ResidualShape) -> ResidualNetwork:
    checkpoint = load(start)
    if checkpoint.shape != shape:
        raise IncompatibleCheckpoint(f"{start} holds {checkpoint.shape}, the run needs {shape}; choose the same size")
    return build_network(checkpoint)


def _resume(trainer: Trainer, path: Path) -> None:
    try:
        trainer.resume(load_tensors(path.read_bytes()))
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise IncompatibleCheckpoint(f"cannot go on from {path}; delete it to start afresh") from error


def _central_square(image: torch.Tensor) -> torch.Tensor:
    """The middle of an image, its sides even, so that the network needs no padding."""
    height, width = (min(side, VALIDATION_SIDE) // 8 * 8 for side in image.shape[1:])
    top, left = (image.shape[1] - height) // 2, (image.shape[2] - width) // 2
    return image[:, top : top + height, left : left + width]
