"""Rules of writing: which pieces may come next, row by row, whatever writes (greedy, beams, sampling)."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LogitsProcessor


class Rule(LogitsProcessor):  # type: ignore[misc]
    """What a text may go on with, given what it says so far; `stays` tells how many rows are not beams."""

    stays: int | None = None

    @abstractmethod
    def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
        """The pieces that may follow in the text of a stay, begin mark left out; empty where all may."""

    def __call__(
        self, input_ids: Int[Tensor, "row piece"], scores: Float[Tensor, "row word"]
    ) -> Float[Tensor, "row word"]:
        """The scores, with the pieces that may not follow forbidden in place; beams share a stay's rule."""
        beams = 1 if self.stays is None else len(scores) // self.stays
        for row, written in enumerate(input_ids[:, 1:].tolist()):
            if allowed := self.allowed(row // beams, written):
                forbid_others(scores[row], allowed)
        return scores


def forbid_others(scores: Float[Tensor, " word"], allowed: Sequence[int]) -> None:
    """Leave only some pieces possible, in place; a single one is certain."""
    kept = scores[list(allowed)].clone() if len(allowed) > 1 else torch.zeros(1, dtype=scores.dtype)
    scores.fill_(-torch.inf)
    scores[list(allowed)] = kept
