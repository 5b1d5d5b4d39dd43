"""Score matching without noise, for small models whose derivatives are cheap.

A score model maps points (batch, d) to vectors (batch, d). Both objectives have the minimum score = grad log p.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacrev, jvp, vmap

Score = Callable[[Tensor], Tensor]


def implicit_score_matching(score: Score, points: Tensor) -> Tensor:
    """E[ |s(x)|^2 / 2 + div s(x) ], with the exact divergence: d backward passes a point.

    Equal to E |s(x) - grad log p(x)|^2 / 2 up to a constant, by partial integration.

    Parameters
    ----------
    score : maps (batch, d) to (batch, d), each point by itself
    points : (batch, d) draws from p

    References
    ----------
    Hyvarinen 2005, JMLR 6, 695.
    """

    def one(point: Tensor) -> Tensor:
        return score(point.unsqueeze(0)).squeeze(0)

    divergence = vmap(lambda point: torch.trace(jacrev(one)(point)))(points)
    return (0.5 * score(points).square().sum(dim=1) + divergence).mean()


def sliced_score_matching(score: Score, points: Tensor, generator: torch.Generator) -> Tensor:
    """E[ |s(x)|^2 / 2 + v . J v ], with one random direction v a point: one forward derivative, whatever d.

    Parameters
    ----------
    score : maps (batch, d) to (batch, d), each point by itself
    points : (batch, d) draws from p
    generator : draws the directions, each of +-1 entries, so that E[v v^T] is the identity

    References
    ----------
    Song, Garg, Shi, Ermon 2019, UAI, arXiv:1905.07088 (with reduced variance).
    """
    directions = torch.randint(2, points.shape, generator=generator, device=points.device).to(points.dtype) * 2 - 1
    scores, slopes = jvp(score, (points,), (directions,))  # type: ignore[misc]
    loss: Tensor = (0.5 * scores.square().sum(dim=1) + (directions * slopes).sum(dim=1)).mean()
    return loss
