"""Training a score network: a generator of states, so the caller owns the progress bar, the files and the stopping."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from noiseless.errors import Diverged, InvalidParameter
from noiseless.names import lookup
from noiseless.score import parallel
from noiseless.score.networks.residual import ResidualNetwork
from noiseless.score.objective import OBJECTIVES
from noiseless.score.patches import Patches
from noiseless.score.self_supervision import risk_map
from noiseless.score.sigma_law import Uniform

_SHARE_OF_NEW = 0.01  # of the last gradient in the running mean of their lengths
_SHARE_OF_RUN = 0.05  # that averaged weights look back


@dataclass(frozen=True)
class TrainingSettings:
    """What a training run is told.

    Parameters
    ----------
    steps : optimiser steps. The learning rate falls to zero over them.
    minutes : a limit on the time; where it is nearer than ``steps``, the learning rate falls to zero over it.
    batch, patch : patches a step, and the side of a patch in pixels
    muon_rate : learning rate of the 3x3 kernels between features
    adam_rate : learning rate of the first and last kernel
    warmup : steps over which the rates rise from zero
    average : decay of the exponential moving average of the weights, in [0, 1); less at first, so that the average
        never reaches further back than the last twentieth of the run so far
    clip : a gradient longer than so many times the running mean of their lengths is cut to that, > 1; inf: never.
        Muon takes steps of one length in the direction of its momentum, so one patch with a gradient a hundred times
        too long, uncut, steers ninety steps.
    objective : what is minimised, a name in :data:`~noiseless.score.objective.OBJECTIVES`
    precision : "float32", "bfloat16" (weights and losses stay float32), or "auto": whichever is faster here
    sigma_law : how the noise levels that are added to clean images are drawn
    validate_every : steps between two validations
    seed : fixes weights, patches and noise

    Raises
    ------
    InvalidParameter : a number is out of its range.
    UnknownName : there is no such objective.
    """

    steps: int = 20_000
    minutes: float = math.inf
    batch: int = 16
    patch: int = 64
    muon_rate: float = 0.005
    adam_rate: float = 1e-3
    warmup: int = 100
    average: float = 0.999
    clip: float = 1.5
    objective: str = "score-matching"
    precision: str = "auto"
    sigma_law: Uniform = field(default_factory=Uniform)
    validate_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "minutes", "batch", "patch", "muon_rate", "adam_rate", "validate_every"):
            if not getattr(self, name) > 0:
                raise InvalidParameter(f"{name} is {getattr(self, name)}; training needs a number above 0")
        lookup(OBJECTIVES, self.objective, kind="objective")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise InvalidParameter(f"precision is {self.precision!r}; use 'auto', 'float32' or 'bfloat16'")
        if not 0.0 <= self.average < 1.0:
            raise InvalidParameter(f"average is {self.average}; the decay of an average lies in [0, 1)")
        if not self.clip > 1.0:
            raise InvalidParameter(f"clip is {self.clip}; use a number above 1, such as 1.5, or inf not to clip")


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Where a run stands after a step.

    Parameters
    ----------
    step, steps : done, and to do
    progress : share of the budget that is spent, of steps or of minutes, whichever is further; 1 at the end
    elapsed : seconds of training so far, over all sessions
    loss : of this step
    patches_a_second : so far, over all processes
    psnr : PSNR in dB of the averaged weights, for each validation sigma in 255ths; of a run on noisy images one figure,
        "predicted", from Stein's estimate of the risk. Empty between validations.
    """

    step: int
    steps: int
    progress: float
    elapsed: float
    loss: float
    patches_a_second: float
    psnr: Mapping[str, float]

    @property
    def remaining(self) -> float:
        """Seconds to go at the pace so far."""
        return self.elapsed * (1.0 - self.progress) / max(self.progress, 1e-9)


class Trainer:
    """A network, its optimisers and its random state, which can be stored and taken up again.

    The 3x3 kernels between features are trained by Muon (momentum made orthogonal) on their (out, in * 9)
    matrices, the first and the last kernel by AdamW without weight decay.

    Parameters
    ----------
    network : trained in place
    patches : the training images; training runs on their device
    settings : see :class:`TrainingSettings`
    validation : (C, H, W) float32 images in [0, 1], clean or noisy as the objective wants; may be empty
    sigmas : (images, C) noise of each image of ``patches``, in the same units, where the objective takes noisy ones
    validation_sigmas : the same for ``validation``

    References
    ----------
    Muon: K. Jordan and others, 2024, kellerjordan.github.io/posts/muon.
    """

    def __init__(
        self,
        network: ResidualNetwork,
        patches: Patches,
        settings: TrainingSettings,
        validation: Sequence[Tensor] = (),
        sigmas: Tensor | None = None,
        validation_sigmas: Tensor | None = None,
    ) -> None:
        self.network = network
        self.patches = patches
        self.settings = settings
        self.device = patches.flat.device
        self.objective = OBJECTIVES[settings.objective]
        self.validation = [image.to(self.device) for image in validation]
        self.sigmas = None if sigmas is None else sigmas.to(self.device)
        self.validation_sigmas = None if validation_sigmas is None else validation_sigmas.to(self.device)
        self.step = 0
        self.elapsed = 0.0
        self.usual_length = math.nan  # running mean of the lengths of gradients, once there was one
        # Activations, not weights, are put channels-last below: the kernels stay contiguous for the matrices of Muon.
        network.to(self.device)
        precision = settings.precision
        if precision == "auto":
            precision = fastest_precision(network.shape.width, settings.batch, self.device)
        self.dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
        kernels = [parameter for name, parameter in network.named_parameters() if name.startswith("body.")]
        ends = [parameter for name, parameter in network.named_parameters() if not name.startswith("body.")]
        # Muon takes matrices; these share the storage of the kernels, and their gradients are set before each step.
        self.kernels = kernels
        self.matrices = [torch.nn.Parameter(kernel.detach().flatten(1)) for kernel in kernels]
        self.optimisers: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(self.matrices, lr=settings.muon_rate, weight_decay=0.0, momentum=0.95, nesterov=True),
            torch.optim.AdamW(ends, lr=settings.adam_rate, weight_decay=0.0),
        )
        self.rates = (settings.muon_rate, settings.adam_rate)
        self.averaged = AveragedModel(network, multi_avg_fn=_moving_average(settings.average))
        self.generator = torch.Generator(self.device)

    def run(self) -> Iterator[TrainingState]:
        """Train to the end of the budget, yielding after every step.

        Raises
        ------
        Diverged : the loss is no longer finite.
        """
        settings = self.settings
        while self._progress() < 1.0:
            started = time.monotonic()
            loss = self._train_step()
            self.step += 1
            self.elapsed = parallel.longest(self.elapsed + time.monotonic() - started, self.device)
            if not math.isfinite(loss):
                raise Diverged(
                    f"the loss is {loss} at step {self.step}; lower muon_rate (now {settings.muon_rate:g}) "
                    "and start again from the last checkpoint"
                )
            progress = self._progress()
            due = self.step % settings.validate_every == 0 or progress >= 1.0
            psnr = self.validate() if due and self.validation and parallel.rank() == 0 else {}
            speed = self.step * settings.batch * parallel.processes() / max(self.elapsed, 1e-9)
            yield TrainingState(self.step, settings.steps, progress, self.elapsed, loss, speed, psnr)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def _progress(self) -> float:
        spent = max(self.step / self.settings.steps, self.elapsed / (60.0 * self.settings.minutes))
        return min(spent, 1.0)

    def _train_step(self) -> float:
        settings = self.settings
        factor = min(1.0, (self.step + 1) / settings.warmup) * 0.5 * (1.0 + math.cos(math.pi * self._progress()))
        for optimiser, rate in zip(self.optimisers, self.rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
        # What is drawn follows from seed, process and step alone, so a run that is taken up again needs no more.
        self.generator.manual_seed(_mixed(settings.seed, parallel.rank(), self.step))
        images, which = self.patches.draw(settings.batch, settings.patch, self.generator)
        images = images.contiguous(memory_format=torch.channels_last)
        if self.sigmas is None:
            size = (images.shape[0], images.shape[1], images.shape[2], images.shape[3])
            sigma = settings.sigma_law.draw(size, self.generator)
        else:
            sigma = self.sigmas[which].view(*images.shape[:2], 1, 1).expand(images.shape)
        self.network.train()
        with self._autocast():
            loss = self.objective.loss(self.network, images, sigma, self.generator)
        self.network.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        parallel.average([kernel.grad for kernel in self.network.parameters() if kernel.grad is not None])
        self._clip_gradients()
        for matrix, kernel in zip(self.matrices, self.kernels, strict=True):
            matrix.grad = None if kernel.grad is None else kernel.grad.flatten(1)
        for optimiser in self.optimisers:
            optimiser.step()
        self.averaged.update_parameters(self.network)
        return float(loss.detach())

    def _clip_gradients(self) -> None:
        """Cut an outlying gradient, of all kernels together, and take note of its length."""
        kernels = list(self.network.parameters())
        length = torch.nn.utils.get_total_norm([kernel.grad for kernel in kernels if kernel.grad is not None])
        if not self.usual_length > 0.0:  # nothing was seen yet, or nothing but images without a gradient
            self.usual_length = float(length)
        most = self.settings.clip * self.usual_length
        if math.isfinite(most):
            torch.nn.utils.clip_grads_with_norm_(kernels, most, length)
        # The mean is of what was left of each, so that an outlier moves it by half a percent and no more.
        self.usual_length += _SHARE_OF_NEW * (min(float(length), most) - self.usual_length)

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Mean PSNR of the averaged weights on the validation images; see :class:`TrainingState`."""
        network = self.averaged_network()
        network.eval()
        if self.validation_sigmas is not None:
            return {"predicted": self._predicted_psnr(network, self.validation_sigmas)}
        corrupt = self.objective.corrupt
        assert corrupt is not None  # of clean images, which have no sigmas
        result = {}
        for level in (15, 25, 50):
            self.generator.manual_seed(level)
            values = []
            for image in self.validation:
                clean = image.unsqueeze(0).contiguous(memory_format=torch.channels_last)
                made = corrupt(clean, torch.full_like(clean, level / 255), self.generator)
                with self._autocast():
                    residual = network(made.noisy, made.sigma)
                error = ((made.noisy - residual.float()).clamp(0, 1) - made.clean).square().mean()
                values.append(_decibels(float(error)))
            result[str(level)] = sum(values) / len(values)
        return result

    def _predicted_psnr(self, network: ResidualNetwork, sigmas: Tensor) -> float:
        """From the mean risk over all images: that of one image has a large error of its own, and may be below 0."""
        self.generator.manual_seed(0)
        total = 0.0
        for image, sigma in zip(self.validation, sigmas, strict=True):
            frame = image[: network.shape.channels].unsqueeze(0).contiguous(memory_format=torch.channels_last)
            level = sigma[: network.shape.channels].view(1, -1, 1, 1).expand(frame.shape)
            total += float(risk_map(network, frame, level, self.generator).mean())
        return _decibels(total / len(self.validation))

    def averaged_network(self) -> ResidualNetwork:
        """The network with averaged weights: the one to keep."""
        module = self.averaged.module
        assert isinstance(module, ResidualNetwork)
        return module

    def state(self) -> dict[str, Tensor]:
        """Everything needed to take the run up again, as flat named tensors."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"averaged.{name}": value for name, value in self.averaged.state_dict().items()}
        for number, optimiser in enumerate(self.optimisers):
            for index, entries in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{number}.{index}.{key}": torch.as_tensor(v) for key, v in entries.items()}
        tensors["step"] = torch.tensor(self.step)
        tensors["elapsed"] = torch.tensor(self.elapsed, dtype=torch.float64)
        tensors["usual_length"] = torch.tensor(self.usual_length, dtype=torch.float64)
        return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Take up a run where :meth:`state` left it; the settings may have changed, the network may not."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}

        self.network.load_state_dict(part("network."))
        self.averaged.load_state_dict(part("averaged."))
        for number, optimiser in enumerate(self.optimisers):
            entries: dict[int, dict[str, Tensor]] = {}
            for name, value in part(f"optimiser.{number}.").items():
                index, key = name.split(".", 1)
                entries.setdefault(int(index), {})[key] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": entries})
        self.step = int(state["step"])
        self.elapsed = float(state["elapsed"])
        self.usual_length = float(state["usual_length"])


def _moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]:
    """What moves averaged weights towards the present ones."""

    @torch.no_grad()
    def move(averaged: Sequence[Tensor], present: Sequence[Tensor], count: Any) -> None:
        share = max(1.0 - decay, 1.0 / (1.0 + _SHARE_OF_RUN * float(count)))
        for old, new in zip(averaged, present, strict=True):
            old.lerp_(new, share)

    return move


def _mixed(*numbers: int) -> int:
    """One seed from several numbers; torch takes 32 bits on a CPU."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _decibels(error: float) -> float:
    return -10.0 * math.log10(max(error, 1e-12))


def fastest_precision(width: int, batch: int, device: torch.device) -> str:
    """The faster of float32 and bfloat16 for a 3x3 convolution, forward and backward, measured on this machine.

    A CPU that lists bfloat16 instructions may still run them no faster than float32: on an Intel Xeon without AMX
    bfloat16 takes 1.7 times as long, on an AMD Zen 4 a third to a half as long.

    Returns
    -------
    "float32" or "bfloat16"
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    generator = torch.Generator(device).manual_seed(0)
    features = torch.randn(batch, width, 32, 32, generator=generator).contiguous(memory_format=torch.channels_last)
    kernel = torch.randn(width, width, 3, 3, generator=generator)
    seconds = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        timings = []
        for _ in range(4):
            inputs = features.to(dtype).requires_grad_(), kernel.to(dtype).requires_grad_()
            started = time.perf_counter()
            torch.nn.functional.conv2d(*inputs, padding=1).sum().backward()  # type: ignore[no-untyped-call]
            timings.append(time.perf_counter() - started)
        seconds[name] = min(timings)
    return min(seconds, key=lambda name: seconds[name])
