"""Before the stages: fit the single weights of the head alone, a logistic regression of a few seconds."""

from collections.abc import Sequence

import numpy as np
import torch

from clinragen.distill.draw import draw
from clinragen.distill.optimiser import schedule
from clinragen.model.batch import Example, collate
from clinragen.model.student import Student

RATE = 2e-2
DROPPED = 0.5
"""Share of the pairs left out in a step; most pairs are met by a few stays only."""


def fit_evidence(student: Student, chosen: Sequence[Example], steps: int, batch: int, seed: int) -> None:
    """Fit what each piece of evidence says alone, on notes and true findings; nothing else is touched."""
    wide = student.head.wide
    for parameter in wide.parameters():
        parameter.requires_grad_(True)
    adam = torch.optim.AdamW(wide.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(steps):
        lesson = collate([chosen[i] for i in draw(chosen, batch, [seed, 31], step)])
        attention = student.pseudo_series(lesson).attention
        rng = np.random.default_rng([seed, 37, step])
        kept = torch.from_numpy(rng.random(lesson.note.shape, dtype=np.float32) >= DROPPED) / (1 - DROPPED)
        logits = wide(lesson, None if attention is None else attention.detach(), kept)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, lesson.labels) * 25
        adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        adam.param_groups[0]["lr"] = RATE * schedule(step, steps)
        adam.step()
