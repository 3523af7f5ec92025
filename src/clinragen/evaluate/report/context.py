"""What a report is made of, and the names under which it looks for its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from clinragen.evaluate.calibration import Bin
from clinragen.evaluate.rationale import CheckedRationale
from clinragen.evaluate.scores import Scores
from clinragen.grounding.checker import RULES_ONLY
from clinragen.schema import Prediction, Stay

Kind = Literal["student", "control", "baseline", "floor", "ceiling"]


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the comparison; its scores are `<prefix>/<metric>` and `<recall>/recall/<place>`."""

    title: str
    prefix: str
    recall: str
    kind: Kind

    @property
    def difference(self) -> str:
        """The name of the student's difference from this model, for `difference_scores`."""
        return f"student_vs_{self.prefix.rpartition('/')[2]}"


STUDENT = Row("Student, the text it writes", "held_out/diagnosis", "held_out", "student")
ROWS = (
    STUDENT,
    Row("Student, its probabilities", "held_out/probabilities", "held_out/probabilities", "student"),
    Row("Student shown the note only", "control/note_only", "control/note_only", "control"),
    Row("Student shown the series only", "control/series_only", "control/series_only", "control"),
    Row("Student taught labels only", "control/label_only", "control/label_only", "control"),
    Row("Student shown findings as text", "control/series_as_text", "control/series_as_text", "control"),
    Row("Student shown findings as text too", "control/series_as_both", "control/series_as_both", "control"),
    Row("Student without facts", "control/no_knowledge", "control/no_knowledge", "control"),
    Row(
        "Student with facts in wrong places",
        "control/shuffled_knowledge",
        "control/shuffled_knowledge",
        "control",
    ),
    Row(
        "Student taught others' reasons",
        "control/shuffled_rationales",
        "control/shuffled_rationales",
        "control",
    ),
    Row("TF-IDF and boosting, joined", "baseline/tfidf_gbdt", "baseline/tfidf_gbdt", "baseline"),
    Row("TF-IDF on notes", "baseline/tfidf", "baseline/tfidf", "baseline"),
    Row("Boosting on series summaries", "baseline/gbdt", "baseline/gbdt", "baseline"),
    Row("Floor: every label", "baseline/all", "baseline/all", "floor"),
    Row("Floor: best constant set", "baseline/best_constant", "baseline/best_constant", "floor"),
    Row("Ceiling: given the true findings", "ceiling", "ceiling", "ceiling"),
)

SIMULATED_ONLY = "where the evidence lies is known of the simulated hospital only, and of its labels"


@dataclass(frozen=True, slots=True)
class UsedFact:
    """A fact the student attended to, from which variable, with what share of its attention."""

    text: str
    citation: str
    variable: str
    share: float


@dataclass(frozen=True, slots=True)
class Case:
    """A worked case: the stay, what the student said of it, and the verdicts on its claims."""

    stay: Stay
    prediction: Prediction
    checked: CheckedRationale
    facts: Sequence[UsedFact] = ()


@dataclass(frozen=True, slots=True)
class Ingested:
    """What ingest counted: rows by table, what was quarantined and why, codes that are none of ours."""

    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    quarantine: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unmapped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportContext:
    """Everything a report shows; what is None or empty is told as not available, with `absent[section]`.

    `selection`, `leakage`, `quality` and `teacher` are the values of the files selection.json,
    leakage.json, quality.json (cohort) and verdicts.json (teach); `splits` are the stays of each. `mode`
    names the protocol, `checker` what decided the verdicts. Trained controls had `control_share` of the
    student's steps.
    """

    recipe: str
    source: str
    seed: int
    scores: Scores
    mode: str = "clean mode"
    checker: str = RULES_ONLY
    control_share: float = 1.0
    reliability: Sequence[Bin] = ()
    selection: Sequence[Mapping[str, Any]] = ()
    splits: Mapping[str, int] = field(default_factory=dict)
    leakage: Mapping[str, Any] | None = None
    quality: Mapping[str, Any] | None = None
    ingested: Ingested = Ingested()
    teacher: Mapping[str, Any] | None = None
    cases: Sequence[Case] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
