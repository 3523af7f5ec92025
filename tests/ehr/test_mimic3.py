"""MIMIC-III: from its tables to events."""

import os
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from ingesting import coded, events_of, ingest
from raw_miniatures import write_mimic3

DATA = Path(os.environ.get("CLINRAGEN_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(scope="module")
def events(tmp_path_factory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("mimic3")
    ingest("mimic3", write_mimic3(folder / "raw"), folder)
    return events_of(folder)


def test_a_patient_has_a_sex_without_a_time_and_a_birth(events):
    of_seven = events.filter(subject_id=7)
    assert of_seven.row(0, named=True)["code"] == "GENDER//F"
    assert of_seven.row(0, named=True)["time"] is None
    assert coded(of_seven, "MEDS_BIRTH")[0]["time"] == datetime(2060, 3, 1)


def test_a_laboratory_value_has_its_item_unit_and_admission_but_no_icu_stay(events):
    (row, *others) = coded(events, "LAB//50912//mg/dL")
    assert not others
    assert row["numeric_value"] == pytest.approx(1.4)
    assert (row["unit"], row["low"], row["high"]) == ("mg/dL", None, None)
    assert (row["hadm_id"], row["stay_id"], row["time"]) == ("70", None, datetime(2130, 1, 1, 9))


def test_a_gas_known_to_be_venous_is_left_out_and_one_of_unknown_origin_is_kept(events):
    values = sorted(row["numeric_value"] for row in coded(events, "LAB//50821"))
    assert values == [88, 90]  # arterial, and not stated; 41 was venous
    assert not coded(events, "LAB//50800")


def test_nt_probnp_without_a_range_of_its_own_is_left_out(events):
    assert not coded(events, "LAB//50963")


def test_charted_values_marked_as_error_are_left_out(events):
    assert [row["numeric_value"] for row in coded(events, "CHART//220045")] == [101]
    assert [row["stay_id"] for row in coded(events, "CHART//220045")] == ["700"]


def test_diagnoses_are_dated_at_discharge(events):
    codes = {row["code"]: row for row in coded(events, "ICD9//")}
    assert set(codes) == {"ICD9//5849", "ICD9//0389", "ICD9//V5867"}
    assert codes["ICD9//0389"]["time"] == datetime(2130, 1, 9, 12)
    assert codes["ICD9//0389"]["hadm_id"] == "70"


def test_the_reason_for_admission_is_known_at_admission_and_may_be_missing(events):
    (row,) = coded(events, "REASON//admission")
    assert (row["text_value"], row["time"]) == ("SHORTNESS OF BREATH", datetime(2130, 1, 1, 6))


def test_a_drug_counts_from_the_end_of_its_day_and_carriers_are_no_drugs(events):
    (row,) = coded(events, "DRUG//")
    assert (row["code"], row["time"]) == ("DRUG//Furosemide", datetime(2130, 1, 1, 23, 59, 59))


def test_procedures_are_named_and_peripheral_lines_left_out(events):
    assert [row["code"] for row in coded(events, "PROCEDURE//")] == ["PROCEDURE//Chest X-Ray"]


def test_notes_keep_their_text_and_those_without_a_time_count_from_the_end_of_the_day(events):
    first, last = sorted(coded(events, "NOTE//"), key=lambda row: row["time"])
    assert (first["code"], first["text_value"]) == ("NOTE//physician", "Short of breath,\ntwo days.")
    assert (last["code"], last["time"]) == ("NOTE//discharge summary", datetime(2130, 1, 9, 23, 59, 59))


def test_notes_drugs_and_procedures_may_be_missing(tmp_path):
    raw = write_mimic3(tmp_path / "raw")
    for name in ("NOTEEVENTS", "PRESCRIPTIONS", "PROCEDUREEVENTS_MV"):
        (raw / f"{name}.csv").unlink()
    counts = ingest("mimic3", raw, tmp_path)
    assert counts["stays"] == 3
    assert "noteevents" not in counts["tables"]


@pytest.mark.skipif(not (DATA / "mimic3-demo").exists(), reason="open data are not there")
def test_the_open_demo_is_read_whole(tmp_path):
    counts = ingest("mimic3", DATA / "mimic3-demo", tmp_path)
    assert (counts["subjects"], counts["stays"]) == (50, 77)
    assert counts["tables"]["chartevents"]["rows"] == 325_293
    assert counts["tables"]["labevents"]["rows"] == 33_783
    assert counts["tables"]["diagnoses_icd"] == {"rows": 1062, "events": 1062, "unmapped_rows": 0}


def test_a_stay_is_marked_with_the_place_where_it_begins_and_ends_null_if_unknown(events):
    places = {(row["code"], row["stay_id"]): row["text_value"] for row in coded(events, "ICU_")}
    assert places[("ICU_ADMISSION", "701")] == "MICU, 52"
    assert places[("ICU_DISCHARGE", "701")] == "SICU, 33"
    assert places[("ICU_ADMISSION", "800")] is None


def test_a_code_carries_its_title_in_the_dictionary_and_none_where_that_lacks_it(events):
    titles = {row["code"]: row["text_value"] for row in coded(events, "ICD9//")}
    assert titles["ICD9//5849"] == "Acute kidney failure, unspecified"
    assert titles["ICD9//0389"] is None
