"""A statement about a series is judged by arithmetic on its measurements."""

import csv
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clinragen.clinical.findings import findings, sentence
from clinragen.clinical.variables import judged_variables
from clinragen.grounding.sentences import clauses
from clinragen.grounding.series import check_series_clause, series_index
from clinragen.schema import Claim, Measurement, Stay

START = datetime(2130, 1, 1)
FOUR_HOURS = timedelta(hours=4)

# Every variable at 0 h, 4 h, 8 h, ...
CHART = {
    "creatinine": [2.0, 2.5, 3.1, 4.1],
    "BUN": [40, 50, 60],
    "potassium": [4.0, 4.2, 3.1, 4.4, 4.3],
    "sodium": [133, 131, 128],
    "lactate": [1.0, 4.1, 1.8, 1.2, 1.1],
    "WBC": [18, 9],
    "INR": [1.6],
    "heart rate": [120, 110, 130, 125, 99],
    "systolic BP": [85, 88, 120, 110],
    "temperature": [98.0, 99.0, 98.6],
}


def chart_of(values: dict[str, list[float]]) -> Stay:
    table = judged_variables()
    rows = [
        Measurement(
            START + hour * FOUR_HOURS, name, float(value), table[name].unit, table[name].low, table[name].high
        )
        for name, series in values.items()
        for hour, value in enumerate(series)
    ]
    end = START + timedelta(days=2)
    return Stay(
        stay_id="1",
        subject_id=1,
        source="invented",
        split=None,
        start=START,
        prediction_time=end,
        sex="male",
        age=60.0,
        note="",
        note_is_composed=False,
        measurements=tuple(sorted(rows)),
        diagnoses=None,
    )


def claims_of(text: str, stay: Stay) -> list[Claim]:
    index, before, found = series_index(stay), None, []
    for clause in clauses(text):
        claim, before = check_series_clause(clause, index, before)
        found += [claim] if claim else []
    return found


def table(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


@cache
def two_days() -> Stay:
    """A stay of two days with every common kind of course: `series_chart.csv`."""
    rows = tuple(
        Measurement(
            START + timedelta(hours=float(row["hour"])),
            row["variable"],
            float(row["value"]),
            row["unit"],
            float(row["low"]) if row["low"] else None,
            float(row["high"]) if row["high"] else None,
        )
        for row in table("series_chart.csv")
    )
    return replace(chart_of({}), measurements=rows)


@pytest.mark.parametrize("row", table("series_claims.csv"), ids=lambda row: row["text"])
def test_sentences_as_clinicians_write_them(row):
    assert " ".join(claim.verdict for claim in claims_of(row["text"], two_days())) == row["verdicts"]


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in claims_of(text, chart_of(CHART))]


SUPPORTED = """
Creatinine is high and rising, which suggests acute kidney injury.
Potassium is low at times.
Lactate was elevated at times.
Heart rate stays high.
Sodium runs low and is falling.
BUN and creatinine are high.
Potassium is not high.
Creatinine rose from 2.0 to 4.1 mg/dL.
Creatinine peaked at 4.1 mg/dL at 12:00.
She was tachycardic and azotemic.
There was no fever.
The patient remained afebrile.
Heart rate was above 100 in most readings.
Lactate rose to 4.1 and then fell to 1.1.
WBC was high initially and normal at the end.
Leukocytosis of 18 normalised.
Creatinine was 2.0 on admission and 4.1 at the last check.
Creatinine doubled.
She was hypotensive initially.
Moderate hyponatremia was seen.
The nadir of potassium was 3.1.
Potassium was low on one occasion.
Potassium ranged from 3.1 to 4.4.
Potassium was between 3 and 4.5.
Creatinine was 177 µmol/L at first.
Temperature was 37.0 °C.
Heart rate was high for 12 hours at a stretch.
Creatinine did not fall.
Sodium fell by 5 mEq/L.
BUN and creatinine were 40 and 2.0 on admission.
Creatinine was higher at the end than at the start.
Hyperkalemia was absent.
"""

CONTRADICTED = """
Creatinine is high and falling.
Sodium is high.
BUN and potassium are high.
Potassium was never low.
Creatinine rose from 2.0 to 5.1 mg/dL.
Creatinine peaked at 3.1 mg/dL.
Creatinine peaked at 4.1 mg/dL at 04:00.
The patient was febrile.
WBC was normal initially and high at the end.
Severe hyponatremia was seen.
Potassium was low on three occasions.
Heart rate was high for 24 hours straight.
Creatinine is stable.
No hyponatremia was seen.
Temperature was 37.9 °C.
Heart rate was high throughout.
"""

UNVERIFIABLE = """
Potassium is low.
Albumin is low.
Troponin was elevated at 0.5.
Ferritin was 12.
INR is rising.
Creatinine was 2.0 on day 2.
"""


@pytest.mark.parametrize("text", SUPPORTED.strip().splitlines())
def test_what_the_measurements_show_is_supported(text):
    assert set(verdicts(text)) == {"supported"}


@pytest.mark.parametrize("text", CONTRADICTED.strip().splitlines())
def test_what_the_measurements_show_otherwise_is_contradicted(text):
    assert verdicts(text) == ["contradicted"]


@pytest.mark.parametrize("text", UNVERIFIABLE.strip().splitlines())
def test_what_they_do_not_decide_is_unverifiable(text):
    assert verdicts(text) == ["unverifiable"]


@pytest.mark.parametrize(
    "text",
    [
        "Surgical judgement remains central.",
        "Potassium repletion was started.",
        "She has a history of anemia.",
        "A platelet transfusion was given.",
        "She presented with fever and cough.",
        "The note mentions hypotension.",
        "Opioid effect accounts for the slow breathing.",
    ],
)
def test_a_clause_without_a_statement_about_a_series_is_left_to_the_note(text):
    assert verdicts(text) == []


def test_it_and_both_mean_the_variables_named_before():
    assert verdicts("WBC was 18 at first, and it fell.") == ["supported", "supported"]
    assert verdicts("BUN and creatinine are high, and both kept falling.") == ["supported", "contradicted"]


def test_a_list_of_statements_is_a_list_of_claims():
    text = "Creatinine is high and rising, sodium is high, potassium is low at times and lactate is low."
    assert verdicts(text) == ["supported", "contradicted", "supported", "contradicted"]


def test_only_at_times_is_given_as_the_reason():
    (claim,) = claims_of("Potassium is low.", chart_of(CHART))
    assert "only at times" in claim.reason  # 1 of 5 values


def test_evidence_names_the_measurements_that_decided():
    (claim,) = claims_of("Creatinine peaked at 4.1.", chart_of(CHART))
    assert claim.evidence == ("creatinine 4.1 mg/dL at 2130-01-01 12:00",)
    assert (claim.about, claim.subject) == ("series", "creatinine")


LEVELS = st.sampled_from(sorted(judged_variables()))
FLIPPED = {"high": "low", "low": "high", "normal": "high"}


@st.composite
def series(draw):
    name = draw(LEVELS)
    row = judged_variables()[name]
    low, high = row.low or 0.0, row.high if row.high is not None else 100.0
    span = max(high - low, 1.0)
    numbers = st.floats(max(low - span, 0.0), high + span).map(lambda x: round(x, row.decimals))
    return name, draw(st.lists(numbers, min_size=1, max_size=12))


@settings(deadline=None)
@given(series())
def test_the_sentence_of_a_finding_reads_back_as_supported(drawn):
    name, values = drawn
    stay = chart_of({name: values})
    for finding in findings(stay.measurements):
        text = sentence(finding)
        (claim,) = claims_of(text, stay)
        assert claim.verdict == "supported"
        (claim,) = claims_of(f"{text[0].upper()}{text[1:]}.", stay)
        assert claim.verdict == "supported"


@settings(deadline=None)
@given(series())
def test_a_finding_with_its_level_flipped_is_contradicted(drawn):
    name, values = drawn
    stay = chart_of({name: values})
    (finding, *others) = findings(stay.measurements)
    assume(not others)
    (claim,) = claims_of(f"{name} is {FLIPPED[finding.level]}", stay)
    assert claim.verdict == "contradicted"


@settings(deadline=None)
@given(series(), series())
def test_a_sentence_about_an_unmeasured_variable_is_unverifiable(drawn, other):
    (name, values), (unmeasured, _) = drawn, other
    assume(name != unmeasured)
    for finding in findings(chart_of({name: values}).measurements):
        (claim,) = claims_of(sentence(finding).replace(name, unmeasured), chart_of({name: values}))
        assert claim.verdict == "unverifiable"
        assert claim.reason == f"{unmeasured} was never measured"


@settings(deadline=None)
@given(st.text(alphabet=" .,;\nabcCrisehgnd0123456789.-%µ°/", max_size=200))
def test_clauses_are_exact_spans_in_order_that_never_overlap(text):
    end = 0
    for clause in clauses(text):
        assert end <= clause.start < clause.end
        assert text[clause.start : clause.end] == clause.text
        end = clause.end


@settings(deadline=None)
@given(st.lists(st.sampled_from((SUPPORTED + CONTRADICTED + UNVERIFIABLE).split()), max_size=25))
def test_no_jumble_of_words_breaks_the_checker(words):
    for claim in claims_of(" ".join(words), chart_of(CHART)):
        assert claim.verdict in ("supported", "contradicted", "unverifiable")
