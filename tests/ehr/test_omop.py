"""OMOP CDM: concepts become codes, visits become stays, from files and from databases."""

import sqlite3
from datetime import datetime
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from ingesting import coded, events_of, ingest, silent
from raw_miniatures import OMOP, write_omop

from clinragen.ehr.explain import explained
from clinragen.ehr.run import run
from clinragen.errors import SourceError
from clinragen.recipe import Recipe, Source
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


# ---- from a database


def tables() -> dict[str, pl.DataFrame]:
    texts = {
        name: "\n".join(line.removeprefix(" " * 8) for line in text.strip("\n").split("\n"))
        for name, text in OMOP.items()
    }
    return {name: pl.read_csv(StringIO(text), try_parse_dates=True) for name, text in texts.items()}


def from_address(address: str, run_folder: Path, schema: str = "") -> pl.DataFrame:
    source = {"kind": "omop", "path": address, "shards": 2, "database_schema": schema}
    recipe = Recipe.model_validate({"name": "mini", "source": source, "engine": {"workers": 1}})
    run(recipe, run_folder, silent)
    return events_of(run_folder)


def without_order(events: pl.DataFrame) -> list[tuple[object, ...]]:
    return sorted(events.rows(), key=str)


def test_a_duckdb_database_gives_the_same_events(events: pl.DataFrame, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as connection:
        connection.execute("CREATE SCHEMA clinic")
        for name, table in tables().items():
            connection.register("rows", table.to_arrow())
            connection.execute(f"CREATE TABLE clinic.{name} AS SELECT * FROM rows")
            connection.unregister("rows")
    found = from_address(f"duckdb:///{tmp_path}/cdm.duckdb", tmp_path / "run", "clinic")
    assert without_order(found) == without_order(events)


def test_a_sqlite_database_gives_the_same_events(events: pl.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("adbc_driver_sqlite")
    with sqlite3.connect(tmp_path / "cdm.sqlite") as connection:
        for name, table in tables().items():
            texts = table.with_columns(pl.col(pl.Date, pl.Datetime).cast(pl.String).str.head(19))
            connection.execute(f"CREATE TABLE {name.upper()} ({', '.join(texts.columns)})")
            marks = ", ".join("?" * texts.width)
            connection.executemany(f"INSERT INTO {name.upper()} VALUES ({marks})", texts.rows())
    found = from_address(f"sqlite:///{tmp_path}/cdm.sqlite", tmp_path / "run")
    assert without_order(found) == without_order(events)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("duckdb:///nowhere/cdm.duckdb", "cannot open the database duckdb"),
        ("oracle://host/cdm", "no driver for oracle"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_clear_error(address: str, told: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    with pytest.raises(SourceError, match=told):
        from_address(address, tmp_path)


def test_an_address_is_told_without_what_stands_in_it(tmp_path: Path) -> None:
    """A password in an address is in no message."""
    with pytest.raises(SourceError) as fault:
        from_address("oracle://me:secret@host/cdm", tmp_path)
    assert "secret" not in str(fault.value)


def test_other_sources_are_not_read_from_databases() -> None:
    told = "\n".join(explained(Source(kind="mimic4", path="duckdb:///x")))
    assert "mimic4 is not read from a database" in told
