"""Case files: what they hold, and one clear error for each way in which they can be broken."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinragen.case import case_of, parse_case, read_case
from clinragen.errors import CaseError
from clinragen.schema import Measurement, Stay

DATA = Path(os.environ.get("CLINRAGEN_DATA", Path(__file__).parents[2] / "shared" / "data"))
CLAIMS = DATA / "claims" / "dev.jsonl"

ROW = {"time": "2130-01-01T06:00:00", "variable": "creatinine", "value": 4.1, "unit": "mg/dL"}
CASE = {"case_id": "c1", "prediction_time": "2130-01-02T00:00:00", "note": "Oliguria.", "measurements": [ROW]}


def case(**changes):
    return {**CASE, **changes}


def row(**changes):
    return case(measurements=[{**ROW, **changes}])


def test_a_case_is_a_stay_whose_diagnoses_are_unknown():
    stay, rationale = parse_case(case(), "case")
    assert stay.diagnoses is None
    assert stay.measurements == (
        Measurement(datetime(2130, 1, 1, 6), "creatinine", 4.1, "mg/dL", None, None),
    )
    assert (stay.start, stay.sex, stay.age, rationale) == (datetime(2130, 1, 1, 6), None, None, None)


def test_a_case_needs_an_id_and_a_prediction_time_only():
    stay, _ = parse_case({"case_id": "c", "prediction_time": "2130-01-02T00:00:00"}, "case")
    assert (stay.note, stay.measurements, stay.start) == ("", (), stay.prediction_time)


def test_measurements_are_ordered_by_time_and_variable():
    rows = [{**ROW, "variable": "b"}, {**ROW, "variable": "a"}, {**ROW, "time": "2130-01-01T05:00:00"}]
    stay, _ = parse_case(case(measurements=rows), "case")
    assert [m.variable for m in stay.measurements] == ["creatinine", "a", "b"]


def test_the_same_value_with_and_without_a_range_can_be_read():
    stay, _ = parse_case(case(measurements=[{**ROW, "low": 0.5}, ROW]), "case")
    assert len(stay.measurements) == 2


def test_keys_of_labelled_examples_are_ignored():
    assert parse_case(case(claims=[]), "case")[0].stay_id == "c1"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "file: "),
        ({"case_id": "c"}, "prediction_time"),
        (case(case_id=""), "case_id"),
        (case(case_id=7), "case_id"),
        (case(prediction_time="yesterday"), "prediction_time"),
        (case(prediction_time=1700000000), "must be text"),
        (case(age=-1), "age"),
        (case(sex="F"), "sex"),
        (case(note=None), "note"),
        (row(value=None), "measurements.0.value"),
        (row(value="4.1"), "measurements.0.value"),
        (row(value=True), "measurements.0.value"),
        (row(value=float("nan")), "measurements.0.value"),
        (row(low=float("inf")), "measurements.0.low"),
        (row(low=2, high=1), "low 2 is above high 1"),
        (row(hight=1), "measurements.0.hight"),
        (row(time="2130-01-03T00:00:00"), "after the prediction time"),
        (row(time="2130-01-01T06:00:00Z"), "zone"),
        (case(start="2130-01-01T07:00:00"), "start"),
        (case(start="2130-01-03T07:00:00", measurements=[]), "start"),
    ],
)
def test_a_broken_case_is_one_clear_error(values, told):
    with pytest.raises(CaseError, match=told):
        parse_case(values, "case.json")


def test_all_faults_are_told_at_once_and_the_rest_counted():
    with pytest.raises(CaseError, match="and 2 more") as fault:
        parse_case(case(measurements=[{**ROW, "value": None}] * 10), "case.json")
    assert "measurements.7.value" in str(fault.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"not json"])
def test_a_file_that_is_not_json_is_an_error(tmp_path, content):
    (tmp_path / "case.json").write_bytes(content)
    with pytest.raises(CaseError, match="is not JSON"):
        read_case(tmp_path / "case.json")


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    with pytest.raises(CaseError, match="no case file"):
        read_case(tmp_path / "none.json")
    with pytest.raises(CaseError, match="cannot read"):
        read_case(tmp_path)


def test_a_file_with_a_byte_order_mark_can_be_read(tmp_path):
    (tmp_path / "case.json").write_text(json.dumps(CASE), encoding="utf-8-sig")
    assert read_case(tmp_path / "case.json")[0].stay_id == "c1"


START = datetime(2130, 1, 1)
bounds = st.none() | st.floats(0, 5)
measured = st.builds(
    Measurement,
    st.integers(0, 48 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from(["creatinine", "BUN"]),
    st.floats(0, 100),
    st.just("mg/dL"),
    bounds,
    bounds.map(lambda high: None if high is None else high + 5),
)


@given(st.lists(measured, max_size=8), st.text(), st.none() | st.floats(0, 90), st.none() | st.text())
def test_a_stay_written_as_a_case_reads_back_the_same(rows, note, age, rationale):
    stay = Stay(
        stay_id="c1",
        subject_id=0,
        source="case",
        split=None,
        start=START,
        prediction_time=START + timedelta(hours=48),
        sex="female",
        age=age,
        note=note,
        note_is_composed=False,
        measurements=tuple(sorted(rows, key=lambda m: (m.time, m.variable))),
        diagnoses=None,
    )
    written = json.loads(json.dumps(case_of(stay, rationale)))
    assert parse_case(written, "case") == (stay, rationale)


@pytest.mark.skipif(not CLAIMS.exists(), reason="the labelled claims are not here")
def test_the_labelled_examples_are_cases():
    for line in CLAIMS.read_text(encoding="utf-8").splitlines():
        stay, rationale = parse_case(json.loads(line), "dev.jsonl")
        assert stay.measurements
        assert rationale
