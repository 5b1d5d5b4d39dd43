"""A trained network fitted to the very images that it is to denoise, without clean ones, by its gains alone."""

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from noiseless.errors import InvalidImage
from noiseless.score.checkpoint import Checkpoint
from noiseless.score.engines.torch_engine import build_network
from noiseless.score.training import fastest_precision

STEPS = 100
"""Of the optimiser, where the time allows."""

RATE, WARMUP = 0.01, 5
"""Of Adam, and the steps in which it rises to that; a gain is 1 to begin with."""

PATCH, BATCH = 128, 4
"""Pixels along a side of a patch, and patches a step."""

PROBE = 0.1
"""Of sigma: how far the image is moved to measure the divergence while it learns, where bfloat16 rounds."""

FINE_PROBE, PROBES = 0.02, 3
"""The same where the risk is measured, in float32, and how often: their chance would be most of it otherwise."""

SURE_ENOUGH = 0.5
"""Standard errors. Gains that learned to the end seldom do harm, so what speaks for them need not be overwhelming."""

BLOCK, SMALLEST = 64, 16
"""Pixels along a side of a block, and of one in a small image. Every other one is held out: what is learned on the
others is judged on it."""

SHARES = (1.0, 0.6, 0.3)
"""Of the way from gains of 1 to what was learned: with few pixels the direction is good and the length is too much."""

TINY = 1e-9
"""In place of a sigma of 0."""


@dataclass(frozen=True, eq=False)
class AdaptedNetwork:
    """A network whose gains were fitted.

    Parameters
    ----------
    checkpoint : with the gains in its kernels; as it was, where nothing better was found
    fall : of the squared error on what was held out, in units of the variance of the noise
    standard_error : of it
    steps : of the optimiser
    share : of the way to the gains that were learned; 0 where nothing was surely better
    risks : on what was held out, in the same units, by share
    """

    checkpoint: Checkpoint
    fall: float
    standard_error: float
    steps: int
    share: float
    risks: Mapping[float, float]


def adapt_gains(
    checkpoint: Checkpoint,
    images: Sequence[NDArray[np.float32]],
    sigmas: Sequence[NDArray[np.float32]],
    *,
    seconds: float,
    seed: int = 0,
) -> AdaptedNetwork:
    """Fit gains of the channels that go into and out of each layer, by Stein's risk of the noisy images.

        minimise over g, h:  |r|^2 / sigma^2 - 2 div r,   r = network(y, sigma) with kernels g_i h_j k_ij,   D = y - r

    A network has some thousand gains, so a single image tells them apart. Every other block is held out: it tells how
    far to go towards what was learned, and nothing changes unless that is better by more than half its standard error.

    Parameters
    ----------
    checkpoint : trained
    images : noisy, (C, H, W) each, C as the network has it; the noise is white and normal
    sigmas : of each image, to broadcast with it
    seconds : most that it may take, but for the last judgement
    seed : of patches and probes

    Raises
    ------
    InvalidImage : all images are so small that nothing can be held out.

    References
    ----------
    Mohan, Vincent, Manzorro, Crozier, Fernandez-Granda, Simoncelli 2021, Adaptive denoising via GainTuning, NeurIPS,
    arXiv:2107.12815.
    """
    began = time.monotonic()
    scenes = [_scene(image, sigma, checkpoint.shape.factor) for image, sigma in zip(images, sigmas, strict=True)]
    learner = _Learner(checkpoint, seed)
    judge = _Judge(scenes, learner, seed)
    if not judge.values:
        raise InvalidImage(f"nothing can be held out; give an image of noise with {4 * SMALLEST} pixels a side or more")
    steps, before = 0, judge.risk()
    for step, progress in _steps(began, seconds):
        learner.step(_drawn(scenes, seed, step), min(1.0, step / WARMUP) * 0.5 * (1.0 + math.cos(math.pi * progress)))
        steps = step
    learned = learner.gains()
    risks = {0.0: before}
    for share in SHARES:
        learner.set_gains({name: 1.0 + share * (gain - 1.0) for name, gain in learned.items()})
        risks[share] = judge.risk()
    share = min(risks, key=risks.__getitem__)
    learner.set_gains({name: 1.0 + share * (gain - 1.0) for name, gain in learned.items()})
    fall, standard_error = before - risks[share], judge.chance()
    if fall <= SURE_ENOUGH * standard_error:
        return AdaptedNetwork(checkpoint, 0.0, standard_error, steps, 0.0, risks)
    return AdaptedNetwork(learner.checkpoint(), fall, standard_error, steps, share, risks)


@dataclass(frozen=True, eq=False)
class _Scene:
    """(1, C, H, W) noisy image and sigma map, and where it is held out, (1, 1, H, W)."""

    noisy: Tensor
    sigma: Tensor
    held: Tensor


def _scene(image: NDArray[np.float32], sigma: NDArray[np.float32], factor: int) -> _Scene:
    """An image cut to a multiple of the factor, in which every other block is held out, as on a chessboard."""
    height, width = (length // factor * factor for length in image.shape[-2:])
    noisy = torch.from_numpy(image[:, :height, :width].astype(np.float32))[None]
    level = torch.from_numpy(np.broadcast_to(sigma, image.shape)[:, :height, :width].astype(np.float32))[None]
    block = min(BLOCK, max(SMALLEST, min(height, width) // 4))
    rows, columns = (torch.arange(length) // block for length in (height, width))
    return _Scene(noisy, level, ((rows[:, None] + columns[None, :]) % 2 == 1)[None, None])


class _Learner:
    """The network with gains that learn."""

    def __init__(self, checkpoint: Checkpoint, seed: int) -> None:
        self.original = checkpoint
        self.generator = torch.Generator().manual_seed(seed)
        self.network = build_network(checkpoint).eval()
        self.kernels = {name: kernel.detach() for name, kernel in self.network.named_parameters()}
        self.factors = {
            f"{side}.{name}": torch.ones(shape, requires_grad=True)
            for name, kernel in self.kernels.items()
            for side, shape in (("out", (kernel.shape[0], 1, 1, 1)), ("in", (1, kernel.shape[1], 1, 1)))
        }
        self.optimiser = torch.optim.Adam(self.factors.values(), lr=RATE, betas=(0.9, 0.99))
        self.fast = fastest_precision(checkpoint.shape.width, BATCH, torch.device("cpu")) == "bfloat16"

    def __call__(self, noisy: Tensor, sigma: Tensor, *, fast: bool = False) -> Tensor:
        """What the network takes for noise."""
        scaled = self._scaled()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast):
            found = functional_call(self.network, scaled, (noisy.contiguous(memory_format=torch.channels_last), sigma))
        return torch.as_tensor(found).float()

    def step(self, patches: _Scene, share: float) -> None:
        """One step of Adam, at a share of its rate, on the risk of some patches where they are not held out."""
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * share
        signs = _signs(patches.noisy, self.generator)
        noisy, sigma, level = patches.noisy, patches.sigma, patches.sigma.clamp(min=TINY)
        both = torch.cat([noisy, noisy + PROBE * sigma * signs]), torch.cat([sigma, sigma])
        at, beyond = self(*both, fast=self.fast).chunk(2)
        used = _counted(~patches.held, patches).float()
        risk = _risk_map(at / level, (beyond - at) / (PROBE * level), signs)
        loss = (risk * used).sum() / used.sum().clamp(min=1.0)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()

    def gains(self) -> dict[str, Tensor]:
        return {name: gain.detach().clone() for name, gain in self.factors.items()}

    @torch.no_grad()
    def set_gains(self, gains: Mapping[str, Tensor]) -> None:
        for name, gain in gains.items():
            self.factors[name].copy_(gain)

    def checkpoint(self) -> Checkpoint:
        """The network with its gains in its kernels."""
        return dataclasses.replace(
            self.original, kernels={name: kernel.detach().numpy() for name, kernel in self._scaled().items()}
        )

    def _scaled(self) -> dict[str, Tensor]:
        """The kernels with the gains of what goes out of them and what comes into them."""
        return {
            name: kernel * self.factors[f"out.{name}"] * self.factors[f"in.{name}"]
            for name, kernel in self.kernels.items()
        }


class _Judge:
    """The risk of what was held out, by the same probes each time."""

    def __init__(self, scenes: Sequence[_Scene], learner: _Learner, seed: int) -> None:
        self.learner = learner
        generator = torch.Generator().manual_seed(seed)
        self.probed = [(scene, [_signs(scene.noisy, generator) for _ in range(PROBES)]) for scene in scenes]
        self.values = sum(int(_counted(scene.held, scene).sum()) for scene in scenes)
        self.before = list(self._responses())

    def risk(self) -> float:
        """Mean over what is held out, in units of the variance of the noise."""
        total = 0.0
        for (scene, probes), (at, slopes) in zip(self.probed, self._responses(), strict=True):
            total += sum(_sum(_risk_map(at, *pair), scene) for pair in zip(slopes, probes, strict=True)) / PROBES
        return total / max(self.values, 1)

    def chance(self) -> float:
        """Standard error of the fall of the risk since the beginning about that of the true error.

        For f = r - r_before with the Jacobian J it is sqrt(4 |f|^2 / sigma^2 + (4 + 8 / probes) |J|^2) / N, by Stein's
        second identity and the chance of the probes.
        """
        total = 0.0
        for (scene, _), (at, slopes), (first, steep) in zip(self.probed, self._responses(), self.before, strict=True):
            total += 4.0 * _sum((at - first).square(), scene)
            energy = sum(_sum((now - then).square(), scene) for now, then in zip(slopes, steep, strict=True)) / PROBES
            total += (4.0 + 8.0 / PROBES) * energy
        return math.sqrt(total) / max(self.values, 1)

    @torch.no_grad()
    def _responses(self) -> Iterator[tuple[Tensor, list[Tensor]]]:
        """For each scene r / sigma, and its change along each probe."""
        for scene, probes in self.probed:
            level = scene.sigma.clamp(min=TINY)
            at = self.learner(scene.noisy, scene.sigma)
            moved = (self.learner(scene.noisy + FINE_PROBE * scene.sigma * signs, scene.sigma) for signs in probes)
            yield at / level, [(beyond - at) / (FINE_PROBE * level) for beyond in moved]


def _sum(values: Tensor, scene: _Scene) -> float:
    return float((values * _counted(scene.held, scene)).sum(dtype=torch.float64))


def _counted(where: Tensor, scene: _Scene) -> Tensor:
    return where & (scene.sigma > 0.0)


def _risk_map(at: Tensor, slope: Tensor, signs: Tensor) -> Tensor:
    """Stein's risk of each pixel in units of its variance: (r / sigma)^2 + 1 - 2 dr / dy."""
    return at.square() + 1.0 - 2.0 * signs * slope


def _signs(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randint(2, like.shape, generator=generator).to(like.dtype) * 2.0 - 1.0


def _drawn(scenes: Sequence[_Scene], seed: int, step: int) -> _Scene:
    """Patches of one image, which is drawn by its size."""
    rng = np.random.default_rng((seed, step))
    sizes = np.array([scene.noisy.numel() for scene in scenes], np.float64)
    scene = scenes[int(rng.choice(len(scenes), p=sizes / sizes.sum()))]
    height, width = scene.noisy.shape[-2:]
    size = min(PATCH, height, width)
    corners = zip(rng.integers(0, height - size + 1, BATCH), rng.integers(0, width - size + 1, BATCH), strict=True)
    places = [(..., slice(row, row + size), slice(column, column + size)) for row, column in corners]
    parts = (torch.cat([tensor[place] for place in places]) for tensor in (scene.noisy, scene.sigma, scene.held))
    return _Scene(*parts)


def _steps(began: float, seconds: float) -> Iterator[tuple[int, float]]:
    """Numbers of steps, from 1, and how far the run is by steps or time; the last has come to 1."""
    for step in range(1, STEPS + 1):
        progress = min(1.0, max(step / STEPS, (time.monotonic() - began) / seconds))
        yield step, progress
        if progress >= 1.0:
            return
