"""One shard of stays -> one shard of rationales, every sentence checked against the chart."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from clinragen.engine import chunks
from clinragen.grounding.checker import Checker, checker_of
from clinragen.recipe import Grounding
from clinragen.schema import Rationale, Stay
from clinragen.store import read_json, read_stay_shard, write_json, write_nouns, write_text
from clinragen.teach.asking import PARTS, Asking, Reply
from clinragen.teach.judging import (
    Preference,
    Rejection,
    counts_of_answer,
    judge,
    preferences,
    unknown,
    verdict_on,
)
from clinragen.teach.teachers import TEACHERS

Tally = dict[str, int]
"""Counts by "<part>/<what>", and by "answer/<what>" of a blind teacher's diagnoses."""


@dataclass(frozen=True, slots=True)
class TeachJob:
    """What a worker needs for one shard. `asked` are the training stays to ask about, None for all.

    The checker is built where it works: it cites the facts of `asking` and is set by `grounding`.
    """

    stays: Path
    folder: Path
    asked: frozenset[str] | None
    asking: Asking
    grounding: Grounding


@dataclass
class Taught:
    """What became of a teacher's replies."""

    kept: list[Rationale] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    preferred: list[Preference] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)


def teach_shard(job: TeachJob) -> Tally:
    """Write the rationales, rejections and preferences of one shard; a finished shard is read, not redone."""
    rationales = job.folder / "rationales" / f"{job.stays.stem}.jsonl"
    counted = job.folder / "tallies" / f"{job.stays.stem}.json"
    if not rationales.exists():
        checker = checker_of(job.asking.facts, job.grounding)
        done = taught(list(stays_asked(job)), job.asking, checker)
        _write_lines(job.folder / "rejected" / rationales.name, done.rejected)
        if job.asking.settings.samples > 1:
            _write_lines(job.folder / "preferences" / rationales.name, done.preferred)
        write_json(counted, dict(sorted(done.tally.items())))
        write_nouns(rationales, done.kept)
    found: Tally = read_json(counted)
    return found


def stays_asked(job: TeachJob) -> Iterator[Stay]:
    """The stays of a shard that the teacher is asked about, or would be if their diagnoses were known."""
    for stay in read_stay_shard(job.stays):
        if job.asked is None or stay.split != "train" or stay.stay_id in job.asked:
            yield stay


def taught(stays: Sequence[Stay], asking: Asking, checker: Checker) -> Taught:
    """Ask the teacher about stays and judge its replies; a stay without known diagnoses is not asked."""
    known = [stay for stay in stays if stay.diagnoses is not None]
    done = Taught(rejected=[each for stay in stays if stay.diagnoses is None for each in unknown(stay)])
    replies = TEACHERS[asking.settings.kind].write(known, asking)
    for stay, of_stay in zip(known, _by_stay(replies, len(known)), strict=True):
        _judge(stay, of_stay, asking, checker, done)
    done.tally.update(f"{part}/asked" for part in PARTS for _ in known)
    done.tally.update(f"{each.part}/kept" for each in done.kept)
    done.tally.update(f"{each.part}/rejected: {each.reason}" for each in done.rejected)
    done.tally.update(f"{each.part}/preferences" for each in done.preferred)
    return done


def _by_stay(replies: list[Reply], stays: int) -> list[list[Reply]]:
    return chunks(replies, len(replies) // stays) if stays else []


def _judge(stay: Stay, replies: Sequence[Reply], asking: Asking, checker: Checker, done: Taught) -> None:
    done.tally.update(counts_of_answer(stay, replies, asking.settings))
    for part in PARTS:
        judged = judge(stay, replies, part, asking.settings, checker)
        found = verdict_on(judged[0], stay, asking.settings)
        done.tally.update(f"{part}/{claim.verdict}" for claim in judged[0].claims)
        if isinstance(found, Rationale):
            done.kept.append(found)
            done.preferred.extend(preferences(stay, judged))
        else:
            done.rejected.append(found)


def _write_lines(path: Path, rows: Iterable[Rejection] | Iterable[Preference]) -> None:
    write_text(path, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows))
