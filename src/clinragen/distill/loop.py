"""The only training loop: every stage, resumable at any step to the same bits."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from clinragen.distill.optimiser import StageOptimiser
from clinragen.distill.stages import Stage
from clinragen.model.batch import Batch, Example, collate, without_note, without_series
from clinragen.model.knowledge_attention import FactAttention
from clinragen.model.student import Student
from clinragen.store import written

POOL = 4
"""Batches drawn at once and sorted by length, so that little is padded."""
WITHHELD = 0.05
"""Share of joint steps without the note, and without the series, so that a part may be missing."""
HEAD_SCALE = 10.0
"""The head's loss is a mean over labels; this brings it to the size of the text's."""
LATEST = "latest.safetensors"

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Losses:
    """The losses of one step."""

    stage: str
    step: int
    text: float
    head: float
    align: float


def train(
    student: Student,
    plan: Sequence[Stage],
    chosen: Sequence[Example],
    seed: int,
    folder: Path,
    every: int,
    tell: Tell = lambda *_: None,
) -> list[Losses]:
    """Train through all stages, from the last checkpoint in `folder` if there is one."""
    total = sum(stage.steps for stage in plan)
    at_stage, at_step = 0, 0
    log: list[Losses] = []
    moments: dict[str, torch.Tensor] = {}
    if (folder / LATEST).exists():
        at_stage, at_step, log, moments = _resume(student, folder / LATEST)
    for index, stage in enumerate(plan[at_stage:], start=at_stage):
        optimiser = StageOptimiser(student, stage)
        optimiser.restore(moments if index == at_stage else {})
        student.train()
        done = sum(earlier.steps for earlier in plan[:index])
        for step in range(at_step if index == at_stage else 0, stage.steps):
            rng = np.random.default_rng([seed, index, step])
            batch = collate([chosen[i] for i in draw(chosen, stage.batch, [seed, index], step)])
            loss, told = _loss(student, stage, batch, rng, step)
            optimiser.step(loss, step)
            log.append(told)
            tell(
                f"stage {index + 1} ({stage.name})  text {told.text:.2f}  head {told.head:.3f}",
                done + step + 1,
                total,
            )
            if (step + 1) % every == 0 or step + 1 == stage.steps:
                _save(student, optimiser, index, step + 1, log, folder / LATEST)
    return log


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


def _loss(
    student: Student, stage: Stage, batch: Batch, rng: np.random.Generator, step: int
) -> tuple[torch.Tensor, Losses]:
    pseudo, known, withheld = rng.random(3)
    if "language" in stage.trains and "series" in stage.trains:
        batch = without_note(batch) if withheld < WITHHELD else batch
        batch = without_series(batch) if withheld > 1 - WITHHELD else batch
    text = head = align = torch.zeros(())
    attention = student.attention
    if isinstance(attention, FactAttention) and stage.align_weight > 0:
        align = attention.align_loss(student.read_series(batch), batch.states)
    if stage.text_weight > 0:
        series = student.pseudo_series(batch) if pseudo < stage.pseudo else student.read_series(batch)
        encoded = student.encode(batch, series, batch.labels if known < stage.known else None)
        text = student.backbone.text_loss(encoded.hidden, encoded.mask, batch.target)
        head = torch.nn.functional.binary_cross_entropy_with_logits(encoded.logits, batch.labels)
        head = head * HEAD_SCALE
    loss = stage.text_weight * text + stage.head_weight * head + stage.align_weight * align
    return loss, Losses(
        stage.name, step, *(round(part.item(), 5) for part in (text, head / HEAD_SCALE, align))
    )


def _save(
    student: Student, optimiser: StageOptimiser, stage: int, step: int, log: list[Losses], path: Path
) -> None:
    tensors = {f"student.{name}": p.detach() for name, p in student.named_parameters()}
    words = {"stage": str(stage), "step": str(step), "log": json.dumps([asdict(row) for row in log])}
    with written(path) as draft:
        save_file({**tensors, **optimiser.tensors()}, draft, metadata=words)


def _resume(student: Student, path: Path) -> tuple[int, int, list[Losses], dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as saved:
        words = saved.metadata()
        tensors = {name: saved.get_tensor(name) for name in saved.keys()}  # noqa: SIM118
    with torch.no_grad():
        for name, parameter in student.named_parameters():
            parameter.copy_(tensors[f"student.{name}"])
    log = [Losses(**row) for row in json.loads(words["log"])]
    return int(words["stage"]), int(words["step"]), log, tensors
