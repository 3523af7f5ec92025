"""The knowledge base: cited, complete, and called up only by what a record shows."""

from dataclasses import replace
from pathlib import Path

import pytest

from clinragen.clinical.diagnoses import diagnosis_names, signs
from clinragen.clinical.findings import findings
from clinragen.clinical.mentions import find_mentions, sign_phrases
from clinragen.errors import KnowledgeError
from clinragen.knowledge.base import curated_facts, facts_for, facts_per_diagnosis, fits, validate
from clinragen.knowledge.run import run
from clinragen.recipe import Recipe
from clinragen.schema import Fact
from clinragen.store import read_nouns
from patients import measured

LACTATE = Fact("lactate", "A high lactate speaks for shock.", ("shock",), "a book", "lactate", "high", 2.0)


def test_every_label_has_at_least_eight_facts():
    validate(curated_facts(), 8)
    assert min(facts_per_diagnosis(curated_facts()).values()) >= 8


def test_every_sign_of_every_label_has_its_fact():
    told = {(name, fact.sign) for fact in curated_facts() for name in fact.diagnoses}
    assert set(signs()) <= told


def test_labels_that_laboratory_and_vital_signs_show_have_three_series_facts():
    shown = facts_per_diagnosis([fact for fact in curated_facts() if fact.variable])
    without = {name for name, n in shown.items() if n < 3}
    assert without == {"coronary disease", "upper airway disease"}


def test_a_fact_is_one_sentence_with_a_citation():
    for fact in curated_facts():
        assert fact.text.endswith(".") and ". " not in fact.text
        assert len(fact.citation) > 20


def test_all_faults_are_told_at_once():
    broken = [
        replace(LACTATE, diagnoses=("gout",)),
        replace(LACTATE, variable="lactat"),
        replace(LACTATE, fact_id="uncited", citation=" "),
        replace(LACTATE, fact_id="both", sign="cold skin"),
        replace(LACTATE, fact_id="aimless", diagnoses=()),
        replace(LACTATE, fact_id="flat", level="normal"),
        replace(LACTATE, fact_id="loose", variable=None, sign="cold skin", level=None),
    ]
    with pytest.raises(KnowledgeError) as told:
        validate(broken, 1)
    for fault in (
        "lactate: unknown diagnosis 'gout'",
        "lactate: unknown variable 'lactat'",
        "lactate: 2 facts have this id",
        "uncited: has no citation",
        "both: must have either a variable or a sign",
        "aimless: speaks for no diagnosis",
        "flat: unknown level 'normal'",
        "loose: has a threshold without a variable",
        "stroke: 0 facts, 1 are needed",
    ):
        assert fault in str(told.value)


def test_a_label_with_too_few_facts_is_named():
    with pytest.raises(KnowledgeError, match="essential hypertension: 8 facts, 9 are needed"):
        validate(curated_facts(), 9)


def test_a_threshold_must_be_reached_by_the_worst_value():
    # The range ends at 2.0 mmol/L: 2.4 is high, and reaches 2.0 but not 4.0.
    (finding,) = findings(measured("lactate", 1.0, 2.4))
    assert fits(LACTATE, finding)
    assert not fits(replace(LACTATE, threshold=4.0), finding)


def test_a_low_threshold_is_reached_from_above():
    # 3.1 mEq/L lies below the range, 3.0 or less was never measured.
    (finding,) = findings(measured("potassium", 4.0, 3.1))
    fact = replace(LACTATE, variable="potassium", level="low", threshold=3.2)
    assert fits(fact, finding)
    assert not fits(replace(fact, threshold=3.0), finding)


def test_normal_findings_and_negated_mentions_call_up_no_fact():
    shown = findings(measured("lactate", 1.0, 1.1))
    mentions = find_mentions("Denies orthopnea.", sign_phrases())
    assert facts_for(curated_facts(), shown, mentions) == ()


def test_abnormal_findings_and_present_mentions_call_up_their_facts():
    shown = findings(measured("BNP", 900.0))
    mentions = find_mentions("Shows Orthopnea.", sign_phrases())
    called = facts_for(curated_facts(), shown, mentions)
    assert {(fact.variable, fact.sign) for fact in called} == {("BNP", None), (None, "orthopnea")}


def test_the_step_writes_what_it_counts(tmp_path: Path):
    counts = run(Recipe(name="t"), tmp_path, lambda what, done, total: None)
    written = read_nouns(tmp_path / "knowledge" / "facts.jsonl", Fact)
    assert tuple(written) == curated_facts()
    assert counts["facts"] == counts["series_facts"] + counts["note_facts"] == len(written)
    assert list(counts["facts_per_diagnosis"]) == list(diagnosis_names())
