"""MIMIC-IV: what a simulation exports comes back as it was."""

import gzip
from collections import Counter

import polars as pl
import pytest
from ingesting import coded, events_of, ingest

from clinragen.clinical.codes import variable_of
from clinragen.ehr.mimic4_export import HADM_OFFSET, STAY_OFFSET, SUBJECT_OFFSET, export_mimic4
from clinragen.ehr.synthetic import simulate


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What was simulated, and what was read back from its export."""
    folder = tmp_path_factory.mktemp("mimic4")
    simulation = simulate(25, seed=4)
    export_mimic4(simulation, folder / "raw")
    ingest("mimic4", folder / "raw", folder)
    return simulation.events, events_of(folder)


def measured(events: pl.DataFrame, source: str, subject_offset: int = 0, stay_offset: int = 0) -> Counter:
    """Every measurement as (subject, time, variable, value to three decimals, range)."""
    rows = events.filter(pl.col("numeric_value").is_not_null()).to_dicts()
    return Counter(
        (
            row["subject_id"] - subject_offset,
            row["time"],
            variable_of(source, row["code"]),
            round(row["numeric_value"], 1),
            row["low"],
            row["high"],
        )
        for row in rows
        if variable_of(source, row["code"]) != "BNP"
    )


def test_every_measurement_comes_back_with_its_range(both):
    simulated, read = both
    assert sum(measured(simulated, "synthetic").values()) > 1000
    assert measured(simulated, "synthetic") == measured(read, "mimic4", SUBJECT_OFFSET)


def test_nt_probnp_comes_back_where_it_has_a_range_of_its_own(both):
    simulated, read = both
    has_range = pl.col("low").is_not_null() | pl.col("high").is_not_null()
    with_range = simulated.filter(pl.col("code").str.starts_with("LAB//BNP//"), has_range)
    assert read.filter(pl.col("code").str.starts_with("LAB//50963//")).height == with_range.height


def test_every_code_comes_back_with_its_admission(both):
    simulated, read = both
    expected = {(row["code"], int(row["hadm_id"][1:]) + HADM_OFFSET) for row in coded(simulated, "ICD")}
    assert {(row["code"], int(row["hadm_id"])) for row in coded(read, "ICD")} == expected


def test_every_stay_and_drug_comes_back(both):
    simulated, read = both
    for code in ("ICU_ADMISSION", "ICU_DISCHARGE"):
        expected = {(int(row["stay_id"][1:]) + STAY_OFFSET, row["time"]) for row in coded(simulated, code)}
        assert {(int(row["stay_id"]), row["time"]) for row in coded(read, code)} == expected
    drugs = [Counter((row["code"], row["time"]) for row in coded(events, "DRUG//")) for events in both]
    assert drugs[0] == drugs[1]


def test_a_discharge_summary_counts_from_discharge(both):
    simulated, read = both
    ends = {row["time"] for row in coded(simulated, "ICU_DISCHARGE")}
    notes = coded(read, "NOTE//discharge")
    assert {row["time"] for row in notes} <= ends
    assert Counter(row["text_value"] for row in notes) == Counter(
        row["text_value"] for row in coded(simulated, "NOTE//")
    )


def test_the_birth_is_known_to_the_year(both):
    simulated, read = both
    years = {row["subject_id"] + SUBJECT_OFFSET: row["time"].year for row in coded(simulated, "MEDS_BIRTH")}
    assert {row["subject_id"]: row["time"].year for row in coded(read, "MEDS_BIRTH")} == years


def test_an_icd_version_that_does_not_exist_is_quarantined(tmp_path):
    export_mimic4(simulate(2, seed=4), tmp_path / "raw")
    path = tmp_path / "raw" / "hosp" / "diagnoses_icd.csv.gz"
    rows = pl.read_csv(path, infer_schema=False).with_columns(icd_version=pl.lit("11"))
    path.write_bytes(gzip.compress(rows.write_csv().encode()))
    counts = ingest("mimic4", tmp_path / "raw", tmp_path)
    assert counts["quarantined"] == {"no code": rows.height}
