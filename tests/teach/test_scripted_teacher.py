"""The scripted teacher tells only what the record shows, and explains it with facts."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinragen.clinical.variables import judged_variables
from clinragen.grounding.claims import check
from clinragen.knowledge.base import curated_facts
from clinragen.recipe import Teach
from clinragen.schema import Stay
from clinragen.teach.asking import Asking
from clinragen.teach.scripted import links_of, note_part, series_part, write
from patients import measured, stay

LINKS = links_of(curated_facts())
ASKING = Asking(Teach(), False, 0, curated_facts(), Path("unused"))


def series_of(told: Stay, seed: int = 0) -> str:
    return series_part(told, LINKS, np.random.default_rng(seed))


def note_of(told: Stay, seed: int = 0) -> str:
    return note_part(told, LINKS, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(8))
def test_a_finding_is_told_and_explained_by_a_diagnosis_of_the_stay(seed: int):
    # 1.5 -> 3.0 mg/dL: above 1.2 throughout, and up by 100%.
    told = series_of(stay(measured("creatinine", 1.5, 2.0, 3.0), diagnoses=["acute kidney injury"]), seed)
    assert re.fullmatch(
        r"Creatinine (is|was|has been) high and rising, suggesting acute kidney injury\.", told
    )


def test_a_finding_without_a_diagnosis_is_told_and_not_explained():
    assert "suggesting" not in series_of(stay(measured("creatinine", 1.5, 2.0, 3.0)))


def test_the_words_vary_but_keep_level_and_trend():
    told = {series_of(stay(measured("creatinine", 1.5, 2.0, 3.0)), seed) for seed in range(30)}
    assert told == {
        "Creatinine is high and rising.",
        "Creatinine was high and rising.",
        "Creatinine has been high and rising.",
    }


def test_a_diagnosis_is_suggested_once_and_by_the_strongest_fact():
    rows = [*measured("creatinine", 2.0, 2.0), *measured("BUN", 60.0, 60.0), *measured("phosphate", 6.0, 6.0)]
    told = series_of(stay(rows, diagnoses=["chronic kidney disease"]))
    assert told.count("chronic kidney disease") == 1
    assert re.match(r"Creatinine (is|was|has been) high, suggesting chronic kidney disease\.", told)


def test_a_threshold_decides_between_two_diagnoses():
    # Both labels know a high systolic pressure; above 180 mmHg it speaks for the emergency first.
    both = ["essential hypertension", "complicated hypertension"]
    assert "complicated" in series_of(stay(measured("systolic BP", 210.0, 205.0), diagnoses=both))
    assert "essential" in series_of(stay(measured("systolic BP", 150.0, 155.0), diagnoses=both))


def test_a_variable_with_both_levels_is_told_by_the_more_frequent():
    # 3.0 and 3.1 lie below 3.5 mEq/L, 5.6 above 5.1.
    told = series_of(stay(measured("potassium", 3.0, 5.6, 3.1)))
    assert "low" in told.lower() and "high" not in told.lower()


def test_nothing_measured_is_not_nothing_abnormal():
    assert series_of(stay()) == "No measurements."
    assert series_of(stay(measured("sodium", 140.0))) == "No abnormal value."


def test_only_present_mentions_of_the_stays_own_diagnoses_are_told():
    note = "HPI: Reports crushing chest pain. Denies orthopnea. Exam: Shows asterixis."
    told = note_of(stay(note=note, diagnoses=["myocardial infarction", "heart failure"]))
    assert "crushing chest pain" in told
    assert "orthopnea" not in told and "asterixis" not in told


def test_a_diagnosis_has_one_sentence_and_its_sign_goes_before_its_name():
    note = "History: Known for CHF. HPI: Reports orthopnea. Shows bilateral leg edema."
    told = note_of(stay(note=note, diagnoses=["heart failure"]))
    assert "orthopnea" in told and "CHF" not in told and "edema" not in told


def test_a_diagnosis_that_the_note_names_is_not_suggested_by_its_own_name():
    told = note_of(stay(note="History: Known for PNEUMONIA.", diagnoses=["pneumonia"]))
    assert re.fullmatch(r"The note (reports|states) pneumonia\.", told)


def test_a_note_without_evidence_says_so():
    assert note_of(stay(note="Awake and oriented.", diagnoses=["stroke"])) == "Nothing specific in the note."


def test_the_same_seed_and_stay_give_the_same_text_in_any_company():
    a = stay(measured("creatinine", 1.5, 2.0, 3.0), stay_id="a")
    b = stay(measured("potassium", 3.0, 2.9), stay_id="b")
    assert write([a, b], ASKING) == [*write([a], ASKING), *write([b], ASKING)]
    assert write([a, b], ASKING) == write([b, a], ASKING)[::-1]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(judged_variables())),
        st.lists(st.floats(0.2, 3.0), min_size=1, max_size=6),
        max_size=6,
    ),
    st.integers(0, 99),
)
def test_the_chart_never_contradicts_the_script(factors: dict[str, list[float]], seed: int):
    rows = []
    for name, each in factors.items():
        middle = judged_variables()[name].high or judged_variables()[name].low or 1.0
        rows += measured(name, *(round(middle * factor, 2) for factor in each))
    told = stay(rows, diagnoses=["acute kidney injury", "shock", "chronic kidney disease", "pneumonia"])
    claims = check(series_of(told, seed), told)
    assert not [claim for claim in claims if claim.verdict == "contradicted"]
    unread = [claim for claim in claims if claim.verdict == "unverifiable" and claim.about == "series"]
    assert not unread
