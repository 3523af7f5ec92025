"""Before the stages: fit the single weights of the head alone, a sparse logistic regression of seconds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from clinragen.distill.draw import draw
from clinragen.distill.optimiser import schedule
from clinragen.model.batch import NOT_MEASURED, Batch, Example, collate
from clinragen.model.student import Student

RATE = 4e-2
BATCH = 64
DROPPED = 0.2
"""Share of word pieces and of variables left out in a step, so that none is leant on alone."""
PENALTY = 5e-4
"""Of the sum of absolute weights; without it the weights learn the training stays by heart."""


def fit_evidence(student: Student, chosen: Sequence[Example], steps: int, seed: int) -> None:
    """Fit what each piece of evidence says alone, on notes and true findings; nothing else is touched."""
    wide = student.head.wide
    for parameter in wide.parameters():
        parameter.requires_grad_(True)
    adam = torch.optim.AdamW(wide.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(steps):
        rng = np.random.default_rng([seed, 37, step])
        shown = thinned(collate([chosen[i] for i in draw(chosen, BATCH, [seed, 31], step)]), rng).to(
            student.device
        )
        attention = student.pseudo_series(shown).attention
        logits = wide(shown, None if attention is None else attention.detach())
        fit = torch.nn.functional.binary_cross_entropy_with_logits(logits, shown.labels)
        loss = fit * shown.labels.shape[1] + PENALTY * wide.size()
        adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        adam.param_groups[0]["lr"] = RATE * schedule(step, steps)
        adam.step()


def thinned(batch: Batch, rng: np.random.Generator) -> Batch:
    """The same stays with a share of their word pieces and variables left out."""
    pieces = torch.from_numpy(rng.random(batch.note.shape) >= DROPPED)
    variables = torch.from_numpy(rng.random(batch.states.shape) >= DROPPED)
    return replace(
        batch,
        note_mask=batch.note_mask & pieces,
        states=batch.states.masked_fill(~variables, NOT_MEASURED),
    )
