"""An inference is backed by a fact, or by none: nothing is guessed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.inference import index_facts, supporting
from clinragen.knowledge.reading import diagnoses, states
from clinragen.schema import Fact

BASE = index_facts(curated_facts())
SERIES = [fact for fact in curated_facts() if fact.variable]
SIGNS = [fact for fact in curated_facts() if fact.sign]


def backed_by(sentence: str) -> set[str]:
    return {fact.fact_id for fact in supporting(sentence, BASE)}


@pytest.mark.parametrize(
    ("sentence", "fact_id"),
    [
        ("raised lactate suggests septicaemia", "septicemia/lactate-high-2.0"),
        ("Hyperkalaemia points to acute kidney injury.", "acute-kidney-injury/potassium-high"),
        ("High and rising creatinine suggests AKI.", "acute-kidney-injury/creatinine-high"),
        ("Platelets are falling, in keeping with cirrhosis.", "liver-disease/platelets-low"),
        ("Leucocytosis in keeping with pneumonia", "pneumonia/wbc-high"),
        ("Septic shock is suggested by a lactate of 5.2 mmol/L.", "septicemia/lactate-high-2.0"),
        ("AKI explains the high potassium.", "acute-kidney-injury/potassium-high"),
        ("Sepsis is likely given the raised lactate.", "septicemia/lactate-high-2.0"),
        (
            "A creatinine of 354 umol/L suggests acute kidney injury.",
            "acute-kidney-injury/creatinine-high-4.0",
        ),
        ("mean BP is low, suggesting shock", "shock/mean-bp-low-65"),
        ("Orthopnoea suggests congestive heart failure.", "heart-failure/orthopnea"),
        ("A facial droop indicates stroke.", "stroke/left-facial-droop"),
        (
            "The note shows black tarry stools, suggesting a GI bleed.",
            "gastrointestinal-bleeding/black-tarry-stools",
        ),
    ],
)
def test_a_supported_inference_cites_its_fact(sentence: str, fact_id: str) -> None:
    assert fact_id in backed_by(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Raised sodium suggests stroke.",
        "Low lactate suggests septicemia.",
        "Normal lactate suggests septicemia.",
        "Lactate is not raised, suggesting septicemia.",
        "Raised lactate argues against septicemia.",
        "Raised lactate does not suggest septicemia.",
        "Raised lactate suggests gout.",
        "Raised lactate suggests septicemia and pneumonia.",
        "A lactate of 1.1 mmol/L suggests septicemia.",
        "No orthopnea, suggesting heart failure.",
        "Confusion suggests left bundle branch block.",
        "Raised lactate suggests portal hypertension.",
        "Ablation of the ventricular tachycardia is planned.",
        "Palpable pulses suggest ventricular tachycardia.",
        "Lactate is raised.",
        "",
    ],
)
def test_an_inference_without_a_fact_cites_nothing(sentence: str) -> None:
    assert backed_by(sentence) == set()


def test_a_threshold_that_the_value_does_not_reach_is_not_cited() -> None:
    # Stage 3 of acute kidney injury begins at 4.0 mg/dL.
    assert "acute-kidney-injury/creatinine-high-4.0" not in backed_by(
        "A creatinine of 2.5 mg/dL suggests AKI."
    )


def test_each_finding_of_a_list_has_its_level() -> None:
    said = states(
        "Raised lactate and creatinine, low sodium and platelets, potassium is high and calcium low."
    )
    assert [(state.variables[0], state.level) for state in said] == [
        ("lactate", "high"),
        ("creatinine", "high"),
        ("sodium", "low"),
        ("platelets", "low"),
        ("potassium", "high"),
        ("calcium", "low"),
    ]


@pytest.mark.parametrize("fact", SERIES, ids=lambda fact: fact.fact_id)
def test_every_series_fact_is_found_by_the_sentence_it_supports(fact: Fact) -> None:
    other = "low" if fact.level == "high" else "high"
    for name in fact.diagnoses:
        told = f"{fact.level.capitalize()} {fact.variable} suggests {name}."  # type: ignore[union-attr]
        assert any(name in found.diagnoses for found in supporting(told, BASE)), told
        flipped = told.replace(str(fact.level).capitalize(), other.capitalize())
        assert all(found.level == other for found in supporting(flipped, BASE)), flipped


@pytest.mark.parametrize("fact", SIGNS, ids=lambda fact: fact.fact_id)
def test_every_note_fact_is_found_by_the_sentence_it_supports(fact: Fact) -> None:
    assert fact in supporting(f"The note reports {fact.sign}, suggesting {fact.diagnoses[0]}.", BASE)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    supporting(text, BASE)
    states(text)
    diagnoses(text)


def test_an_inference_takes_less_than_two_milliseconds() -> None:
    said = [f"{fact.level} {fact.variable} suggests {fact.diagnoses[0]}" for fact in SERIES]
    began = time.process_time()
    for sentence in said:
        supporting(sentence, BASE)
    assert (time.process_time() - began) / len(said) < 0.002
