"""eICU has no dates: its patients and unit stays, with a subject number and an invented moment of admission.

The first hospital stay of every patient begins on 1 January 2100, each further one two years later, in the
order of the discharge year. Times within a hospital stay are true to each other.
"""

import hashlib

import polars as pl

from clinragen.ehr.events import number

FIRST_YEAR, YEARS_BETWEEN = 2100, 2


def placed(patients: pl.DataFrame) -> pl.DataFrame:
    """Unit stays with their subject, hospital stay and `origin`, the invented moment of unit admission."""
    year = pl.col("hospitaldischargeyear")
    stays = patients.unique("patientunitstayid", keep="first", maintain_order=True).with_columns(
        subject=pl.col("uniquepid").replace_strict(_subjects(patients["uniquepid"]), default=None),
        hadm_id=pl.col("patienthealthsystemstayid"),
        year=year.min().over("patienthealthsystemstayid"),
    )
    turn = pl.struct("year", "hadm_id").rank("dense").over("subject").cast(pl.Int32) - 1
    began = pl.datetime(FIRST_YEAR + YEARS_BETWEEN * turn, 1, 1, time_unit="us")
    return stays.with_columns(origin=began - _minutes(number("hospitaladmitoffset").fill_null(0.0)))


def _subjects(uniquepids: pl.Series) -> dict[str, int]:
    """A number for each patient, the same everywhere: the first 60 bits of the SHA-256 of the text."""
    known = [name for name in uniquepids.unique().to_list() if name]
    return {name: subject_number(name) for name in known}


def subject_number(name: str) -> int:
    """A number for a patient known by a text: the first 60 bits of its SHA-256, the same everywhere."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:15], 16)


def after(offset: str) -> pl.Expr:
    """The moment that lies a column of minutes after unit admission; rows must be beside `placed` stays."""
    return pl.col("origin") + _minutes(number(offset))


def _minutes(minutes: pl.Expr) -> pl.Expr:
    return pl.duration(microseconds=(minutes * 60_000_000).round().cast(pl.Int64))
