"""Fitting the experts: maximum likelihood of noisy patches over all noise levels."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from noiseless.errors import InvalidImage
from noiseless.score.density_file import Mixture, save_density
from noiseless.score.patches import pack

_POOL = 400_000  # patches, drawn once
_BATCH = 4096
_RATE = 0.02
_LOWEST, _HIGHEST = 2 / 255, 75 / 255  # noise levels; evenly drawn in their logarithm
_LEAST_VARIANCE = 1e-9


@dataclass(frozen=True)
class FitState:
    """After a step: how many of how many, and the mean log-likelihood of a coefficient, in nats, without its noise."""

    step: int
    steps: int
    log_likelihood: float


def fit_experts(
    images: Sequence[NDArray[np.uint8] | NDArray[np.float32]],
    output: Path,
    *,
    side: int = 8,
    experts: int = 64,
    steps: int = 6000,
    seed: int = 0,
    card: Mapping[str, Any] | None = None,
) -> Iterator[FitState]:
    """Fit the density of :mod:`noiseless.score.experts` to clean gray images and write it.

    Minimises E[-log p_sigma(patch + sigma n)] over basis, weights and variances, sigma log-uniform from 2 to 75 of
    255, by Adam. The basis starts as the cosine transform and stays orthonormal (it turns by the exponential of an
    antisymmetric matrix); experts start as groups of patches of equal energy.

    Parameters
    ----------
    images : (1, H, W) arrays, all uint8, or all float32 with range [0, 1]
    output : path of the density, a ``.safetensors`` file
    side : of a patch, in pixels
    experts : how many kinds of patches are told apart; denoising takes time in proportion
    steps : of Adam, its rate falling to zero
    seed : fixes what is drawn
    card : what else the card should say: data, licence

    Yields
    ------
    FitState : after every step.

    Raises
    ------
    InvalidImage : an image is not gray.
    """
    if any(image.shape[0] != 1 for image in images):
        raise InvalidImage("the experts are fitted to gray images; give images of one channel")
    generator = torch.Generator().manual_seed(seed)
    drawn, _ = pack([torch.from_numpy(np.ascontiguousarray(image)) for image in images], size=side).draw(
        _POOL, side, generator
    )
    start = torch.from_numpy(_cosine_basis(side)).float()
    pool = (drawn.flatten(1) @ start.T)[:, 1:]
    turn = torch.zeros(side**2 - 1, side**2 - 1, requires_grad=True)
    logits = torch.zeros(experts, requires_grad=True)
    logs = _starting_variances(pool, experts, generator).log().requires_grad_()
    optimiser = torch.optim.Adam([turn, logits, logs], lr=_RATE)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = _RATE * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        sigma = _LOWEST * (_HIGHEST / _LOWEST) ** float(torch.rand(1, generator=generator))
        clean = pool[torch.randint(len(pool), (_BATCH,), generator=generator)]
        noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
        squares = (noisy @ torch.matrix_exp(turn - turn.T).T).square()
        total = logs.exp() + sigma**2
        joint = torch.log_softmax(logits, 0) - 0.5 * total.log().sum(1) - 0.5 * squares @ (1.0 / total).T
        # Without log sigma, which is most of it at strong noise and teaches nothing.
        value = torch.logsumexp(joint, 1).mean() / clean.shape[1] + math.log(sigma)
        optimiser.zero_grad()
        (-value).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        yield FitState(step + 1, steps, float(value.detach()))
    with torch.no_grad():
        basis = start.clone()
        basis[1:] = torch.matrix_exp(turn - turn.T) @ start[1:]
    recipe = {"side": side, "experts": experts, "steps": steps, "seed": seed, "objective": "maximum likelihood"}
    mixture = Mixture(
        _orthonormal(basis),
        torch.softmax(logits.detach(), 0).numpy(),
        (logs.detach().exp() + _LEAST_VARIANCE).numpy(),
        {"kind": "experts", "images": len(images), "recipe": recipe, **(card or {})},
    )
    save_density(mixture, output)


def _cosine_basis(side: int) -> NDArray[np.float64]:
    """The two-dimensional cosine transform of a patch, (side^2, side^2), the mean first."""
    k, i = np.arange(side)[:, None], np.arange(side)
    lines = np.cos(np.pi * k * (i + 0.5) / side) * np.sqrt(np.where(k == 0, 1.0, 2.0) / side)
    return np.kron(lines, lines)


def _starting_variances(pool: Tensor, experts: int, generator: torch.Generator) -> Tensor:
    """The spectrum of each of as many groups of patches, from the calmest to the most lively, a little shuffled."""
    order = pool.square().mean(1).argsort()
    spectra = torch.stack([pool[group].square().mean(0) for group in order.chunk(experts)])
    return spectra * torch.exp(0.3 * torch.randn(spectra.shape, generator=generator)) + _LEAST_VARIANCE


def _orthonormal(basis: Tensor) -> NDArray[np.float32]:
    """The nearest orthonormal basis: six thousand steps of float32 leave one that is orthonormal to 1e-5."""
    left, _, right = np.linalg.svd(basis.numpy().astype(np.float64))
    return np.asarray(left @ right, np.float32)
