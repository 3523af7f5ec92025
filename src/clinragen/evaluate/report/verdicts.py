"""The verdicts at the head of a report: what was hoped for, what came, and whether that is enough."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from clinragen.evaluate.bootstrap import Estimate
from clinragen.evaluate.report.context import STUDENT, ReportContext
from clinragen.evaluate.report.numbers import Cell, cell, percent, signed
from clinragen.evaluate.scores import Scores

Outcome = Literal["met", "missed", "open"]
MARKS: dict[Outcome, str] = {"met": "✓ met", "missed": "✗ missed", "open": "– no verdict"}
JOINED_MARGIN = 0.0
CEILING_MARGIN = 0.08
LEAST_SERIES_RECALL = 0.60
LEAST_TRUE = 0.95


@dataclass(frozen=True, slots=True)
class Card:
    """One question, the number that answers it, and what was hoped for."""

    question: str
    answer: Cell
    hoped: str
    outcome: Outcome

    @property
    def mark(self) -> str:
        """The outcome in words, so that it does not hang on a colour."""
        return MARKS[self.outcome]


def cards(scores: Scores) -> list[Card]:
    """The five questions every run is asked."""
    series, ceiling = scores.get("held_out/recall/series_only"), scores.get("ceiling/recall/series_only")
    beyond = f"{ceiling.value:.3f}" if ceiling else "unknown"
    return [
        _card(
            "Student minus the joined plain baseline, micro-F1",
            scores.get("difference/student_vs_tfidf_gbdt/micro_f1"),
            "at least 0",
            lambda value: value >= JOINED_MARGIN,
            signed,
        ),
        _card(
            "Recall where only the series shows the diagnosis",
            series,
            f"at least {LEAST_SERIES_RECALL:.2f} and within {CEILING_MARGIN} of the ceiling, {beyond}",
            lambda value: (
                ceiling is not None
                and value >= LEAST_SERIES_RECALL
                and value >= ceiling.value - CEILING_MARGIN
            ),
        ),
        _card(
            "Series claims that the measurements support",
            scores.get("held_out/rationale/series_supported"),
            f"at least {percent(LEAST_TRUE)}",
            lambda value: value >= LEAST_TRUE,
            percent,
        ),
        _card(
            "Series claims that follow another stay's series",
            scores.get("held_out/rationale/swap_follows"),
            f"at least {percent(LEAST_TRUE)}",
            lambda value: value >= LEAST_TRUE,
            percent,
        ),
        _card("Answers that could not be read", scores.get("held_out/unparsed"), "few", None, percent),
    ]


def story(context: ReportContext) -> str:
    """The report in one sentence, signs included."""
    f1 = context.scores.get(f"{STUDENT.prefix}/micro_f1")
    if f1 is None or math.isnan(f1.value):
        return "No held-out stay could be scored."
    parts = [
        f"On {f1.n:,} held-out stays the student names diagnoses with a micro-F1 of {cell(f1)}",
        *_against_baseline(context.scores),
        *_claims_told(context.scores),
    ]
    return "; ".join(parts) + "."


def _card(
    question: str,
    estimate: Estimate | None,
    hoped: str,
    is_enough: Callable[[float], bool] | None,
    form: Callable[[float], str] = "{:.3f}".format,
) -> Card:
    is_known = estimate is not None and not math.isnan(estimate.value)
    if not is_known or is_enough is None or estimate is None:
        return Card(question, cell(estimate, form), hoped, "open")
    return Card(question, cell(estimate, form), hoped, "met" if is_enough(estimate.value) else "missed")


def _against_baseline(scores: Scores) -> Sequence[str]:
    gap = scores.get("difference/student_vs_tfidf_gbdt/micro_f1")
    if gap is None or math.isnan(gap.value):
        return []
    return [f"that is {cell(gap, signed)} against the joined plain baseline"]


def _claims_told(scores: Scores) -> Sequence[str]:
    supported = scores.get("held_out/rationale/series_supported")
    if supported is None or math.isnan(supported.value):
        return []
    return [f"{percent(supported.value)} of what it says of the series is supported by the measurements"]
