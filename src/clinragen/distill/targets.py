"""Lessons: a stay and the text it teaches, from the rationales the teacher wrote."""

from dataclasses import dataclass
from pathlib import Path

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


def rationales(run: Path) -> dict[str, dict[Part, str]]:
    """The kept rationales of every stay, by part."""
    texts: dict[str, dict[Part, str]] = {}
    for shard in sorted((run / "teach" / "rationales").glob("*.jsonl")):
        for rationale in read_nouns(shard, Rationale):
            texts.setdefault(rationale.stay_id, {})[rationale.part] = rationale.text
    return texts
