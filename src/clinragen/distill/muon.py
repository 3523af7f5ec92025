"""Muon: momentum of a matrix made orthogonal before it is applied (Jordan et al., 2024).

Every direction of an update is as long as every other, so that rare directions are learnt as fast as
common ones. It needs about half the steps of Adam here (docs/notebook.md). torch has a Muon of its own,
which works in bfloat16 and is many times slower on a processor without it.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from clinragen.distill.sharding import held_as, whole

MOMENTUM = 0.95
ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)
"""The Newton-Schulz polynomial that brings every singular value near 1 in five rounds (Jordan et al.)."""
ADAM_SIZE = 0.2
"""An update is as large as one of Adam's, which is mostly of this size (Liu et al., 2025, equation 4)."""


class Muon:
    """Updates matrices that map vectors to vectors; embeddings and single vectors are not for it."""

    def __init__(self, matrices: Sequence[nn.Parameter]) -> None:
        self.momentum = {parameter: torch.zeros_like(parameter) for parameter in matrices}

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One update from the gradients; matrices of one shape are made orthogonal together."""
        wanted: dict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = {}
        for parameter, momentum in self.momentum.items():
            assert parameter.grad is not None
            momentum.lerp_(parameter.grad, 1 - MOMENTUM)
            ahead = parameter.grad.lerp(momentum, MOMENTUM)
            wanted.setdefault(parameter.shape, []).append((parameter, ahead))
        for shape, alike in wanted.items():
            size = ADAM_SIZE * max(shape) ** 0.5
            updates = orthogonal(torch.stack([whole(update) for _, update in alike]))
            for (parameter, _), update in zip(alike, updates, strict=True):
                parameter.add_(held_as(parameter, update), alpha=-rate * size)


def orthogonal(matrices: Float[Tensor, "matrix row column"]) -> Float[Tensor, "matrix row column"]:
    """The nearest matrices whose singular values are all about 1 (between .7 and 1.2)."""
    a, b, c = QUINTIC
    is_tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if is_tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if is_tall else x
