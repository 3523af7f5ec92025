"""Write a simulation in the file layout of MIMIC-IV 3.x, so that the adapter of MIMIC-IV can be tested.

File and column names are those of the MIMIC-IV documentation (modules hosp, icu and note); a column that
the simulation knows nothing of is empty. Item numbers are MIMIC's own. BNP is written as NTproBNP, the
only such test there, with its own reference range on every row.
"""

import csv
import gzip
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import polars as pl

from clinragen.clinical.diagnoses import diagnoses
from clinragen.clinical.variables import variables
from clinragen.ehr.simulation.tables import codes
from clinragen.ehr.synthetic import Simulation

SUBJECT_OFFSET, HADM_OFFSET, STAY_OFFSET = 10_000_000, 20_000_000, 30_000_000
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
OTHER_TITLE = "Other condition"

LAYOUT: dict[str, str] = {
    "hosp/patients": "subject_id gender anchor_age anchor_year anchor_year_group dod",
    "hosp/admissions": "subject_id hadm_id admittime dischtime deathtime admission_type admit_provider_id "
    "admission_location discharge_location insurance language marital_status race edregtime edouttime "
    "hospital_expire_flag",
    "hosp/labevents": "labevent_id subject_id hadm_id specimen_id itemid order_provider_id charttime "
    "storetime value valuenum valueuom ref_range_lower ref_range_upper flag priority comments",
    "hosp/d_labitems": "itemid label fluid category",
    "hosp/diagnoses_icd": "subject_id hadm_id seq_num icd_code icd_version",
    "hosp/d_icd_diagnoses": "icd_code icd_version long_title",
    "hosp/prescriptions": "subject_id hadm_id pharmacy_id poe_id poe_seq order_provider_id starttime "
    "stoptime drug_type drug formulary_drug_cd gsn ndc prod_strength form_rx dose_val_rx dose_unit_rx "
    "form_val_disp form_unit_disp doses_per_24_hrs route",
    "icu/icustays": "subject_id hadm_id stay_id first_careunit last_careunit intime outtime los",
    "icu/chartevents": "subject_id hadm_id stay_id caregiver_id charttime storetime itemid value valuenum "
    "valueuom warning",
    "icu/d_items": "itemid label abbreviation linksto category unitname param_type lownormalvalue "
    "highnormalvalue",
    "note/discharge": "note_id subject_id hadm_id note_type note_seq charttime storetime text",
}


def export_mimic4(simulation: Simulation, folder: Path) -> None:
    """Write every table of LAYOUT under `folder` as `<module>/<table>.csv.gz`."""
    events = _numbered(simulation.events)
    for table, columns in LAYOUT.items():
        path = folder / f"{table}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(_arranged(_MAKERS[table](events), columns.split()), path)


def _arranged(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    empty = [pl.lit(None, pl.String).alias(name) for name in columns if name not in frame.columns]
    return frame.with_columns(empty).select(columns)


def _write(frame: pl.DataFrame, path: Path) -> None:
    text = frame.write_csv(datetime_format=TIME_FORMAT)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    """Events with MIMIC's numbers for subjects, admissions and stays, and the parts of each code."""
    parts = pl.col("code").str.split("//")
    return events.with_columns(
        pl.col("subject_id") + SUBJECT_OFFSET,
        pl.col("hadm_id").str.slice(1).cast(pl.Int64) + HADM_OFFSET,
        pl.col("stay_id").str.slice(1).cast(pl.Int64) + STAY_OFFSET,
        kind=parts.list.get(0),
        term=parts.list.get(1, null_on_oob=True),
    )


def _stays(events: pl.DataFrame) -> pl.DataFrame:
    """One row per stay; here an admission is one ICU stay, so both begin and end together."""
    times = {
        name: events.filter(pl.col("kind") == kind).select("stay_id", pl.col("time").alias(name))
        for name, kind in (("intime", "ICU_ADMISSION"), ("outtime", "ICU_DISCHARGE"))
    }
    numbers = events.filter(pl.col("kind") == "ICU_ADMISSION").select("subject_id", "hadm_id", "stay_id")
    days = (pl.col("outtime") - pl.col("intime")).dt.total_minutes() / 1440
    joined = numbers.join(times["intime"], on="stay_id").join(times["outtime"], on="stay_id")
    return joined.with_columns(days.round(4).alias("los")).sort("stay_id")


def _patients(events: pl.DataFrame) -> pl.DataFrame:
    """Age and year at the first admission; MIMIC holds no date of birth."""
    gender = events.filter(pl.col("kind") == "GENDER").select("subject_id", gender="term")
    birth = events.filter(pl.col("kind") == "MEDS_BIRTH").select("subject_id", birth="time")
    first = _stays(events).group_by("subject_id").agg(pl.col("intime").min().alias("first"))
    year = pl.col("first").dt.year()
    return (
        gender.join(birth, on="subject_id")
        .join(first, on="subject_id")
        .with_columns(anchor_year=year, anchor_age=year - pl.col("birth").dt.year())
        .with_columns(anchor_year_group=_year_group(pl.col("anchor_year")))
        .sort("subject_id")
    )


def _year_group(year: pl.Expr) -> pl.Expr:
    """MIMIC's three-year groups: 2008 - 2010, 2011 - 2013, ..."""
    start = (year - 2008).floordiv(3) * 3 + 2008
    return pl.format("{} - {}", start, start + 2)


def _admissions(events: pl.DataFrame) -> pl.DataFrame:
    return _stays(events).with_columns(
        admittime="intime",
        dischtime="outtime",
        admission_type=pl.lit("EW EMER."),
        admission_location=pl.lit("EMERGENCY ROOM"),
        discharge_location=pl.lit("HOME"),
        hospital_expire_flag=pl.lit(0),
    )


def _icustays(events: pl.DataFrame) -> pl.DataFrame:
    unit = pl.lit("Medical Intensive Care Unit (MICU)")
    return _stays(events).with_columns(first_careunit=unit, last_careunit=unit)


def _measured(events: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The values as printed: events hold single precision, which the laboratory's decimals undo."""
    scale = 10.0 ** pl.col("decimals")
    value = (pl.col("numeric_value").cast(pl.Float64) * scale).round() / scale
    rows = events.filter(pl.col("kind") == kind).join(
        _items().drop("kind"), left_on="term", right_on="variable", maintain_order="left"
    )
    return rows.with_columns(
        valuenum=value, value=value.cast(pl.String), valueuom="unit", charttime="time", storetime="time"
    )


def _labevents(events: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("valuenum")
    is_outside = (value < pl.col("low")) | (value > pl.col("high"))
    return (
        _measured(events, "LAB")
        .with_columns(
            ref_range_lower="low",
            ref_range_upper="high",
            flag=pl.when(is_outside).then(pl.lit("abnormal")),
            priority=pl.lit("ROUTINE"),
        )
        .with_row_index("labevent_id", offset=1)
    )


def _chartevents(events: pl.DataFrame) -> pl.DataFrame:
    return _measured(events, "VITAL").with_columns(warning=pl.lit(0))


def _items() -> pl.DataFrame:
    with (files("clinragen.ehr.simulation") / "mimic4_items.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    return pl.DataFrame(rows).with_columns(
        pl.col("itemid").cast(pl.Int64),
        kind=pl.col("variable").replace_strict({name: row.kind for name, row in variables().items()}),
        decimals=pl.col("variable").replace_strict({name: row.decimals for name, row in variables().items()}),
        unitname=pl.col("variable").replace_strict({name: row.unit for name, row in variables().items()}),
    )


def _d_labitems(_: pl.DataFrame) -> pl.DataFrame:
    return _items().filter(pl.col("kind") == "lab").sort("itemid")


def _d_items(_: pl.DataFrame) -> pl.DataFrame:
    rows = _items().filter(pl.col("kind") == "vital").sort("itemid")
    return rows.with_columns(
        abbreviation="label", linksto=pl.lit("chartevents"), param_type=pl.lit("Numeric")
    )


def _diagnoses_icd(events: pl.DataFrame) -> pl.DataFrame:
    rows = events.filter(pl.col("kind").is_in(["ICD9", "ICD10"]))
    return rows.with_columns(
        icd_code="term",
        icd_version=pl.col("kind").str.slice(3).cast(pl.Int64),
        seq_num=pl.int_range(1, pl.len() + 1).over("hadm_id"),
    )


def _d_icd_diagnoses(_: pl.DataFrame) -> pl.DataFrame:
    titles = {label.name: label.title for label in diagnoses()}
    rows = [
        (code, int(system.removeprefix("ICD")), titles.get(name, OTHER_TITLE))
        for system, groups in codes().items()
        for name, members in groups.items()
        for code in members
    ]
    return pl.DataFrame(rows, schema=["icd_code", "icd_version", "long_title"], orient="row").sort("icd_code")


def _prescriptions(events: pl.DataFrame) -> pl.DataFrame:
    rows = events.filter(pl.col("kind") == "DRUG").join(
        _stays(events).select("stay_id", "outtime"), on="stay_id"
    )
    return rows.with_columns(drug="term", starttime="time", stoptime="outtime", drug_type=pl.lit("MAIN"))


def _discharge(events: pl.DataFrame) -> pl.DataFrame:
    """MIMIC dates a discharge summary at discharge, whatever it tells of."""
    rows = events.filter(pl.col("kind") == "NOTE").join(
        _stays(events).select("stay_id", "outtime"), on="stay_id"
    )
    rows = rows.with_columns(note_seq=pl.int_range(1, pl.len() + 1).over("subject_id"))
    return rows.with_columns(
        note_id=pl.format("{}-DS-{}", "subject_id", "note_seq"),
        note_type=pl.lit("DS"),
        charttime="outtime",
        storetime="outtime",
        text="text_value",
    )


_MAKERS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "hosp/patients": _patients,
    "hosp/admissions": _admissions,
    "hosp/labevents": _labevents,
    "hosp/d_labitems": _d_labitems,
    "hosp/diagnoses_icd": _diagnoses_icd,
    "hosp/d_icd_diagnoses": _d_icd_diagnoses,
    "hosp/prescriptions": _prescriptions,
    "icu/icustays": _icustays,
    "icu/chartevents": _chartevents,
    "icu/d_items": _d_items,
    "note/discharge": _discharge,
}
