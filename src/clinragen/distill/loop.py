"""The only training loop: every stage, resumable at any step to the same bits."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from clinragen.distill.draw import draw
from clinragen.distill.mishaps import StopRequest, check_loss, memory_told, stop_request, stopped
from clinragen.distill.optimiser import StageOptimiser
from clinragen.distill.preferences import Pair, preference_loss, reference
from clinragen.distill.processes import added, all_know, alone, share, weighted
from clinragen.distill.sharding import held_as, whole
from clinragen.distill.stages import Stage
from clinragen.model.backbone import IGNORED
from clinragen.model.batch import (
    Batch,
    Example,
    answer_lesson,
    collate,
    note_lesson,
    series_lesson,
    without_note,
    without_series,
)
from clinragen.model.knowledge_attention import FactAttention
from clinragen.model.student import Encoded, Student
from clinragen.store import written

WITHHELD = 0.05
"""Share of joint steps without the note, and without the series, so that a part may be missing."""
NOTE_LESSONS = 0.5
"""Share of the reading lessons that show the note; the others show the series."""
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
    compared: Sequence[Pair] = (),
) -> list[Losses]:
    """Train through all stages, from the last checkpoint in `folder` if there is one.

    `compared` are what the preference stage learns from, where there is one.

    SIGTERM to any process stops all after the step at hand, saved; a kill loses the steps since the last
    checkpoint.
    """
    with stop_request() as stop, memory_told():
        return _train(student, plan, chosen, seed, folder, every, tell, stop, compared)


def _train(
    student: Student,
    plan: Sequence[Stage],
    chosen: Sequence[Example],
    seed: int,
    folder: Path,
    every: int,
    tell: Tell,
    stop: StopRequest,
    compared: Sequence[Pair],
) -> list[Losses]:
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
        before = reference(student, compared, folder) if stage.preference_beta else torch.zeros(0)
        done = sum(earlier.steps for earlier in plan[:index])
        for step in range(at_step if index == at_stage else 0, stage.steps):
            loss, told = (
                _preference(student, stage, compared, before, [seed, index], step)
                if stage.preference_beta
                else _loss(student, stage, chosen, [seed, index], step)
            )
            check_loss(added(loss), stage.name, step)
            optimiser.step(loss, step)
            log.append(told)
            tell(
                f"stage {index + 1} ({stage.name})  text {told.text:.2f}  head {told.head:.3f}",
                done + step + 1,
                total,
            )
            is_asked = all_know(stop.came)
            if (step + 1) % every == 0 or step + 1 == stage.steps or is_asked:
                _save(student, optimiser, index, step + 1, log, folder / LATEST)
            if is_asked:
                raise stopped(step + 1)
    return log


def _loss(
    student: Student, stage: Stage, chosen: Sequence[Example], seed: Sequence[int], step: int
) -> tuple[torch.Tensor, Losses]:
    rng = np.random.default_rng([*seed, step])
    of_kind = _reading_loss if rng.random() < stage.reading else _whole_loss
    with torch.autocast(student.device.type, torch.bfloat16, enabled=stage.precision == "bf16"):
        return of_kind(student, stage, chosen, seed, step, rng)


def _preference(
    student: Student,
    stage: Stage,
    compared: Sequence[Pair],
    before: torch.Tensor,
    seed: Sequence[int],
    step: int,
) -> tuple[torch.Tensor, Losses]:
    places = np.random.default_rng([*seed, step]).choice(
        len(compared), min(stage.batch, len(compared)), False
    )
    mine, counted = share(places.tolist())
    with torch.autocast(student.device.type, torch.bfloat16, enabled=stage.precision == "bf16"):
        loss = preference_loss(student, [compared[i] for i in mine], before[mine], stage.preference_beta)
    return weighted(loss, counted), _told(stage, step, weighted(loss, counted))


def _reading_loss(
    student: Student,
    stage: Stage,
    chosen: Sequence[Example],
    seed: Sequence[int],
    step: int,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, Losses]:
    """Twice as many stays: findings alone or the note alone, and the judgement alone, each to be told."""
    drawn = draw(chosen, 2 * stage.batch, [*seed, 23], step, 2 * stage.batch_pieces)
    shown, counted = share([chosen[i] for i in drawn])
    is_of_note = rng.random() < NOTE_LESSONS or not stage.shows_series
    is_pseudo = rng.random() < stage.pseudo
    device = student.device
    batch = (note_lesson if is_of_note else series_lesson)(shown).to(device)
    answers = answer_lesson(shown).to(device)
    # A lesson on the note shows no series: which of the two would read it makes no difference but in time.
    series = student.pseudo_series(batch) if is_of_note or is_pseudo else student.read_series(batch)
    heard, judged = student.encode_reading(batch, series), student.judgement(answers.labels)
    text = _text_loss(student, heard, batch, counted)
    answer = _text_loss(student, judged, answers, counted)
    return text + answer, _told(stage, step, text)


def _whole_loss(
    student: Student,
    stage: Stage,
    chosen: Sequence[Example],
    seed: Sequence[int],
    step: int,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, Losses]:
    of_stays = collate if stage.shows_note else series_lesson
    drawn = draw(chosen, stage.batch, seed, step, stage.batch_pieces)
    shown, counted = share([chosen[i] for i in drawn])
    batch = of_stays(shown).to(student.device)
    batch = batch if stage.shows_series else without_series(batch)
    pseudo, withheld = rng.random(2)
    if "language" in stage.trains and "series" in stage.trains:
        batch = without_note(batch) if withheld < WITHHELD else batch
        batch = without_series(batch) if withheld > 1 - WITHHELD else batch
    text = head = align = torch.zeros(())
    attention, read = student.attention, None
    if isinstance(attention, FactAttention) and stage.align_weight > 0:
        read = student.read_series(batch)
        align = weighted(attention.align_loss(read, batch.states), counted and batch.has_series.sum())
    if stage.text_weight > 0:
        is_pseudo = pseudo < stage.pseudo
        series = student.pseudo_series(batch) if is_pseudo else read or student.read_series(batch)
        encoded = student.encode(batch, series, batch.labels)
        text = _text_loss(student, encoded, batch, counted)
        head = weighted(_head_loss(encoded.logits, batch), counted) if stage.head_weight else head
    loss = stage.text_weight * text + stage.head_weight * head + stage.align_weight * align
    return loss, _told(stage, step, text, head / HEAD_SCALE, align)


def _text_loss(student: Student, encoded: Encoded, batch: Batch, counted: int) -> torch.Tensor:
    loss = student.backbone.text_loss(encoded.context, encoded.mask, batch.target, encoded.memory)
    return weighted(loss, counted and (batch.target != IGNORED).sum())


def _told(stage: Stage, step: int, *parts: torch.Tensor) -> Losses:
    text, head, align = [round(added(part).item(), 5) for part in parts] + [0.0] * (3 - len(parts))
    return Losses(stage.name, step, text, head, align)


def _head_loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    return HEAD_SCALE * torch.nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)


def _save(
    student: Student, optimiser: StageOptimiser, stage: int, step: int, log: list[Losses], path: Path
) -> None:
    tensors = {f"student.{name}": whole(p.detach()) for name, p in student.named_parameters()}
    tensors |= optimiser.tensors()
    words = {"stage": str(stage), "step": str(step), "log": json.dumps([asdict(row) for row in log])}
    alone(lambda: _write(tensors, words, path), None)


def _write(tensors: dict[str, torch.Tensor], words: dict[str, str], path: Path) -> None:
    with written(path) as draft:
        save_file(tensors, draft, metadata=words)


def _resume(student: Student, path: Path) -> tuple[int, int, list[Losses], dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as saved:
        words = saved.metadata()
        tensors = {name: saved.get_tensor(name) for name in saved.keys()}  # noqa: SIM118
    with torch.no_grad():
        for name, parameter in student.named_parameters():
            parameter.copy_(held_as(parameter, tensors[f"student.{name}"].to(parameter.device)))
    log = [Losses(**row) for row in json.loads(words["log"])]
    return int(words["stage"]), int(words["step"]), log, tensors
