"""Which stays enter: rules in their order, each with the stays before and after (a CONSORT table)."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from clinragen.clinical.diagnoses import diagnoses
from clinragen.cohort.tally import Tally
from clinragen.errors import CohortError
from clinragen.recipe import Cohort

IN_THE_RECORDS = "in the records"
_OTHER = {"icu": "hospital", "hospital": "icu"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition a stay must meet to enter, and what a user can do where nobody meets it."""

    name: str
    keeps: pl.Expr
    fix: str


BENCHMARK_RULES = {
    "same_place": Rule(
        "begins and ends in the same ward and care unit",
        (pl.col("first_place") == pl.col("last_place")).fill_null(False),
        "the source may not tell wards and care units; leave same_place out of cohort.rules",
    ),
    "on_record": Rule(
        "of an admission on record",
        pl.col("is_on_record"),
        "check the admissions of the source, or leave on_record out of cohort.rules",
    ),
    "one_stay": Rule(
        "the only stay of its admission among those left",
        pl.len().over("subject_id", "hadm_id") == 1,
        "leave one_stay out of cohort.rules",
    ),
}
"""Rules of the MIMIC-III benchmark (Harutyunyan et al., 2019), by their name in `cohort.rules`."""
CHARTED_RULE = Rule(
    "with at least one of the benchmark's variables charted",
    pl.col("charted") > 0,
    "leave charted out of cohort.rules",
)
_OR_EVENT = ", or with an event that means a label"
POSSIBLE = (
    Rule(
        "with an id of one patient and one admission",
        pl.col("is_one"),
        "the source gives one id to stays of several patients or admissions: check its tables of stays",
    ),
    Rule(
        "begins and ends in that order",
        pl.col("start").is_not_null() & (pl.col("end").is_null() | (pl.col("end") > pl.col("start"))),
        "check the admission and discharge times of the source",
    ),
)
"""What every stay must meet, or its times and ids cannot be believed; an unknown time passes."""
POSSIBLE_ADMISSIONS = (
    Rule(
        "of an admission that does not end before it begins",
        pl.col("is_ordered"),
        "check the admission and discharge times of the hospital",
    ),
    Rule(
        "not begun before the patient was born",
        (pl.col("born") <= pl.col("start")).fill_null(True),
        "check the dates of birth of the source",
    ),
)
"""The same of what lies around the stay; the MIMIC-III benchmark does not look at it."""


def rules_before_measuring(cohort: Cohort) -> tuple[Rule, ...]:
    """The rules that need times, age and codes; an unknown age passes, and is counted elsewhere."""
    has_events = any(label.meds for label in diagnoses())
    return (
        *(BENCHMARK_RULES[name] for name in cohort.rules if name in BENCHMARK_RULES),
        *POSSIBLE,
        *(() if cohort.keep_impossible_admissions else POSSIBLE_ADMISSIONS),
        Rule(
            "predicted after it begins",
            pl.col("prediction_time") > pl.col("start"),
            "change cohort.prediction or cohort.hours; a discharge must be known to count from it",
        ),
        Rule(
            f"at least {cohort.min_age:g} years old, or of unknown age",
            pl.col("age").is_null() | (pl.col("age") >= cohort.min_age),
            "lower cohort.min_age",
        ),
        Rule(
            f"coded with at least one known ICD code{_OR_EVENT if has_events else ''}",
            pl.col("diagnoses").is_not_null(),
            "check that the source holds ICD-9 or ICD-10 codes; without them no label is known",
        ),
    )


def rules_after_measuring(cohort: Cohort) -> tuple[Rule, ...]:
    """The rules that need what was measured and written."""
    has_course = Rule(
        "with a hospital course in a discharge summary",
        pl.col("has_course"),
        'read the notes of the source too, or set cohort.note = "charted"',
    )
    return (
        *((has_course,) if cohort.note == "hospital_course" else ()),
        *((CHARTED_RULE,) if "charted" in cohort.rules else ()),
        Rule(
            f"at least {cohort.min_measurements} measurements by the prediction time",
            pl.col("measured") >= cohort.min_measurements,
            "lower cohort.min_measurements or raise cohort.hours",
        ),
    )


def all_rules(cohort: Cohort) -> tuple[Rule, ...]:
    """Every rule in the order in which it applies."""
    return (*rules_before_measuring(cohort), *rules_after_measuring(cohort))


def select(found: pl.DataFrame, rules: Sequence[Rule]) -> tuple[pl.DataFrame, Tally]:
    """The stays that meet every rule, and how many were left after each."""
    left: Tally = {}
    for rule in rules:
        found = found.filter(rule.keeps)
        left[rule.name] = found.height
    return found, left


def consort(left: Tally, cohort: Cohort) -> list[dict[str, str | int]]:
    """The selection as rows of {rule, before, after}, or an error that names the rule nobody met."""
    before = left.get(IN_THE_RECORDS, 0)
    if not before:
        raise CohortError(
            f"the events hold no {cohort.unit} stay",
            expected=f"{cohort.unit.upper()}_ADMISSION events with an id",
            fix=f'set cohort.unit = "{_OTHER[cohort.unit]}", or check the source',
        )
    rows: list[dict[str, str | int]] = []
    for rule in all_rules(cohort):
        after = left[rule.name]
        if not after:
            raise CohortError(
                f"no stay is left by the rule: {rule.name}", found=f"{before} stays before it", fix=rule.fix
            )
        rows.append({"rule": rule.name, "before": before, "after": after})
        before = after
    return rows
