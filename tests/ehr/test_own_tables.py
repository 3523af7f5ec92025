"""Bring your own tables: what becomes of them, and what --explain tells before anything is written."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from ingesting import coded, events_of, ingest
from raw_miniatures import OWN, write_own, write_tables
from typer.testing import CliRunner

from clinragen.cli import app
from clinragen.ehr.explain import explained
from clinragen.ehr.own import own_layout
from clinragen.recipe import Source
from clinragen.store import read_json


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("own")
    ingest("tables", write_own(folder / "raw"), folder)
    return events_of(folder)


def test_a_stay_without_an_admission_is_its_own(events: pl.DataFrame) -> None:
    (admitted,) = [row for row in coded(events, "HOSPITAL_ADMISSION") if row["subject_id"] == 8]
    assert (admitted["hadm_id"], admitted["time"]) == ("800", datetime(2131, 5, 1, 2))


def test_a_code_may_be_a_variables_name_or_loincs(events: pl.DataFrame) -> None:
    found = {row["code"]: row["numeric_value"] for row in coded(events, "L")}
    assert found["LAB//creatinine"] == pytest.approx(1.4)
    assert found["LOINC//2160-0"] == pytest.approx(124)


def test_the_laboratorys_own_range_is_kept(events: pl.DataFrame) -> None:
    (row,) = coded(events, "LAB//creatinine")
    assert (row["low"], row["high"]) == (0.5, 1.1)


def test_a_bound_stays_text_and_is_no_number(events: pl.DataFrame) -> None:
    (row,) = coded(events, "LAB//troponin")
    assert (row["numeric_value"], row["text_value"]) == (None, "<0.01")


def test_diagnoses_without_a_time_count_from_the_end_of_their_admission(events: pl.DataFrame) -> None:
    found = {row["code"]: (row["time"], row["hadm_id"]) for row in coded(events, "ICD")}
    assert found["ICD10//N179"] == (datetime(2131, 5, 4, 2), "800")
    assert found["ICD9//5849"] == (None, "70")


def test_a_note_with_a_date_alone_counts_from_the_end_of_its_day(events: pl.DataFrame) -> None:
    (row,) = [row for row in coded(events, "NOTE//") if row["subject_id"] == 8]
    assert (row["code"], row["time"]) == ("NOTE//note", datetime(2131, 5, 1, 23, 59, 59))


def test_what_cannot_be_used_is_counted_with_its_reason(tmp_path: Path) -> None:
    counts = ingest("tables", write_own(tmp_path / "raw"), tmp_path)
    assert counts["quarantined"] == {
        "text where a number belongs": 1,
        "kind that is none of drug, procedure, history, exam, reason": 1,
        "system that is neither ICD9 nor ICD10": 1,
    }
    assert read_json(tmp_path / "ingest" / "metadata" / "unmapped.json")["codes"] == {"mood": 1}


# ---- --explain


def test_every_column_of_the_layout_is_explained_with_an_example() -> None:
    told = "\n".join(explained(Source(kind="tables")))
    for feed in own_layout(Source(kind="tables")).feeds:
        for column in (*feed.need.columns, *feed.need.may):
            line = next(line for line in told.splitlines() if line.strip().startswith(column))
            assert ";" in line, line


def test_what_would_be_read_is_told_and_nothing_written(tmp_path: Path) -> None:
    raw = write_own(tmp_path / "raw")
    told = CliRunner().invoke(app, ["ingest", "--explain", str(raw)])
    assert told.exit_code == 0
    assert "measurements: 6 rows, 4 events, 1 of other codes" in told.output
    assert "not used, text where a number belongs: 1 rows (first: 5)" in told.output
    assert "1  mood" in told.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw"]


def test_every_fault_of_a_folder_is_told_at_once(tmp_path: Path) -> None:
    tables = {name: text for name, text in OWN.items() if name != "diagnoses"}
    tables["stays"] = "        stay_id,subject_id\n        1,1"
    told = "\n".join(explained(Source(kind="tables", path=str(write_tables(tables, tmp_path)))))
    assert "no table diagnoses" in told
    assert "stays.csv has no column start, end" in told


def test_units_that_are_not_known_are_listed(tmp_path: Path) -> None:
    tables = OWN | {
        "measurements": "        subject_id,time,code,value,unit\n        7,2130-01-01,creatinine,1,furlong"
    }
    told = "\n".join(explained(Source(kind="tables", path=str(write_tables(tables, tmp_path)))))
    assert "1  creatinine [furlong]" in told


@pytest.mark.parametrize("kind", ["mimic3", "mimic4", "eicu"])
def test_every_layout_of_tables_can_be_explained_without_a_folder(kind: str) -> None:
    assert "needed" in "\n".join(explained(Source.model_validate({"kind": kind})))
