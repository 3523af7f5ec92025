"""The series of the MIMIC-III benchmark beside ours, cell by cell, each difference with its cause."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import polars as pl

from clinragen.clinical.codes import mapped_codes
from clinragen.clinical.variables import variables
from clinragen.ehr.events import number
from clinragen.schema import Stay

VARIABLES = {
    "Heart Rate": "heart rate",
    "Respiratory rate": "respiratory rate",
    "Systolic blood pressure": "systolic BP",
    "Diastolic blood pressure": "diastolic BP",
    "Mean blood pressure": "mean BP",
    "Oxygen saturation": "SpO2",
    "Temperature": "temperature",
    "Glucose": "glucose",
    "pH": "pH",
    "Fraction inspired oxygen": "FiO2",
    "Weight": "weight",
}
"""The benchmark's variables that are ours too. Coma scales, height and capillary refill are not."""
SPECIMEN = "50800"
NEAR = 0.011
"""Ours are rounded to four decimals in their own unit, the benchmark's to none in its own."""
UNEXPLAINED = "unexplained"
MISSED = "item the benchmark misses"
AS_TEXT = "largest as text, not as number"

Key = tuple[str, datetime, str]
"""Stay, moment, variable."""


class Row(NamedTuple):
    """A raw row of one of the variables."""

    item: str
    value: float
    variable: str
    is_error: bool
    is_arterial: bool | None


@dataclass(frozen=True)
class Compared:
    """How many cells are the same, and how many differ for each cause."""

    same: int
    causes: Counter[str]


def compare(stays: Sequence[Stay], gold: Path, raw: Path) -> Compared:
    """All cells of the given stays, within the ICU."""
    known = {stay.stay_id: stay for stay in stays}
    ours = {key: value for stay in stays for key, value in our_cells(stay)}
    theirs = their_cells(gold, known)
    items = their_items(gold)
    rows = raw_rows(raw, items, known)
    same, causes = 0, Counter[str]()
    for key in ours.keys() | theirs.keys():
        a, b = ours.get(key), theirs.get(key)
        if a is not None and b is not None and abs(a - b) <= NEAR:
            same += 1
        else:
            causes[cause(a, b, rows.get(key, []), items)] += 1
    return Compared(same, causes)


def cause(ours: float | None, theirs: float | None, rows: Sequence[Row], items: Mapping[str, str]) -> str:
    """Why a cell differs, by the raw rows of its moment."""
    if theirs is None:
        is_missed = all(row.item not in items for row in rows if row.value == ours)
        return MISSED if is_missed else UNEXPLAINED
    taken = [row for row in rows if abs(row.value - _as_charted(theirs, row.variable)) <= NEAR]
    for name, holds in FAULTS.items():
        if taken and all(map(holds, taken)):
            return name
    larger = [row.value for row in rows if row.value > theirs]
    return AS_TEXT if ours in larger and str(theirs) > str(ours) else UNEXPLAINED


def our_cells(stay: Stay) -> Iterator[tuple[Key, float]]:
    """Ours, temperature in Celsius as the benchmark has it."""
    for row in stay.measurements:
        if row.variable in VARIABLES.values():
            value = (row.value - 32) / 1.8 if row.variable == "temperature" else row.value
            yield (stay.stay_id, row.time, row.variable), value


def their_cells(gold: Path, stays: Mapping[str, Stay]) -> dict[Key, float]:
    """The benchmark's cells within the ICU; its hours are of whole seconds."""
    cells = pl.read_parquet(gold / "timeseries.parquet").filter(
        "in_icu", pl.col("variable").is_in(list(VARIABLES))
    )
    return {
        (
            str(stay),
            stays[str(stay)].start + timedelta(seconds=round(hours * 3600)),
            VARIABLES[name],
        ): float(value)
        for stay, hours, name, value in cells.select("ICUSTAY_ID", "Hours", "variable", "value").iter_rows()
    }


def their_items(gold: Path) -> dict[str, str]:
    """The items of the benchmark that are of our variables."""
    with (gold / "itemid_to_variable.csv").open() as lines:
        named = {row["ITEMID"]: row["VARIABLE"] for row in csv.DictReader(lines)}
    return {item: VARIABLES[name] for item, name in named.items() if name in VARIABLES}


def raw_rows(raw: Path, items: Mapping[str, str], stays: Mapping[str, Stay]) -> dict[Key, list[Row]]:
    """The raw rows of items that either reads, under every stay of their patient."""
    codes = mapped_codes("mimic3").items()
    named = {**items, **{code.split("//")[1]: name for code, name in codes if name in VARIABLES.values()}}
    stays_of: dict[str, list[str]] = {}
    for stay in stays.values():
        stays_of.setdefault(str(stay.subject_id), []).append(stay.stay_id)
    found: dict[Key, list[Row]] = {}
    for table in ("CHARTEVENTS", "LABEVENTS"):
        for subject, time, row in _rows_of(raw / f"{table}.csv.gz", named):
            for stay_id in stays_of.get(subject, []):
                found.setdefault((stay_id, time, row.variable), []).append(row)
    return found


def _rows_of(path: Path, named: Mapping[str, str]) -> Iterator[tuple[str, datetime, Row]]:
    table = pl.read_csv(path, infer_schema=False)
    specimens = table.filter(pl.col("ITEMID") == SPECIMEN).select(
        "SUBJECT_ID", "CHARTTIME", is_arterial=pl.col("VALUE").str.starts_with("ART")
    )
    rows = table.filter(pl.col("ITEMID").is_in(list(named))).with_columns(
        value=pl.coalesce(number("VALUENUM"), number("VALUE")),
        is_error=pl.col("ERROR") == "1" if "ERROR" in table.columns else pl.lit(False),
    )
    told = rows.join(
        specimens.unique(["SUBJECT_ID", "CHARTTIME"]), on=["SUBJECT_ID", "CHARTTIME"], how="left"
    )
    columns = (
        "SUBJECT_ID",
        pl.col("CHARTTIME").str.to_datetime(),
        "ITEMID",
        "value",
        "is_error",
        "is_arterial",
    )
    for subject, time, item, value, is_error, is_arterial in (
        told.filter(pl.col("value").is_not_null()).select(*columns).iter_rows()
    ):
        yield subject, time, Row(item, value, named[item], bool(is_error), is_arterial)


def _as_charted(theirs: float, variable: str) -> float:
    """The benchmark divides FiO2 by 100."""
    return theirs * 100 if variable == "FiO2" else theirs


def _is_of(items: Sequence[str], row: Row) -> bool:
    return row.item in items


def _is_impossible(row: Row) -> bool:
    scale = 0.01 if row.variable == "FiO2" and row.value > 1 else 1.0
    value = row.value * 1.8 + 32 if row.variable == "temperature" and row.value < 60 else row.value * scale
    return not variables()[row.variable].is_plausible(value)


FAULTS: dict[str, Callable[[Row], bool]] = {
    "row marked as error": lambda row: row.is_error,
    "urine taken for blood": partial(_is_of, ("51478", "51491", "51094")),
    "breaths of the patient alone taken for all": partial(_is_of, ("614", "651", "224422", "224689")),
    "saturation of a blood sample taken for the pulse oximeter's": partial(
        _is_of, ("834", "220227", "50817", "8498")
    ),
    "mean pressure of a balloon pump": partial(_is_of, ("224", "224322")),
    "skin temperature": partial(_is_of, ("3655",)),
    "blood gas that is not arterial": lambda row: (
        row.is_arterial is False or _is_of(("860", "220274", "4202", "1673", "3839", "50831"), row)
    ),
    "impossible value": _is_impossible,
    "fraction divided by 100": lambda row: row.variable == "FiO2" and row.value <= 1,
}
"""What is wrong with a cell of the benchmark where all raw rows that gave it are so."""
