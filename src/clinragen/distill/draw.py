"""Which stays a step sees: it depends on the seed and the step alone, so that a run can resume anywhere."""

from collections.abc import Sequence

import numpy as np

from clinragen.model.batch import Example

POOL = 4
"""Batches drawn at once and sorted by length, so that little is padded."""


def draw(chosen: Sequence[Example], size: int, seed: Sequence[int], step: int) -> list[int]:
    """The stays of one step: a pool of four batches without repetition, sorted by length and cut.

    Every epoch is a fresh permutation; which stays a step sees depends on nothing but seed and step.
    """
    pool = min(POOL * size, len(chosen))
    per_epoch = max(1, len(chosen) // pool)
    number, within = divmod(step, POOL)
    epoch, place = divmod(number, per_epoch)
    order = np.random.default_rng([*seed, 7, epoch]).permutation(len(chosen))[
        place * pool : (place + 1) * pool
    ]
    by_length = sorted(order.tolist(), key=lambda i: (len(chosen[i].note) + len(chosen[i].target), i))
    cuts = np.array_split(np.array(by_length), POOL)
    turn = np.random.default_rng([*seed, 11, number]).permutation(POOL)[within]
    return [int(i) for i in cuts[turn]] or by_length[:1]
