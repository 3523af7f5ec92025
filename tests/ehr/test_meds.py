"""MEDS data sets: what is understood, what is counted, and our own output read back."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingesting import coded, events_of, ingest, silent

from clinragen.cohort.run import run as run_cohort
from clinragen.ehr.run import run as run_ingest
from clinragen.errors import SourceError
from clinragen.recipe import Recipe
from clinragen.schema import SPLITS, Stay
from clinragen.store import read_json, read_stays

DATA = Path(os.environ.get("CLINRAGEN_DATA", Path(__file__).parents[3] / "shared" / "data"))
START = datetime(2130, 1, 1, 8)


def row(code: str, hours: float | None, value: float | None = None, **columns: Any) -> dict[str, Any]:
    time = None if hours is None else START + timedelta(hours=hours)
    return {"subject_id": 7, "time": time, "code": code, "numeric_value": value, **columns}


def write_meds(folder: Path, rows: list[dict[str, Any]], parents: dict[str, list[str]] | None = None) -> Path:
    """A data set of one shard, with the four columns that every one has, and others if a row has them."""
    (folder / "data" / "train").mkdir(parents=True)
    schema = {"time": pl.Datetime("us"), "numeric_value": pl.Float32}
    pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None).write_parquet(
        folder / "data" / "train" / "0.parquet"
    )
    if parents:
        (folder / "metadata").mkdir()
        table = {"code": list(parents), "parent_codes": list(parents.values())}
        pl.DataFrame(table).write_parquet(folder / "metadata" / "codes.parquet")
    return folder


STAY = [
    row("GENDER//F", None),
    row("MEDS_BIRTH", -24 * 365 * 60),
    row("HOSPITAL_ADMISSION//EMERGENCY", -2),
    row("ICU_ADMISSION//MICU", 0),
    row("ICU_DISCHARGE//MICU", 70),
    row("DIAGNOSIS//ICD//9//584.9", 100),
    row("HOSPITAL_DISCHARGE//HOME", 100),
]


def test_stays_without_ids_are_paired_in_the_order_of_time(tmp_path: Path) -> None:
    again = [
        {**each, "time": each["time"] + timedelta(days=30)}
        for each in STAY
        if each["code"].startswith(("HOSPITAL", "ICU"))
    ]
    ingest("meds", write_meds(tmp_path / "raw", [*STAY, *again]), tmp_path)
    marks = events_of(tmp_path).filter(pl.col("code").str.starts_with("ICU"))
    pairs = marks.group_by("stay_id", maintain_order=True).agg("code", "hadm_id")
    assert pairs["code"].to_list() == [["ICU_ADMISSION", "ICU_DISCHARGE"]] * 2
    assert pairs["stay_id"].to_list() == ["7-21300101080000", "7-21300131080000"]
    assert pairs["hadm_id"].to_list()[1][0] == "7-21300131060000"


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("DIAGNOSIS//ICD//9//584.9", "ICD9//5849"),
        ("DIAGNOSIS//ICD//10//N179", "ICD10//N179"),
        ("ICD10CM/N17.9", "ICD10//N179"),
        ("ICD9CM/584.9", "ICD9//5849"),
        ("ICD-10-CM//N17.9", "ICD10//N179"),
        ("LAB//50912//mg/dL", "LAB//50912"),
        ("LAB//220045//bpm", "CHART//220045"),
        ("LOINC/2160-0", "LOINC//2160-0"),
        ("LOINC//2160-0//mg/dL", "LOINC//2160-0//mg/dL"),
        ("MEDICATION//Furosemide", "DRUG//Furosemide"),
    ],
)
def test_ways_to_write_a_code(tmp_path: Path, code: str, known: str) -> None:
    ingest("meds", write_meds(tmp_path / "raw", [*STAY, row(code, 1, 1.0, unit="mg/dL")]), tmp_path)
    assert [each["code"] for each in coded(events_of(tmp_path), known)]


def test_a_code_is_known_by_its_parents_and_theirs(tmp_path: Path) -> None:
    parents = {"KREA": ["LOCAL//1"], "LOCAL//1": ["LOINC/2160-0"], "NAME": ["SNOMED/1"]}
    rows = [*STAY, row("KREA", 1, 1.4, unit="mg/dL"), row("NAME", 1, 2.0)]
    counts = ingest("meds", write_meds(tmp_path / "raw", rows, parents), tmp_path)
    (found,) = coded(events_of(tmp_path), "LOINC//2160-0")
    assert (found["numeric_value"], found["unit"]) == (pytest.approx(1.4), "mg/dL")
    unmapped = read_json(tmp_path / "ingest" / "metadata" / "unmapped.json")
    assert unmapped["codes"] == {"NAME": 1}
    assert counts["quarantined"] == {}


def test_the_unit_is_the_rows_or_else_the_codes(tmp_path: Path) -> None:
    rows = [*STAY, row("LAB//50912//umol/L", 1, 88.0), row("LAB//50912//umol/L", 2, 1.0, unit="mg/dL")]
    ingest("meds", write_meds(tmp_path / "raw", rows), tmp_path)
    assert [each["unit"] for each in coded(events_of(tmp_path), "LAB//")] == ["umol/L", "mg/dL"]


def test_a_users_own_table_goes_before_ours(tmp_path: Path) -> None:
    raw = write_meds(tmp_path / "raw", [*STAY, row("HEART", 1, 80.0)])
    own = tmp_path / "own.csv"
    own.write_text("code,variable,unit\nHEART,heart rate,bpm\n")
    stays = cohort_of("meds", raw, tmp_path / "run", codes=str(own))
    ((measured,),) = [stay.measurements for stay in stays]
    assert (measured.variable, measured.value) == ("heart rate", 80.0)


def test_every_fault_of_a_users_table_is_told_at_once(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("code,variable,unit\nA,creatinin,\n,heart rate,\nB,creatinine,furlong\n")
    with pytest.raises(SourceError) as fault:
        cohort_of("meds", write_meds(tmp_path / "raw", STAY), tmp_path / "run", codes=str(own))
    told = str(fault.value)
    assert "line 2: unknown variable 'creatinin'" in told
    assert "line 3: no code" in told
    assert "line 4: unknown unit 'furlong' of creatinine" in told


def test_a_folder_without_events_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no events in"):
        ingest("meds", tmp_path, tmp_path)


# ---- our own output, read back


def cohort_of(kind: str, raw: Path | None, run: Path, **source: Any) -> list[Stay]:
    told = {"kind": kind, "path": str(raw or ""), "shards": 2, "stays": 60, **source}
    splits = {"train": 0.4, "tuning": 0.3}
    recipe = Recipe.model_validate(
        {"name": "mini", "source": told, "cohort": splits, "engine": {"workers": 1}}
    )
    run_ingest(recipe, run, silent)
    try:
        run_cohort(recipe, run, silent)
    except Exception as fault:
        if "no stay in" not in str(fault):
            raise
    return [stay for split in SPLITS for stay in read_stays(run / "cohort" / "stays", split)]


def same(one: list[Stay], other: list[Stay]) -> None:
    def parts(stay: Stay) -> tuple[Any, ...]:
        rows = [(row.time, row.variable, row.value, row.low, row.high) for row in stay.measurements]
        return (
            stay.stay_id,
            stay.start,
            stay.prediction_time,
            stay.sex,
            stay.age,
            stay.note,
            rows,
            stay.diagnoses,
        )

    assert sorted(map(parts, one)) == sorted(map(parts, other))


def test_the_simulated_hospital_comes_back_the_same(tmp_path: Path) -> None:
    first = cohort_of("synthetic", None, tmp_path / "first")
    again = cohort_of("meds", tmp_path / "first" / "ingest", tmp_path / "again")
    assert len(first) >= 50
    same(first, again)


@pytest.mark.skipif(not (DATA / "mimic3-demo").exists(), reason="open data are not there")
def test_the_open_demo_of_mimic3_comes_back_the_same(tmp_path: Path) -> None:
    first = cohort_of("mimic3", DATA / "mimic3-demo", tmp_path / "first")
    again = cohort_of("meds", tmp_path / "first" / "ingest", tmp_path / "again")
    assert len(first) >= 50
    same(first, again)
