"""The leakage audit: how often does the note simply name what the stay was coded with?

A label is named where the note mentions it, by name or synonym, as present; negated, past, family and
other mentions do not count.
"""

from collections.abc import Iterable
from typing import Any

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.cohort.masking import label_mentions
from clinragen.cohort.tally import Tally

PHASES = ("before masking", "after masking")


def named_labels(note: str) -> frozenset[str]:
    """The labels a note names as present."""
    return frozenset(mention.concept for mention in label_mentions(note) if mention.status == "present")


def tally_named(named: Iterable[str], coded: Iterable[str]) -> Tally:
    """For one stay, which labels were named rightly (coded too) and which wrongly."""
    answers = set(coded)
    return {f"{label}: {'coded' if label in answers else 'not coded'}": 1 for label in sorted(named)}


def audit(tallies: dict[str, Tally], stays: int, mask: str) -> dict[str, Any]:
    """The audit of all stays: per label the share of coded stays whose note names it, and the rest alike.

    `micro` scores the rule "predict what the note names". Shares are None where there is no such stay.
    """
    coded = tallies.get("labels", {})
    return {
        "mask": mask,
        "stays": stays,
        "micro": {phase: _micro(tallies.get(phase, {}), sum(coded.values())) for phase in PHASES},
        "labels": {
            label: {
                "coded_stays": coded.get(label, 0),
                **{
                    phase: _shares(tallies.get(phase, {}), label, coded.get(label, 0), stays)
                    for phase in PHASES
                },
            }
            for label in diagnosis_names()
        },
    }


def _shares(named: Tally, label: str, coded: int, stays: int) -> dict[str, float | None]:
    return {
        "named_where_coded": _ratio(named.get(f"{label}: coded", 0), coded),
        "named_where_not_coded": _ratio(named.get(f"{label}: not coded", 0), stays - coded),
    }


def _micro(named: Tally, coded: int) -> dict[str, float | None]:
    right = sum(named.get(f"{label}: coded", 0) for label in diagnosis_names())
    wrong = sum(named.get(f"{label}: not coded", 0) for label in diagnosis_names())
    return {
        "precision": _ratio(right, right + wrong),
        "recall": _ratio(right, coded),
        "f1": _ratio(2 * right, right + wrong + coded),
    }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
