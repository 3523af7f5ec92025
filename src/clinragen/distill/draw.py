"""Which stays a step sees: it depends on the seed and the step alone, so that a run can resume anywhere."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from clinragen.model.batch import Example

POOL = 4
"""Batches drawn at once and sorted by length, so that little is padded."""


def draw(
    chosen: Sequence[Example], size: int, seed: Sequence[int], step: int, most_pieces: int = 0
) -> list[int]:
    """The stays of one step: `size` of them, or so many that their padded pieces stay within a budget.

    Every epoch is a fresh permutation; which stays a step sees depends on nothing but seed and step.
    """
    if most_pieces:
        return _within_budget(chosen, seed, step, most_pieces)
    pool = min(POOL * size, len(chosen))
    per_epoch = max(1, len(chosen) // pool)
    number, within = divmod(step, POOL)
    epoch, place = divmod(number, per_epoch)
    order = np.random.default_rng([*seed, 7, epoch]).permutation(len(chosen))[
        place * pool : (place + 1) * pool
    ]
    by_length = sorted(order.tolist(), key=lambda i: (_pieces(chosen[i]), i))
    cuts = np.array_split(np.array(by_length), POOL)
    turn = np.random.default_rng([*seed, 11, number]).permutation(POOL)[within]
    return [int(i) for i in cuts[turn]] or by_length[:1]


def _pieces(example: Example) -> int:
    return len(example.note) + len(example.target)


def _within_budget(chosen: Sequence[Example], seed: Sequence[int], step: int, most_pieces: int) -> list[int]:
    """Every stay once an epoch, beside others of its length, batches in random order."""
    lengths = tuple(_pieces(example) for example in chosen)
    epoch = 0
    while step >= len(plan := _epoch(lengths, tuple(seed), epoch, most_pieces)):
        step, epoch = step - len(plan), epoch + 1
    return list(plan[step])


@lru_cache(maxsize=4)
def _epoch(
    lengths: tuple[int, ...], seed: tuple[int, ...], epoch: int, most_pieces: int
) -> tuple[tuple[int, ...], ...]:
    """The batches of an epoch; a stay longer than the budget is a batch of its own."""
    rng = np.random.default_rng([*seed, 13, epoch])
    mixed = rng.permutation(len(lengths)).tolist()
    batches: list[list[int]] = [[]]
    for place in sorted(mixed, key=lambda i: lengths[i]):
        if batches[-1] and (len(batches[-1]) + 1) * lengths[place] > most_pieces:
            batches.append([])
        batches[-1].append(place)
    return tuple(tuple(batches[turn]) for turn in rng.permutation(len(batches)))
