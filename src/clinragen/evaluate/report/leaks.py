"""The leakage audit as tables of a report: how often notes name the answer, and what that alone predicts."""

from collections.abc import Mapping
from typing import Any

from clinragen.cohort.leakage import PHASES
from clinragen.evaluate.names_alone import PREFIXES
from clinragen.evaluate.report.numbers import MISSING, cell, percent
from clinragen.evaluate.scores import Scores

KINDS = ("named_where_coded", "named_where_not_coded")
COLUMNS = ("rule: precision", "rule: recall", "rule: micro-F1", "model: micro-F1", "model: macro-AUROC")


def named(audit: Mapping[str, Any] | None) -> list[tuple[str, int, list[str]]]:
    """Label, coded stays, and how often the note names it: before and after masking, coded and not."""
    labels = {} if audit is None else audit["labels"]
    return [
        (name, of["coded_stays"], [_share(of[phase][kind]) for phase in PHASES for kind in KINDS])
        for name, of in labels.items()
    ]


def names_predict(audit: Mapping[str, Any] | None, scores: Scores) -> list[tuple[str, list[str]]]:
    """For each phase: the rule "coded is what is named as present" on all stays, and a model of the names.

    The model (`names_alone`) is scored on held_out stays.
    """
    if audit is None:
        return []
    rules = {phase: audit["micro"][phase] for phase in PHASES}
    return [
        (
            phase,
            [
                *(_share(rules[phase][name]) for name in ("precision", "recall", "f1")),
                *(str(cell(scores.get(f"{prefix}/{name}"))) for name in ("micro_f1", "macro_auroc")),
            ],
        )
        for phase, prefix in PREFIXES.items()
    ]


def _share(value: float | None) -> str:
    return MISSING if value is None else percent(value)
