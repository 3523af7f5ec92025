"""One shard of stays -> one shard of rationales, every sentence checked against the chart."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from clinragen.grounding.claims import check
from clinragen.schema import Claim, Part, Rationale, Stay
from clinragen.store import read_json, read_stay_shard, write_json, write_nouns, write_text
from clinragen.teach.asking import PARTS, Asking, Reply
from clinragen.teach.teachers import TEACHERS

UNKNOWN_DIAGNOSES = "diagnoses unknown"
CONTRADICTED = "contradicted"

Tally = dict[str, int]
"""Counts by "<part>/<what>"."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A text that did not become a rationale: why, and the claims that the chart contradicts."""

    stay_id: str
    part: Part
    text: str
    author: str
    prompt_id: str
    reason: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class TeachJob:
    """What a worker needs for one shard. `asked` are the training stays to ask about, None for all."""

    stays: Path
    folder: Path
    asked: frozenset[str] | None
    asking: Asking


def teach_shard(job: TeachJob) -> Tally:
    """Write the rationales and rejections of one shard; a finished shard is read, not asked again."""
    rationales = job.folder / "rationales" / f"{job.stays.stem}.jsonl"
    counted = job.folder / "tallies" / f"{job.stays.stem}.json"
    if not rationales.exists():
        stays = [stay for stay in read_stay_shard(job.stays) if _is_asked(stay, job.asked)]
        kept, rejected, tally = taught(stays, job.asking)
        lines = [json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in rejected]
        write_text(job.folder / "rejected" / rationales.name, "".join(lines))
        write_json(counted, tally)
        write_nouns(rationales, kept)
    found: Tally = read_json(counted)
    return found


def taught(stays: Sequence[Stay], asking: Asking) -> tuple[list[Rationale], list[Rejection], Tally]:
    """Ask the teacher about stays and judge its replies; a stay without known diagnoses is not asked."""
    known = [stay for stay in stays if stay.diagnoses is not None]
    replies = TEACHERS[asking.settings.kind].write(known, asking)
    kept: list[Rationale] = []
    rejected = [
        Rejection(stay.stay_id, part, "", "", "", UNKNOWN_DIAGNOSES)
        for stay in stays
        if stay.diagnoses is None
        for part in PARTS
    ]
    tally: Counter[str] = Counter()
    for stay, reply in zip(known, replies, strict=True):
        for found in _judged(stay, reply, asking.settings.keep_contradicted, tally):
            if isinstance(found, Rationale):
                kept.append(found)
            else:
                rejected.append(found)
    tally.update(f"{part}/asked" for part in PARTS for _ in known)
    tally.update(f"{each.part}/kept" for each in kept)
    tally.update(f"{each.part}/rejected: {each.reason}" for each in rejected)
    return kept, rejected, dict(sorted(tally.items()))


def _is_asked(stay: Stay, asked: frozenset[str] | None) -> bool:
    return asked is None or stay.split != "train" or stay.stay_id in asked


def _judged(
    stay: Stay, reply: Reply, keep_contradicted: bool, tally: Counter[str]
) -> Iterator[Rationale | Rejection]:
    for part in PARTS:
        text = reply.note if part == "note" else reply.series
        signed = (reply.author, reply.prompt_id)
        if reply.problem:
            yield Rejection(stay.stay_id, part, text, *signed, reply.problem)
            continue
        claims = check(text, stay)
        tally.update(f"{part}/{claim.verdict}" for claim in claims)
        wrong = tuple(claim for claim in claims if claim.verdict == CONTRADICTED)
        if wrong and not keep_contradicted:
            yield Rejection(stay.stay_id, part, text, *signed, CONTRADICTED, wrong)
        else:
            yield Rationale(stay.stay_id, part, text, *signed)
