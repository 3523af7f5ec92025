"""Checking a whole rationale: every clause is decided once, by the measurements or by the note."""

import importlib.util
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from clinragen.case import parse_case
from clinragen.errors import CaseError
from clinragen.grounding.claims import check
from clinragen.grounding.run import check_case

SIBLING = Path(__file__).parents[3] / "shared" / "data"
CLAIMS = Path(os.environ.get("CLINRAGEN_DATA", SIBLING)) / "claims"
FLOOR_SERIES, FLOOR_ALL = 0.95, 0.90  # micro-F1 on 71 labelled claims


def case(**values):
    row = {"variable": "creatinine", "unit": "mg/dL", "low": 0.5, "high": 1.2}
    rows = [
        row | {"time": f"2130-01-01T{hour:02}:00:00", "value": value}
        for hour, value in [(0, 2.0), (6, 3.1), (12, 4.1)]
    ]
    return {
        "case_id": "c1",
        "prediction_time": "2130-01-02T00:00:00",
        "note": "Admitted with productive cough. No history of diabetes.",
        "measurements": rows,
    } | values


def claims_of(text):
    stay, _ = parse_case(case(), "case")
    return check(text, stay)


def test_a_finding_and_its_interpretation_are_two_claims():
    finding, inference = claims_of("Creatinine is high and rising, which suggests acute kidney injury.")
    assert (finding.text, finding.about, finding.verdict) == (
        "Creatinine is high and rising",
        "series",
        "supported",
    )
    assert (inference.about, inference.verdict) == ("note", "unverifiable")


def test_claims_are_exact_spans_in_order():
    text = "She has a productive cough. Creatinine is low, and potassium is high."
    claims = claims_of(text)
    assert [text[claim.start : claim.end] for claim in claims] == [claim.text for claim in claims]
    assert all(a.end <= b.start for a, b in pairwise(claims))
    assert [c.verdict for c in claims if c.about == "series"] == ["contradicted", "unverifiable"]


def test_no_text_has_no_claims():
    assert claims_of("") == ()


def test_a_case_file_gives_claims_and_their_counts(tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case(rationale="Creatinine peaked at 4.1 mg/dL. Sodium is low.")))
    told = check_case(path)
    assert told["case_id"] == "c1"
    assert told["counts"] == {"supported": 1, "contradicted": 0, "unverifiable": 1}
    assert told["claims"][0]["evidence"] == ("creatinine 4.1 mg/dL at 2130-01-01 12:00",)


def test_a_case_without_a_rationale_is_an_error_that_says_so(tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case()))
    with pytest.raises(CaseError, match="no rationale"):
        check_case(path)


@pytest.mark.skipif(not (CLAIMS / "dev.jsonl").exists(), reason="the labelled claims are not here")
def test_labelled_claims_are_judged_as_people_judged_them():
    spec = importlib.util.spec_from_file_location("score", CLAIMS / "score.py")
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    gold, predicted = score.read(CLAIMS / "dev.jsonl"), {}
    for name, values in gold.items():
        stay, text = parse_case(values, name)
        keep = [
            {"start": c.start, "end": c.end, "text": c.text, "verdict": c.verdict} for c in check(text, stay)
        ]
        predicted[name] = {"claims": keep}
    report = score.score(gold, predicted)
    assert report["series"]["micro_f1"] >= FLOOR_SERIES
    assert report["all"]["strict_micro_f1"] >= FLOOR_ALL
