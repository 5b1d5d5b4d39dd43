"""From images to a checkpoint on disk, with a resume file beside it."""

import dataclasses
import json
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from noiseless.atomic import replacing
from noiseless.errors import IncompatibleCheckpoint, InvalidImage, InvalidParameter
from noiseless.names import lookup
from noiseless.noise import estimate_sigma_per_channel
from noiseless.score import parallel
from noiseless.score.architecture import SIZES, ResidualShape
from noiseless.score.card import card_of
from noiseless.score.checkpoint import Checkpoint, load_model, save
from noiseless.score.engines.torch_engine import build_network
from noiseless.score.networks.residual import ResidualNetwork
from noiseless.score.objective import OBJECTIVES
from noiseless.score.patches import pack
from noiseless.score.training import Trainer, TrainingSettings, TrainingState

# Every so many seconds the run is stored, so that a killed process loses no more than that.
STORE_EVERY = 60.0
_CURVE_KEY = "validation"  # in the metadata of a resume file
# One image in this many is kept from training, for the validation curve; its central square of this side is used.
HELD_BACK, VALIDATION_SIDE = 20, 256


def train(
    images: Sequence[NDArray[np.uint8] | NDArray[np.float32]],
    output: Path,
    *,
    model: str | None = None,
    settings: TrainingSettings | None = None,
    sigma: float | Sequence[float] | None = None,
    start: str | Path | None = None,
    device: str = "cpu",
    card: Mapping[str, Any] | None = None,
) -> Generator[TrainingState, None, None]:
    """Train a score network on clean images or, by another objective, on noisy ones; write the averaged weights.

    Every 20th image is held back for the validation curve. The run is stored every minute in
    ``<output>.resume``, and when the caller closes the generator; called again with the same arguments, it goes on
    from there, as if it had not stopped. Under ``torchrun`` several processes train one network.

    Parameters
    ----------
    images : (C, H, W) arrays, all uint8, or all float32 with nominal range [0, 1]; all gray (C = 1) or all colour
        (C = 3). For "noise2noise", two frames of each scene one after the other: (2 C, H, W).
    output : path of the checkpoint, a ``.safetensors`` file
    model : size of the network, a name in ``SIZES``; None: that of ``start``, or "base"
    settings : see :class:`TrainingSettings`
    sigma : noise of the images, in nominal units, one for all or one an image; only for objectives that take noisy
        images. None estimates it for each channel of each image.
    start : a checkpoint to begin from, or the name of a shipped one ("base"), instead of random weights
    device : as torch names it
    card : what else the card should say: data, licence

    Yields
    ------
    TrainingState : after every step.

    Raises
    ------
    InvalidImage : the images differ in their channels or kind, or have neither 1 nor 3 channels.
    InvalidParameter : ``sigma`` is given for clean images, or does not fit.
    IncompatibleCheckpoint : ``start`` or the resume file belongs to another network.
    Diverged : the loss is no longer finite.
    """
    settings = settings or TrainingSettings()
    objective = OBJECTIVES[settings.objective]
    channels = _channels(images, objective.frames)
    shape, begun = _begun(start, model, channels)
    levels = _levels(images, sigma) if objective.from_noisy else None
    if levels is None and sigma is not None:
        raise InvalidParameter(f"sigma is given, but {settings.objective!r} adds noise to clean images; leave it out")
    place = parallel.join(torch.device(device))
    tensors = [torch.from_numpy(np.ascontiguousarray(image)) for image in images]
    held = list(range(0, len(tensors), HELD_BACK)) if len(tensors) >= HELD_BACK else []
    kept = [index for index in range(len(tensors)) if index not in set(held)]
    torch.manual_seed(settings.seed)
    network = ResidualNetwork(shape) if begun is None else build_network(begun)
    # Images too small for a patch are left out by pack, so their levels must be too.
    kept = [index for index in kept if min(tensors[index].shape[1:]) >= settings.patch] or kept
    trainer = Trainer(
        network,
        pack([tensors[index] for index in kept], size=settings.patch).to(place),
        settings,
        [_nominal(_central_square(tensors[index])) for index in held],
        None if levels is None else levels[kept],
        None if levels is None else levels[held],
    )
    resume_file = output.with_name(output.name + ".resume")
    curve = _resume(trainer, resume_file) if resume_file.exists() else []

    def store() -> None:
        if parallel.rank() == 0:
            with replacing(resume_file, overwrite=True) as temporary:
                temporary.write_bytes(save_tensors(trainer.state(), {_CURVE_KEY: json.dumps(curve)}))

    stored = trainer.elapsed
    try:
        for state in trainer.run():
            if state.psnr:
                named = {f"sigma{key}" if key.isdigit() else key: value for key, value in state.psnr.items()}
                curve.append({"step": state.step, **named})
            yield state
            if state.elapsed - stored > STORE_EVERY:
                store()
                stored = state.elapsed
    except GeneratorExit:
        store()
        parallel.leave(wait=False)
        raise
    if parallel.rank() == 0:
        weights = trainer.averaged_network().state_dict()
        kernels = {name: value.detach().cpu().numpy() for name, value in weights.items()}
        recipe = {
            "size": model,
            "start": None if start is None else Path(start).name,
            **dataclasses.asdict(settings),
            "processes": parallel.processes(),
        }
        full_card = {"steps": trainer.step, "images": len(kept), "recipe": recipe, "validation": curve, **(card or {})}
        save(Checkpoint(shape, kernels, full_card), output)
        resume_file.unlink(missing_ok=True)
    parallel.leave()


def _begun(start: str | Path | None, model: str | None, channels: int) -> tuple[ResidualShape, Checkpoint | None]:
    """The shape of the network, and the checkpoint to begin from."""
    begun = None if start is None else load_model(str(start), channels)
    if begun is not None and model is None:
        return begun.shape, begun
    shape = ResidualShape(channels=channels, **lookup(SIZES, model or "base", kind="model size"))
    if begun is not None and begun.shape != shape:
        raise IncompatibleCheckpoint(f"{start} holds {begun.shape}, the run needs {shape}; choose the same size")
    return shape, begun


def _channels(images: Sequence[NDArray[Any]], frames: int) -> int:
    """Of one frame; the images are all alike."""
    channels = {image.shape[0] for image in images}
    kinds = sorted({image.dtype.name for image in images})
    if kinds not in (["uint8"], ["float32"]):
        raise InvalidImage(f"the training images are of type {', '.join(kinds)}; give only uint8 or only float32")
    if channels not in ({frames}, {3 * frames}):
        each = "" if frames == 1 else f", {frames} frames of each scene"
        raise InvalidImage(
            f"the training images have {sorted(channels)} channels; give only gray or only colour ones{each}"
        )
    return int(channels.pop()) // frames


def _levels(images: Sequence[NDArray[Any]], sigma: float | Sequence[float] | None) -> torch.Tensor:
    """The noise of each channel of each image, (images, C) float32, in nominal units."""
    if sigma is None:
        found = [estimate_sigma_per_channel(_nominal(torch.from_numpy(image)).numpy()) for image in images]
        return torch.tensor(found, dtype=torch.float32)
    given = torch.as_tensor(sigma, dtype=torch.float32)
    if given.shape not in ((), (len(images),)) or not bool((given > 0).all() and given.isfinite().all()):
        raise InvalidParameter(
            f"sigma is {sigma}; give a number above 0 in the units of images of range [0, 1], or {len(images)} of them"
        )
    return given.reshape(-1, 1).expand(len(images), images[0].shape[0]).contiguous()


def _resume(trainer: Trainer, path: Path) -> list[dict[str, float]]:
    """Take the run up again; the validation curve so far."""
    try:
        content = path.read_bytes()
        trainer.resume(load_tensors(content))
        curve: list[dict[str, float]] = card_of(content, _CURVE_KEY)
        return curve
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise IncompatibleCheckpoint(f"cannot go on from {path}; delete it to start afresh") from error


def _nominal(image: torch.Tensor) -> torch.Tensor:
    return image.float() / 255.0 if image.dtype == torch.uint8 else image


def _central_square(image: torch.Tensor) -> torch.Tensor:
    """The middle of an image, its sides even, so that the network needs no padding."""
    height, width = (min(side, VALIDATION_SIDE) // 8 * 8 for side in image.shape[1:])
    top, left = (image.shape[1] - height) // 2, (image.shape[2] - width) // 2
    return image[:, top : top + height, left : left + width]
