"""A simulation written in the file layout of MIMIC-IV."""

import os
from pathlib import Path

import polars as pl
import pytest

from clinragen.clinical.variables import judged_variables
from clinragen.ehr.mimic4_export import HADM_OFFSET, LAYOUT, STAY_OFFSET, SUBJECT_OFFSET, export_mimic4
from clinragen.ehr.synthetic import Simulation, simulate


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(30, seed=2)


@pytest.fixture(scope="module")
def folder(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mimic4")
    export_mimic4(simulation, path)
    return path


def read(folder: Path, table: str) -> pl.DataFrame:
    return pl.read_csv(folder / f"{table}.csv.gz", infer_schema_length=None)


@pytest.mark.parametrize("table", LAYOUT)
def test_a_table_has_exactly_the_columns_of_mimic(folder: Path, table: str):
    assert read(folder, table).columns == LAYOUT[table].split()


def test_every_measurement_is_written_once_under_an_item_that_the_dictionaries_know(
    folder: Path, simulation: Simulation
):
    labs, charted = read(folder, "hosp/labevents"), read(folder, "icu/chartevents")
    assert labs.height + charted.height == simulation.events["numeric_value"].count()
    items = set(read(folder, "hosp/d_labitems")["itemid"]) | set(read(folder, "icu/d_items")["itemid"])
    assert len(items) == len(judged_variables())
    assert set(labs["itemid"]) | set(charted["itemid"]) <= items


def test_a_lab_value_is_printed_without_the_error_of_single_precision(folder: Path):
    potassium = read(folder, "hosp/labevents").filter(pl.col("itemid") == 50971)["valuenum"]
    assert (potassium == potassium.round(1)).all()


def test_a_lab_value_outside_its_own_range_is_flagged(folder: Path):
    labs = read(folder, "hosp/labevents").filter(pl.col("ref_range_upper").is_not_null())
    outside = (labs["valuenum"] < labs["ref_range_lower"]) | (labs["valuenum"] > labs["ref_range_upper"])
    assert ((labs["flag"] == "abnormal").fill_null(False) == outside).all()


def test_every_stay_keeps_its_note_and_codes(folder: Path, simulation: Simulation):
    notes = read(folder, "note/discharge")
    coded = read(folder, "hosp/diagnoses_icd")
    written = simulation.events.filter(pl.col("code") == "NOTE//admission")
    assert sorted(notes["text"]) == sorted(written["text_value"])
    assert coded.height == simulation.events["code"].str.starts_with("ICD").sum()
    titles = read(folder, "hosp/d_icd_diagnoses").select(pl.col("icd_code").cast(pl.String), "icd_version")
    assert (
        coded.with_columns(pl.col("icd_code").cast(pl.String))
        .join(titles, on=["icd_code", "icd_version"], how="anti")
        .is_empty()
    )


def test_subjects_admissions_and_stays_are_numbered_as_in_mimic(folder: Path):
    stays = read(folder, "icu/icustays")
    assert stays["stay_id"].to_list() == [STAY_OFFSET + n for n in range(1, 31)]
    assert stays["hadm_id"].to_list() == [HADM_OFFSET + n for n in range(1, 31)]
    assert stays["subject_id"].min() == SUBJECT_OFFSET + 1


def test_the_same_simulation_gives_the_same_bytes(simulation: Simulation, folder: Path, tmp_path: Path):
    export_mimic4(simulation, tmp_path)
    for table in LAYOUT:
        assert (tmp_path / f"{table}.csv.gz").read_bytes() == (folder / f"{table}.csv.gz").read_bytes()


def test_lab_items_carry_the_numbers_and_names_of_the_real_database(folder: Path):
    """MIMIC-III and MIMIC-IV share the numbers of laboratory items."""
    root = Path(os.environ.get("CLINRAGEN_DATA", Path(__file__).parents[2] / "../shared/data"))
    real = root / "mimic3-demo/D_LABITEMS.csv.gz"
    if not real.exists():
        pytest.skip("the open MIMIC-III demo is not here")
    names = dict(pl.read_csv(real).select("ITEMID", "LABEL").iter_rows())
    for itemid, label in read(folder, "hosp/d_labitems").select("itemid", "label").iter_rows():
        assert names[itemid] == label
