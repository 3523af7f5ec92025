"""A fact that a teacher reads enters only with its quote, and only if the quote says it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.extraction import Chat, extract, schema
from clinragen.knowledge.imported import Imported
from clinragen.knowledge.passages import LONGEST, passages
from clinragen.knowledge.quotes import locate, plain
from clinragen.schema import Document, Fact, Quote

TEXT = (
    "Sepsis is common.\nA raised lactate above 2 mmol/L marks septic\u00a0shock. Serum creatinine is "
    "increased in acute kid-\nney injury. Potassium is not elevated in pneumonia. In severe pneumonia, rusty "
    "sputum is typical. Elevated troponin does not indicate myocardial infarction in every case."
)
LACTATE = {
    "text": "A high lactate points to shock.",
    "diagnoses": ["shock"],
    "variable": "lactate",
    "level": "high",
    "threshold": 2.0,
    "sign": None,
    "quote": "A raised lactate above 2 mmol/L marks septic shock.",
}
SPUTUM = {
    "text": "Rusty sputum speaks for pneumonia.",
    "diagnoses": ["pneumonia"],
    "variable": None,
    "level": None,
    "threshold": None,
    "sign": "rusty sputum",
    "quote": "In severe pneumonia, rusty sputum is typical.",
}


def document(text: str = TEXT) -> Document:
    return Document("pubmed/1", "pubmed", "On sepsis", text, "Doe A. PMID 1", "", "theirs", "2025-01-01")


def read(*facts: Any, text: str = TEXT) -> Imported:
    return extract([document(text)], lambda chats: [json.dumps({"facts": list(facts)}) for _ in chats])


def reason(**changed: Any) -> str:
    (rejected,) = read({**LACTATE, **changed}).rejected
    return rejected.reason


def test_a_fact_whose_quote_holds_enters_with_its_place() -> None:
    found = read(LACTATE)
    (fact,) = found.facts
    (quote,) = fact.quotes
    assert quote.text == "A raised lactate above 2 mmol/L marks septic\u00a0shock."
    assert TEXT[quote.start : quote.end] == quote.text
    assert fact == Fact(
        "imported/shock/lactate-high-2",
        "A high lactate points to shock.",
        ("shock",),
        "Doe A. PMID 1",
        "lactate",
        "high",
        2.0,
        licence="theirs",
        quotes=(Quote("pubmed/1", 18, 69, quote.text),),
    )


def test_a_sign_enters_in_the_words_of_the_document() -> None:
    (fact,) = read(SPUTUM).facts
    assert (fact.fact_id, fact.sign, fact.variable) == (
        "imported/pneumonia/rusty-sputum",
        "rusty sputum",
        None,
    )


def test_a_quote_over_a_broken_line_is_found() -> None:
    said = "Serum creatinine is increased in acute kidney injury."
    fact = {**LACTATE, "diagnoses": ["acute kidney injury"], "variable": "creatinine", "threshold": None}
    (found,) = read({**fact, "quote": said, "text": "Creatinine is high in acute kidney injury."}).facts
    assert found.quotes[0].text == "Serum creatinine is increased in acute kid-\nney injury."


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"quote": "A raised lactate above 4 mmol/L marks septic shock."}, "quote not in the document"),
        ({"quote": "raised lactate above 2 mmol/L marks septic sho"}, "quote not in the document"),
        ({"quote": ""}, "quote not in the document"),
        ({"quote": "A raised lact"}, "quote not in the document"),
        ({"diagnoses": ["gout"]}, "unknown diagnosis"),
        ({"diagnoses": []}, "unknown diagnosis"),
        ({"variable": "lactat"}, "unknown variable"),
        ({"variable": None}, "neither a variable nor a sign"),
        ({"sign": "rusty sputum"}, "neither a variable nor a sign"),
        ({"level": "normal"}, "unknown level"),
        ({"level": None}, "unknown level"),
        ({"diagnoses": ["pneumonia"]}, "diagnosis not in the quote"),
        ({"variable": "glucose"}, "finding not in the quote"),
        ({"level": "low"}, "finding not in the quote"),
        ({"threshold": 4.0}, "threshold not in the quote"),
        ({"text": "A lactate of 9 is high in shock."}, "text does not say what the quote says"),
        ({"text": "A high lactate marks shock and pneumonia."}, "text does not say what the quote says"),
        ({"text": "Lactate is low in shock."}, "text does not say what the quote says"),
        ({"text": "A high lactate marks shock. Give fluids."}, "text is not one short sentence"),
        ({"text": LACTATE["quote"]}, "text only repeats the quote"),
        ({"threshold": "two"}, "malformed"),
        ({"diagnoses": "shock"}, "malformed"),
    ],
)
def test_a_fact_that_fails_a_check_is_rejected_with_its_reason(changed: dict[str, Any], told: str) -> None:
    assert reason(**changed) == told


@pytest.mark.parametrize(
    ("variable", "diagnosis", "quote"),
    [
        ("potassium", "pneumonia", "Potassium is not elevated in pneumonia."),
        ("troponin", "myocardial infarction", "Elevated troponin does not indicate myocardial infarction"),
    ],
)
def test_what_the_document_denies_does_not_enter(variable: str, diagnosis: str, quote: str) -> None:
    text = f"{variable.capitalize()} is high in {diagnosis}."
    changed = {"variable": variable, "diagnoses": [diagnosis], "threshold": None}
    told = reason(**changed, quote=quote, text=text)
    assert told in ("diagnosis not in the quote", "finding not in the quote", "denied by the quote")


def test_a_threshold_in_another_unit_is_understood() -> None:
    # 354 umol/L of creatinine are 4.0 mg/dL (88.4 umol/L a mg/dL).
    text = "A creatinine above 354 umol/L marks stage 3 of acute kidney injury."
    fact = {**LACTATE, "diagnoses": ["acute kidney injury"], "variable": "creatinine", "threshold": 4.0}
    found = read({**fact, "quote": text, "text": "A high creatinine makes acute kidney injury."}, text=text)
    assert [each.threshold for each in found.facts] == [4.0]


@pytest.mark.parametrize("sign", ["raised lactate", "septic shock", "a b c d e f g h i"])
def test_a_sign_is_neither_a_variable_nor_the_diagnosis_nor_a_sentence(sign: str) -> None:
    text = "A raised lactate and a b c d e f g h i are signs of septic shock."
    said = {**SPUTUM, "diagnoses": ["shock"], "sign": sign, "quote": text, "text": "It is seen in shock."}
    (rejected,) = read(said, text=text).rejected
    assert rejected.reason == "sign is a variable, a diagnosis or too long"


@pytest.mark.parametrize("reply", ["", "I cannot", "[1]", '{"facts": 3}', '{"facts": [', "{}"])
def test_a_reply_that_cannot_be_read_is_a_recorded_rejection(reply: str) -> None:
    found = extract([document()], lambda chats: [reply for _ in chats])
    assert [each.reason for each in found.rejected] == ["reply cannot be read"]


def test_a_candidate_that_is_no_object_is_a_recorded_rejection() -> None:
    assert [each.reason for each in read(3, [], None, {}).rejected] == ["malformed"] * 4


def test_only_passages_that_name_a_label_are_asked_about() -> None:
    asked: list[Chat] = []

    def ask(chats: Sequence[Chat]) -> list[str]:
        asked.extend(chats)
        return ['{"facts": []}' for _ in chats]

    found = extract([document("Trains run late."), document("Sepsis is common.")], ask)
    assert len(asked) == 1
    assert "Sepsis is common." in asked[0][1]["content"]
    assert (found.counts["passages"], found.counts["passages asked about"]) == (2, 1)


def test_passages_are_cut_at_paragraphs_and_lose_nothing() -> None:
    text = "\n\n".join(f"Paragraph {n}. " + "Sepsis is common. " * 40 for n in range(20)) + "x" * 9000
    cut = list(passages(document(text)))
    assert "".join(each.text for each in cut) == text
    assert all(len(each.text) <= LONGEST for each in cut)
    assert all(text[each.start :].startswith(each.text) for each in cut)
    assert all(each.text.startswith("Paragraph") for each in cut[:5])


def test_a_quote_is_exact_but_for_blanks_hyphens_and_quotation_marks() -> None:
    text = plain("It is \u201clow\u2010grade\u201d  fever\nof 38\u20139, a hyper-\nkalemia.")
    for quote in ('"low-grade" fever', "fever of 38-9", "hyperkalemia.", "low\u2010grade\u201d fever"):
        assert locate(quote, text) is not None
    for quote in ("Low-grade", "fever of 389", "ever of", "hyper kalemia", " "):
        assert locate(quote, text) is None


def test_of_two_places_the_one_in_the_passage_is_quoted() -> None:
    text = "Sepsis is common. Sepsis is common."
    assert locate("Sepsis is common.", plain(text), near=10) == (18, 35)
    assert locate("Sepsis is common.", plain(text), near=30) == (0, 17)


def test_the_schema_knows_only_our_labels_and_variables() -> None:
    fact = schema()["properties"]["facts"]["items"]
    assert "septicemia" in fact["properties"]["diagnoses"]["items"]["enum"]
    assert "lactate" in fact["properties"]["variable"]["enum"]
    assert set(fact["required"]) == set(LACTATE)


@pytest.mark.parametrize(
    "fact", [fact for fact in curated_facts() if fact.variable], ids=lambda fact: fact.fact_id
)
def test_true_facts_enter_and_every_planted_error_is_caught(fact: Fact) -> None:
    name = fact.diagnoses[0]
    text = f"In our patients a {fact.level} {fact.variable} was typical of {name}."
    true = {
        "text": f"A {fact.level} {fact.variable} speaks for {name}.",
        "diagnoses": [name],
        "variable": fact.variable,
        "level": fact.level,
        "quote": text,
    }
    assert len(read(true, text=text).facts) == 1
    other_level = "low" if fact.level == "high" else "high"
    other_name = "stroke" if name != "stroke" else "pneumonia"
    other_variable = "albumin" if fact.variable != "albumin" else "sodium"
    planted = [
        {"level": other_level},
        {"level": other_level, "text": f"A {other_level} {fact.variable} speaks for {name}."},
        {"diagnoses": [other_name]},
        {"diagnoses": [name, other_name]},
        {"variable": other_variable},
        {"threshold": 7.0},
        {"quote": text.replace(str(fact.level), other_level)},
        {"text": f"A {other_level} {fact.variable} speaks for {name}."},
        {"text": f"A {fact.level} {fact.variable} speaks for {other_name}."},
        {"text": f"A {fact.level} {fact.variable} above 77 speaks for {name}."},
    ]
    assert read(*({**true, **changed} for changed in planted), text=text).facts == ()
