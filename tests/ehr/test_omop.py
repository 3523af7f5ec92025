"""OMOP CDM: concepts become codes, visits become stays, from files and from databases."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from ingesting import coded, events_of, ingest
from raw_miniatures import write_omop

from clinragen.store import read_json


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("omop")
    ingest("omop", write_omop(folder / "raw"), folder)
    return folder


@pytest.fixture(scope="module")
def events(folder: Path) -> pl.DataFrame:
    return events_of(folder)


def test_a_visit_to_intensive_care_is_a_stay_and_so_is_such_a_detail(events: pl.DataFrame) -> None:
    stays = {row["stay_id"]: (row["hadm_id"], row["time"]) for row in coded(events, "ICU_ADMISSION")}
    assert stays == {
        "700": ("70", datetime(2130, 1, 1, 8)),
        "701": ("70", datetime(2130, 1, 5, 8)),
        "80": ("80", datetime(2131, 5, 1)),
    }


def test_without_times_of_day_a_visit_lasts_to_the_end_of_its_last_day(events: pl.DataFrame) -> None:
    (row,) = [row for row in coded(events, "ICU_DISCHARGE") if row["stay_id"] == "80"]
    assert row["time"] == datetime(2131, 5, 4, 23, 59, 59)


def test_a_visit_that_is_no_stay_in_a_hospital_is_counted(folder: Path) -> None:
    quarantine = read_json(folder / "ingest" / "quarantine.json")
    assert quarantine["visit_occurrence"]["visit that is no stay in a hospital"] == {"count": 1, "rows": [2]}


def test_measurements_are_known_by_loinc_and_units_by_ucum_or_as_written(events: pl.DataFrame) -> None:
    rows = coded(events, "LOINC//2160-0")
    assert [(row["numeric_value"], row["text_value"], row["unit"]) for row in rows] == [
        (pytest.approx(1.4), None, "mg/dL"),
        (None, "<0.2", "mg/dL"),
        (pytest.approx(2.1), None, "mg/dL"),
    ]
    assert (rows[0]["low"], rows[0]["high"]) == (0.5, 1.1)


def test_a_measurement_with_a_date_alone_counts_from_the_end_of_its_day(events: pl.DataFrame) -> None:
    (row,) = coded(events, "LOINC//8867-4")
    assert row["time"] == datetime(2130, 1, 1, 23, 59, 59)


def test_concepts_that_are_none_of_ours_are_listed(folder: Path) -> None:
    assert read_json(folder / "ingest" / "metadata" / "unmapped.json")["codes"] == {"LOINC//11111-1": 1}


def test_a_diagnosis_is_its_icd_code_never_guessed_from_snomed(events: pl.DataFrame, folder: Path) -> None:
    found = [(row["subject_id"], row["code"]) for row in coded(events, "ICD")]
    diagnoses = [row for row in found if not row[1].startswith("ICU")]
    assert sorted(diagnoses) == [(7, "ICD10//N179"), (7, "ICD9//5849"), (8, "ICD10//N179")]
    quarantine = read_json(folder / "ingest" / "quarantine.json")
    assert list(quarantine["condition_occurrence"].values()) == [{"count": 1, "rows": [3]}]
