"""How often the checker itself is right, on labelled claims (see `labelled/README.md`).

A predicted claim answers a labelled one if their characters overlap by at least half of the shorter; of
several the one with the largest overlap answers, on a tie the one closest in length.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from clinragen.case import parse_case
from clinragen.grounding.claims import check
from clinragen.schema import Claim, Part, Stay, Verdict

LabelledSet = Literal["wordy", "plain", "paraphrased"]
FILES: Mapping[LabelledSet, tuple[str, ...]] = {
    "wordy": ("a", "b", "c", "d"),
    "plain": ("e", "f", "g"),
    "paraphrased": ("o",),
}
"""The labelled sets by how they are written; the errors of all have been read in making the checker."""
Check = Callable[[str, Stay], tuple[Claim, ...]]


@dataclass(frozen=True, slots=True)
class Label:
    """What an annotator says of a stretch of a rationale."""

    start: int
    end: int
    about: Part
    verdict: Verdict
    kind: str


@dataclass(frozen=True, slots=True)
class LabelledCase:
    """A stay, a rationale, and the labels of its claims."""

    stay: Stay
    rationale: str
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The labels of one case, each with the checker's verdict (None: not found), and its other claims."""

    verdicts: tuple[tuple[Label, Verdict | None], ...]
    spurious: int


@cache
def labelled_cases(part: LabelledSet) -> tuple[LabelledCase, ...]:
    """The labelled cases that come with the package."""
    folder = files("clinragen.grounding") / "labelled"
    return tuple(
        labelled_case(json.loads(line))
        for name in FILES[part]
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    )


def labelled_case(values: Mapping[str, Any]) -> LabelledCase:
    """Read one line of a labelled set: a case file with `claims`."""
    stay, rationale = parse_case({k: v for k, v in values.items() if k != "claims"}, values["case_id"])
    labels = (Label(*(row[name] for name in Label.__slots__)) for row in values["claims"])
    return LabelledCase(stay, rationale or "", tuple(labels))


def judged(case: LabelledCase, check: Check = check) -> Judged:
    """Check a labelled case and lay the verdicts beside the labels."""
    said = check(case.rationale, case.stay)
    answers = [(label, list(_answers(label, said))) for label in case.labels]
    used = {id(claim) for _, found in answers for claim in found}
    return Judged(
        verdicts=tuple((label, _best(label, found)) for label, found in answers),
        spurious=sum(id(claim) not in used for claim in said),
    )


def _answers(label: Label, said: Sequence[Claim]) -> Iterator[Claim]:
    for claim in said:
        shorter = min(label.end - label.start, claim.end - claim.start)
        if 0 < shorter <= 2 * _overlap(label, claim):
            yield claim


def _best(label: Label, found: Sequence[Claim]) -> Verdict | None:
    def preference(claim: Claim) -> tuple[int, int]:
        return _overlap(label, claim), -abs((label.end - label.start) - (claim.end - claim.start))

    return max(found, key=preference).verdict if found else None


def _overlap(label: Label, claim: Claim) -> int:
    return max(0, min(label.end, claim.end) - max(label.start, claim.start))
