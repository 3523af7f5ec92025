"""Numbers as a report prints them, and the tables made of them; both forms of the report use these."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.evaluate.bootstrap import Estimate
from clinragen.evaluate.checker import REPORTED
from clinragen.evaluate.evidence import PLACES
from clinragen.evaluate.report.context import ROWS, SIMULATED_ONLY, STUDENT, Kind, ReportContext
from clinragen.evaluate.scores import Scores, slug
from clinragen.schema import VERDICTS

MISSING = "–"
COLUMNS = {
    "micro_f1": "micro-F1",
    "micro_precision": "precision",
    "micro_recall": "recall",
    "macro_f1": "macro-F1",
    "macro_auroc": "macro-AUROC",
    "macro_auprc": "macro-AUPRC",
    "brier": "Brier",
    "ece": "ECE",
}
TEXT_SCORES = {
    "diagnosis/text_is_probabilities": "stays whose text and probabilities name the same set",
    "rationale/inference_backed": "inferences for which there is a cited fact",
    "unparsed": "answers that could not be read",
    "rationale/bleu": "BLEU against the teacher's text",
    "rationale/rouge_l": "ROUGE-L against the teacher's text",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with its interval, as text; `title` says what it was counted over, or why there is none."""

    value: str
    interval: str
    title: str

    def __str__(self) -> str:
        return f"{self.value} {self.interval}".strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    title: str
    kind: Kind
    cells: Sequence[Cell]


def cell(estimate: Estimate | None, form: Callable[[float], str] = "{:.3f}".format) -> Cell:
    """A number for a table; a missing one says why in its title."""
    if estimate is None:
        return Cell(MISSING, "", "not computed in this run")
    if math.isnan(estimate.value):
        return Cell(MISSING, "", estimate.reason)
    counted = f"n = {estimate.n:,}"
    if math.isnan(estimate.low):
        return Cell(form(estimate.value), "", f"{counted}; {estimate.reason}")
    return Cell(form(estimate.value), f"[{form(estimate.low)}, {form(estimate.high)}]", counted)


def signed(value: float) -> str:
    """A difference with its sign; what rounds to zero has none."""
    return f"{value:+.3f}" if round(value, 3) else "0.000"


def percent(value: float) -> str:
    """A share in percent with one decimal."""
    return f"{100 * value:.1f}%"


def comparison(scores: Scores) -> list[Line]:
    """Every model that was scored, its metrics, and last the student's micro-F1 minus its own."""
    return [
        Line(
            row.title,
            row.kind,
            [
                *(cell(scores.get(f"{row.prefix}/{metric}")) for metric in COLUMNS),
                Cell("", "", "the student itself")
                if row is STUDENT
                else cell(scores.get(f"difference/{row.difference}/micro_f1"), signed),
            ],
        )
        for row in ROWS
        if f"{row.prefix}/micro_f1" in scores
    ]


def not_compared(scores: Scores) -> list[str]:
    """The models this run did not score."""
    return [row.title for row in ROWS if f"{row.prefix}/micro_f1" not in scores]


def trained_controls(context: ReportContext) -> str:
    """Whether soft tokens add anything to findings told as text, and how long the controls were trained."""
    against = context.scores.get("difference/student_vs_series_as_text/micro_f1")
    if against is None:
        return ""
    return (
        f"Does reading the series as soft tokens add anything to reading its findings as text? Micro-F1 "
        f"{cell(against, signed)}. Trained controls had {context.control_share:.0%} of the student's steps"
        + ("." if context.control_share == 1 else ", which favours the student.")
    )


def evidence(scores: Scores) -> list[Line]:
    """Recall of every model by where the evidence lies."""
    return [
        Line(row.title, row.kind, [cell(scores[f"{row.recall}/recall/{place}"]) for place in PLACES])
        for row in ROWS
        if f"{row.recall}/recall/note_only" in scores and row.kind != "floor"
    ]


DECODINGS = {
    "readable": "An answer that can be read",
    "judged": "The answer forced from the probabilities",
    "grounded": "The same, of several the best grounded",
}
DECODING_COLUMNS = (
    "texts a stay",
    "micro-F1",
    "less writing freely",
    "unreadable",
    "as the probabilities",
    "series claims supported",
    "less writing freely",
    "note claims supported",
    "less writing freely",
)


def decodings(scores: Scores) -> list[Line]:
    """Every other way to write that was tried, what it does, and what it does less writing freely."""
    return [
        Line(title, "student", _decoding(f"decoding/{name}", scores))
        for name, title in DECODINGS.items()
        if f"decoding/{name}/texts" in scores
    ]


def _decoding(prefix: str, scores: Scores) -> list[Cell]:
    def of(name: str, form: Callable[[float], str]) -> Cell:
        return cell(scores.get(name), form)

    return [
        of(f"{prefix}/texts", "{:.0f}".format),
        of(f"{prefix}/micro_f1", "{:.3f}".format),
        of(f"difference/{prefix}/micro_f1", signed),
        of(f"{prefix}/unparsed", percent),
        of(f"{prefix}/text_is_probabilities", percent),
        of(f"{prefix}/series_supported", percent),
        of(f"difference/{prefix}/series_supported", signed),
        of(f"{prefix}/note_supported", percent),
        of(f"difference/{prefix}/note_supported", signed),
    ]


def by_label(scores: Scores) -> list[Line]:
    """F1 and AUROC of every label, from the student's text and probabilities."""
    names = [(name, f"{STUDENT.prefix}/label/{slug(name)}") for name in diagnosis_names()]
    return [
        Line(name, "student", [cell(scores.get(f"{prefix}/f1")), cell(scores.get(f"{prefix}/auroc"))])
        for name, prefix in names
        if f"{prefix}/f1" in scores
    ]


def claims(scores: Scores) -> list[Line]:
    """The shares of the student's claims by verdict, for each kind of claim that was scored."""
    kinds = {
        "series": "Series claims",
        "note": "Note claims, all",
        "note_stated": "Note claims without inferences",
    }
    return [
        Line(
            title,
            "student",
            [
                *(cell(scores.get(f"held_out/rationale/{kind}_{verdict}"), percent) for verdict in VERDICTS),
                cell(scores.get(f"held_out/rationale/{kind}_claims"), "{:.1f}".format),
            ],
        )
        for kind, title in kinds.items()
        if f"held_out/rationale/{kind}_supported" in scores
    ]


CHECKER_SCORES = {
    "strict_micro_f1": "strict micro-F1, all claims",
    "series/accuracy": "series claims judged right",
    "note/accuracy": "note claims judged right",
    "contradicted_called_supported": "contradicted claims called supported",
}


def checker(scores: Scores) -> list[Line]:
    """How often the checker is right on labelled claims, set by set."""
    return [
        Line(title, "student", [cell(scores.get(f"checker/{part}/{name}"), percent) for part in REPORTED])
        for name, title in CHECKER_SCORES.items()
        if f"checker/{REPORTED[0]}/{name}" in scores
    ]


def text_scores(scores: Scores) -> list[Line]:
    """What else is known of the student's texts."""
    return [
        Line(title, "student", [cell(scores.get(f"held_out/{name}"))]) for name, title in TEXT_SCORES.items()
    ]


def teacher(verdicts: Mapping[str, Any] | None) -> list[tuple[str, list[str]]]:
    """Per part of the teacher's rationales: asked, kept, and its claims by verdict."""
    if verdicts is None:
        return []
    return [(part, _of_teacher(of)) for part, of in verdicts.items() if "claims" in of]


def _of_teacher(of: Mapping[str, Any]) -> list[str]:
    counts = [of["claims"][verdict] for verdict in VERDICTS]
    whole = sum(counts)
    shares = [f"{n:,} ({percent(n / whole)})" if whole else MISSING for n in counts]
    return [f"{of['asked']:,}", f"{of['kept']:,}", *shares]


def why_absent(context: ReportContext, section: str) -> str:
    """Why a section has nothing to show."""
    standard = {"evidence": SIMULATED_ONLY}
    reason = context.absent.get(section) or standard.get(section, "this run did not compute it")
    return f"not available for this source because {reason}"
