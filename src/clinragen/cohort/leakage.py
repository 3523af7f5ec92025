"""The leakage audit: how often does the note simply name what the stay was coded with?

A label is named where the note mentions it, by name or synonym, as present; negated, past, family and
other mentions do not count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.mentions import Status
from clinragen.cohort.masking import label_mentions
from clinragen.cohort.tally import Tally

PHASES = ("before masking", "after masking")

Naming = Mapping[tuple[str, Status], int]
"""How often a note names each label, by status (present, negated, ...); what is not named is left out."""

_NAMING = {
    "stay_id": pl.String,
    "phase": pl.String,
    "label": pl.String,
    "status": pl.String,
    "mentions": pl.Int64,
}


def naming(note: str) -> Naming:
    """What a note names."""
    return Counter((mention.concept, mention.status) for mention in label_mentions(note))


def named_before_and_after(note: str, masked: str) -> dict[str, Naming]:
    """What a note names before and after masking, by phase."""
    before = naming(note)
    return dict(zip(PHASES, (before, before if masked == note else naming(masked)), strict=True))


def naming_table(named: Mapping[str, Mapping[str, Naming]]) -> pl.DataFrame:
    """What the notes of stays name: a row for each stay, phase, label and status, and how often."""
    rows = [
        (stay, phase, label, status, count)
        for stay, phases in named.items()
        for phase, told in phases.items()
        for (label, status), count in sorted(told.items())
    ]
    return pl.DataFrame(rows, schema=_NAMING, orient="row")


def named_labels(note: str) -> frozenset[str]:
    """The labels a note names as present."""
    return _present(naming(note))


def tally_named(named: Naming, coded: Iterable[str]) -> Tally:
    """For one stay, which labels were named as present rightly (coded too) and which wrongly."""
    answers = set(coded)
    present = sorted(_present(named))
    return {f"{label}: {'coded' if label in answers else 'not coded'}": 1 for label in present}


def _present(named: Naming) -> frozenset[str]:
    return frozenset(label for label, status in named if status == "present")


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
