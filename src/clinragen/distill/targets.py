"""Lessons: a stay and the text it teaches, from the rationales the teacher wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clinragen.clinical.answer import answer_of, parse_answer
from clinragen.errors import RunError
from clinragen.model.batch import target_text
from clinragen.schema import Part, Rationale, Split, Stay
from clinragen.store import read_nouns, read_stays


@dataclass(frozen=True, slots=True)
class Lesson:
    """One stay, and the text the student is to write for it."""

    stay: Stay
    target: str


def lessons(run: Path, split: Split) -> list[Lesson]:
    """The stays of a split whose rationales were kept in both parts."""
    kept = rationales(run)
    found = [
        Lesson(stay, target_text(stay, parts["note"], parts["series"]))
        for stay in read_stays(run / "cohort" / "stays", split)
        if len(parts := kept.get(stay.stay_id, {})) == 2
    ]
    if not found:
        raise RunError(f"no {split} stay has a rationale in both parts", fix="see teach/verdicts.json")
    return found


def altered(taught: Sequence[Lesson], how: str, seed: int) -> list[Lesson]:
    """The lessons whole, their answers alone, or with the reasons of another stay (two controls)."""
    if how == "whole":
        return list(taught)
    if how == "label_only":
        return [Lesson(lesson.stay, answer_of(lesson.stay.diagnoses or ())) for lesson in taught]
    order = np.random.default_rng([seed, 31]).permutation(len(taught)).tolist()
    told = [parse_answer(taught[other].target) for other in order]
    return [
        Lesson(lesson.stay, target_text(lesson.stay, reasons.note, reasons.series))
        for lesson, reasons in zip(taught, told, strict=True)
    ]


def rationales(run: Path) -> dict[str, dict[Part, str]]:
    """The kept rationales of every stay, by part."""
    texts: dict[str, dict[Part, str]] = {}
    for shard in sorted((run / "teach" / "rationales").glob("*.jsonl")):
        for rationale in read_nouns(shard, Rationale):
            texts.setdefault(rationale.stay_id, {})[rationale.part] = rationale.text
    return texts
