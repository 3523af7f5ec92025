"""The blind teacher is not told the diagnoses, and is kept only where it finds them."""

import json
from pathlib import Path
from typing import Any

import pytest
from invented_askings import CODED, asking, patient, reply

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.grounding.checker import Checker
from clinragen.knowledge.base import curated_facts
from clinragen.teach.prompt import messages_for, prompt
from clinragen.teach.replies import read_diagnoses
from clinragen.teach.run import summary
from clinragen.teach.shard import Taught, taught
from local_endpoint import completion, serving


def named(folder: Path, diagnoses: list[str], **settings: Any) -> Taught:
    """What becomes of a blind teacher who names these diagnoses; 2 are coded."""
    said = completion(reply(diagnoses=diagnoses))
    with serving([(200, said)]) as served:
        return taught([patient()], asking(folder, served.endpoint, prompt="blind-1", **settings), Checker())


def test_the_blind_prompt_tells_the_closed_list_and_no_coded_diagnosis():
    system, user = messages_for(patient(), curated_facts(), prompt("blind-1"))
    assert all(name in system["content"] for name in diagnosis_names())
    assert "Diagnoses:" not in user["content"]
    assert "creatinine is high and rising (highest 3 mg/dL at hour 16; first 1.5, last 3;" in user["content"]


def test_facts_for_other_diagnoses_are_shown_too_for_they_would_tell(tmp_path: Path):
    told = messages_for(patient(), curated_facts(), prompt("told-2"))[1]["content"]
    blind = messages_for(patient(), curated_facts(), prompt("blind-1"))[1]["content"]
    assert "Chronic kidney disease" in blind or blind.count("\n- ") > told.count("\n- ")


# F1 against 2 coded diagnoses: both right 1; both and one more 4/5; one of them 2/3.
AGREEING = {
    "both": (list(CODED), 0.8, True),
    "both in capitals": ([name.upper() for name in CODED], 1.0, True),
    "one more, at .8": ([*CODED, "pneumonia"], 0.8, True),
    "one more, exactly": ([*CODED, "pneumonia"], 1.0, False),
    "one less": ([CODED[0]], 0.8, False),
    "one less, at .6": ([CODED[0]], 0.6, True),
    "none": ([], 0.1, False),
    "one that is not in the list": ([*CODED, "dropsy"], 1.0, False),
}


@pytest.mark.parametrize("case", AGREEING)
def test_a_rationale_is_kept_only_where_the_answer_agrees(case: str, tmp_path: Path):
    diagnoses, at_least, agrees = AGREEING[case]
    done = named(tmp_path, diagnoses, agreement_at_least=at_least)
    assert [each.part for each in done.kept] == (["note", "series"] if agrees else [])
    reasons = [] if agrees else ["disagrees with the codes"] * 2
    assert [each.reason for each in done.rejected] == reasons


def test_both_rates_are_reported(tmp_path: Path):
    tallies = [
        named(tmp_path / "a", list(CODED)).tally,
        named(tmp_path / "b", [*CODED, "pneumonia"]).tally,
        named(tmp_path / "c", [CODED[0]]).tally,
        named(tmp_path / "d", []).tally,
    ]
    # Right: 2 + 2 + 1 + 0 = 5; added 1; missed 1 + 2 = 3: F1 = 10 / 14.
    assert summary(tallies)["answer"] == {
        "read": 4,
        "agreed": 2,
        "share_agreed": 0.5,
        "share_rejected": 0.5,
        "share_exact": 0.25,
        "micro_f1": 0.7143,
    }


def test_an_answer_without_diagnoses_is_malformed(tmp_path: Path):
    with serving([(200, completion(reply()))]) as served:
        done = taught([patient()], asking(tmp_path, served.endpoint, prompt="blind-1"), Checker())
        assert len(served.requests) == 2
        shape = served.requests[0]["response_format"]["json_schema"]["schema"]
    assert [each.reason for each in done.rejected] == ["malformed", "malformed"]
    assert shape["required"] == ["diagnoses", "note", "series"]


def test_a_sample_that_agrees_stands_above_one_that_is_better_grounded(tmp_path: Path):
    texts = [
        reply("Creatinine is high. Creatinine is rising.", diagnoses=["pneumonia"]),
        reply("Creatinine is high. The chest film shows clear lungs.", diagnoses=list(CODED)),
    ]
    with serving(lambda asked: (200, completion(texts[asked["seed"]]))) as served:
        done = taught([patient()], asking(tmp_path, served.endpoint, prompt="blind-1", samples=2), Checker())
    assert [each.text for each in done.kept if each.part == "series"] == [json.loads(texts[1])["series"]]
    assert done.preferred[1].why.endswith("of 2") and "other diagnoses" in done.preferred[1].why


def test_names_are_read_exactly_apart_from_capitals_and_blanks():
    read = read_diagnoses(json.dumps({"diagnoses": [" Heart  Failure", "cardiac failure"]}))
    assert read == {"heart failure", "cardiac failure"}
    assert read_diagnoses('{"diagnoses": "heart failure"}') is None
    assert read_diagnoses('{"diagnoses": []}') == frozenset()
