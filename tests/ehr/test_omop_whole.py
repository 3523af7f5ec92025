"""The simulated hospital as an OMOP export: the same stays come of it, with notes, values and labels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingesting import silent

from clinragen.clinical.codes import codes_needing_a_range, mapped_codes
from clinragen.cohort.run import run as run_cohort
from clinragen.ehr.run import run
from clinragen.ehr.synthetic import simulate
from clinragen.recipe import Recipe
from clinragen.store import read_stays

STAYS, SEED = 60, 4
RELATIVES = codes_needing_a_range("loinc")
LOINC = {
    variable: code.removeprefix("LOINC//")
    for code, variable in mapped_codes("loinc").items()
    if code not in RELATIVES
}
"""A code of each variable."""
SYSTEMS = {"ICD9": "ICD9CM", "ICD10": "ICD10CM"}


def export_omop(folder: Path) -> None:
    """Write the events of the simulated hospital as tables of OMOP; concepts are numbered as they come."""
    folder.mkdir()
    events = simulate(STAYS, SEED).events.with_columns(
        kind=pl.col("code").str.split("//").list.get(0),
        name=pl.col("code").str.split("//").list.get(1, null_on_oob=True),
        person_id="subject_id",
        visit_occurrence_id="hadm_id",
        visit_detail_id="stay_id",
    )
    concepts = _concepts(events)
    tables = {
        "concept": concepts.drop("kind", "name"),
        "person": _persons(events),
        "measurement": _measurements(events, concepts),
        "condition_occurrence": _conditions(events, concepts),
        "note": _of(
            events, "NOTE", note_date="time", note_datetime="time", note_title="name", note_text="text_value"
        ),
        **_visits(events),
    }
    for name, table in tables.items():
        table.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%d %H:%M:%S%.6f")


def _of(events: pl.DataFrame, kinds: str, **columns: Any) -> pl.DataFrame:
    ids = ("person_id", "visit_occurrence_id", "visit_detail_id")
    return events.filter(pl.col("kind").str.contains(f"^(?:{kinds})$")).select(*ids, **columns)


def _concepts(events: pl.DataFrame) -> pl.DataFrame:
    coded = events.filter(pl.col("kind").is_in(["LAB", "VITAL", *SYSTEMS])).select("kind", "name").unique()
    is_icd = pl.col("kind").is_in(list(SYSTEMS))
    return coded.sort("kind", "name").with_columns(
        concept_id=pl.int_range(1, pl.len() + 1),
        concept_name="name",
        vocabulary_id=pl.when(is_icd).then(pl.col("kind").replace(SYSTEMS)).otherwise(pl.lit("LOINC")),
        concept_code=pl.when(is_icd).then("name").otherwise(pl.col("name").replace(LOINC)),
    )


def _persons(events: pl.DataFrame) -> pl.DataFrame:
    born = events.filter(kind="MEDS_BIRTH").select(
        "person_id",
        year_of_birth=pl.col("time").dt.year(),
        month_of_birth=pl.col("time").dt.month(),
        day_of_birth=pl.col("time").dt.day(),
    )
    sex = pl.col("name").replace({"F": "8532", "M": "8507"})
    return born.join(events.filter(kind="GENDER").select("person_id", gender_concept_id=sex), on="person_id")


def _measurements(events: pl.DataFrame, concepts: pl.DataFrame) -> pl.DataFrame:
    told = events.join(concepts, on=["kind", "name"], how="left")
    return _of(
        told,
        "LAB|VITAL",
        measurement_concept_id="concept_id",
        measurement_date=pl.col("time").dt.date(),
        measurement_datetime="time",
        value_as_number="numeric_value",
        unit_source_value="unit",
        range_low="low",
        range_high="high",
    )


def _conditions(events: pl.DataFrame, concepts: pl.DataFrame) -> pl.DataFrame:
    told = events.join(concepts, on=["kind", "name"], how="left")
    return _of(
        told,
        "ICD9|ICD10",
        condition_concept_id=pl.lit(0),
        condition_start_date=pl.col("time").dt.date(),
        condition_source_concept_id="concept_id",
    )


def _visits(events: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every stay of the simulated hospital is in intensive care from beginning to end."""
    ids = ["person_id", "visit_occurrence_id", "visit_detail_id"]
    begins, ends = (_of(events, f"ICU_{mark}", time="time") for mark in ("ADMISSION", "DISCHARGE"))
    stays = begins.join(ends, on=ids, suffix="_end")

    def named(table: str, concept: int) -> pl.DataFrame:
        parts = [
            pl.col(time).alias(f"{table}_{end}_{part}")
            for time, end in (("time", "start"), ("time_end", "end"))
            for part in ("date", "datetime")
        ]
        return stays.select(*ids, pl.lit(concept).alias(f"{table}_concept_id"), *parts)

    return {"visit_occurrence": named("visit", 9201), "visit_detail": named("visit_detail", 32037)}


def stays_of(folder: Path, **source: Any) -> list[Any]:
    recipe = Recipe.model_validate(
        {"name": "whole", "seed": SEED, "source": source, "engine": {"workers": 1}}
    )
    run(recipe, folder, silent)
    run_cohort(recipe, folder, silent)
    return sorted(read_stays(folder / "cohort" / "stays"), key=lambda stay: stay.stay_id)


@pytest.mark.slow
def test_the_simulated_hospital_gives_the_same_stays_by_way_of_omop(tmp_path: Path) -> None:
    export_omop(tmp_path / "raw")
    there = stays_of(tmp_path / "omop", kind="omop", path=str(tmp_path / "raw"), shards=2)
    here = stays_of(tmp_path / "synthetic", kind="synthetic", stays=STAYS, shards=1)
    assert len(here) == len(there) > 30
    for ours, theirs in zip(here, there, strict=True):
        assert ours == replace(theirs, source="synthetic")
