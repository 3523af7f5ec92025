"""Learning from pairs: of two texts of the teacher the better grounded one becomes likelier (DPO).

Rafailov et al., NeurIPS 2023, equation 7: -log sigmoid(beta * (gain of the chosen - gain of the rejected)),
gains being log-probabilities over those before this stage. A pair is on one part of a stay, so the student
is shown what that part tells of alone, as in the reading lessons.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from clinragen.distill.processes import alone
from clinragen.errors import RunError
from clinragen.model.batch import Example, note_lesson, series_lesson
from clinragen.model.student import Student
from clinragen.model.text import encode
from clinragen.store import written

REFERENCE = "reference.safetensors"
BATCH = 32


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts on one part of a stay as lessons, the chosen one and the rejected one."""

    part: str
    chosen: Example
    rejected: Example


def pairs(run: Path, student: Student, shown: Mapping[str, Example]) -> list[Pair]:
    """The teacher's preferences on the stays that are shown; raises RunError where there is none."""
    rows = [
        json.loads(line)
        for shard in sorted((run / "teach" / "preferences").glob("*.jsonl"))
        for line in shard.read_text(encoding="utf-8").splitlines()
    ]
    found = [_pair(row, shown[row["stay_id"]], student) for row in rows if row["stay_id"] in shown]
    if not found:
        raise RunError(
            "distill.preference_steps asks for pairs of texts, and the teacher left none on training stays",
            fix="set teach.samples to 2 or more, or distill.preference_steps = 0",
        )
    return found


def _pair(row: Mapping[str, str], stay: Example, student: Student) -> Pair:
    part = row["part"]
    texts = [f"{part.capitalize()}: {row[which]}" for which in ("chosen", "rejected")]
    chosen, rejected = encode(student.tokenizer, texts, student.settings.target_tokens)
    return Pair(part, *(_telling(stay, part, tuple(ids)) for ids in (chosen, rejected)))


def _telling(stay: Example, part: str, text: tuple[int, ...]) -> Example:
    return replace(stay, note_part=text) if part == "note" else replace(stay, series_part=text)


def preference_loss(
    student: Student, compared: Sequence[Pair], before: Float[Tensor, " pair"], beta: float
) -> Float[Tensor, ""]:
    """The mean loss; `before` are the margins of the student as it was before this stage."""
    gain = margins(student, compared) - before.to(student.device)
    loss: Tensor = -torch.nn.functional.logsigmoid(beta * gain).mean()
    return loss


def margins(student: Student, compared: Sequence[Pair]) -> Float[Tensor, " pair"]:
    """How much likelier each chosen text is than its rejected one, as a difference of logs."""
    found = torch.zeros(len(compared), device=student.device)
    for part, lesson in (("note", note_lesson), ("series", series_lesson)):
        places = [place for place, pair in enumerate(compared) if pair.part == part]
        if places:
            likely = []
            for which in ("chosen", "rejected"):
                batch = lesson([getattr(compared[place], which) for place in places]).to(student.device)
                read = student.encode_reading(batch, student.read_series(batch))
                likely.append(
                    student.backbone.log_likelihood(read.context, read.mask, batch.target, read.memory)
                )
            found = found.index_add(0, torch.tensor(places, device=student.device), likely[0] - likely[1])
    return found


def reference(student: Student, compared: Sequence[Pair], folder: Path) -> Float[Tensor, " pair"]:
    """The margins before this stage: computed once and kept, for a resumed student is another one."""
    path = folder / REFERENCE
    alone(lambda: _keep_margins(student, compared, path), None)
    kept: Tensor = load_file(path)["margins"]
    return kept


@torch.no_grad()
def _keep_margins(student: Student, compared: Sequence[Pair], path: Path) -> None:
    if path.exists():
        return
    parts = [margins(student, compared[at : at + BATCH]) for at in range(0, len(compared), BATCH)]
    with written(path) as draft:
        save_file({"margins": torch.cat(parts).cpu()}, draft)
