"""MIMIC-IV 2.x and 3.x: https://physionet.org/content/mimiciv/, with MIMIC-IV-Note beside it if there.

Tables are found in any subfolder (hosp, icu, note). Births are known by year only.
"""

import polars as pl

from clinragen.ehr.events import Ids, coded, draft, icd_plain, moment, number
from clinragen.ehr.mimic import (
    CARRIER,
    GASES,
    admission_marks,
    chart_events,
    discharge_times,
    lab_events,
    labels_of_items,
    procedure_events,
    stay_marks,
)
from clinragen.ehr.tables import Feed, Items, Layout, Look, need

SPECIMEN_TYPE = "52033"


def _patients(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """Born on 1 January of the anchor year less the anchor age: the age is right to a year."""
    year = (number("anchor_year") - number("anchor_age")).cast(pl.Int32)
    return [
        draft(rows, coded("GENDER", pl.col("gender")), time=None),
        draft(rows, pl.lit("MEDS_BIRTH"), time=pl.datetime(year, 1, 1, time_unit="us")),
    ]


def _admissions(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return admission_marks(rows)


def _icustays(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return stay_marks(rows, "stay_id", ("{}_careunit",))


def _labevents(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    ranged = rows.with_columns(low=number("ref_range_lower"), high=number("ref_range_upper"))
    return [lab_events(ranged, "mimic4", SPECIMEN_TYPE, ("specimen_id",), pl.col("low"), pl.col("high"))]


def _chartevents(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return [chart_events(rows, "stay_id")]


def _diagnoses(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    dated = rows.join(discharge_times(look("admissions")), on="hadm_id", how="left")
    version = pl.col("icd_version").str.strip_chars()
    system = pl.when(version.is_in(["9", "10"])).then(pl.lit("ICD") + version)
    code = pl.concat_str(system, icd_plain(pl.col("icd_code")), separator="//")
    return [draft(dated, code, time=pl.col("discharged"), ids=Ids(pl.col("hadm_id")))]


def _prescriptions(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return [
        draft(
            rows,
            coded("DRUG", pl.col("drug")),
            time=moment("starttime"),
            ids=Ids(pl.col("hadm_id")),
            faults=((pl.col("drug_type") != "MAIN", CARRIER),),
        )
    ]


def _procedures(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    return [procedure_events(rows, labels_of_items(look("d_items")), "stay_id")]


def _notes(kind: str, rows: pl.DataFrame) -> list[pl.DataFrame]:
    """A note counts from when it was stored: discharge summaries are charted at midnight of their day."""
    return [
        draft(
            rows,
            pl.lit(f"NOTE//{kind}"),
            time=pl.max_horizontal(moment("charttime"), moment("storetime")),
            text=pl.col("text"),
            ids=Ids(pl.col("hadm_id")),
        )
    ]


def _discharge(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return _notes("discharge", rows)


def _radiology(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return _notes("radiology", rows)


_NOTE = "subject_id hadm_id charttime storetime text"

MIMIC4 = Layout(
    "mimic4",
    (
        Feed(need("patients", "subject_id gender anchor_age anchor_year"), _patients),
        Feed(need("admissions", "subject_id hadm_id admittime dischtime"), _admissions),
        Feed(
            need("icustays", "subject_id hadm_id stay_id intime outtime first_careunit last_careunit"),
            _icustays,
        ),
        Feed(need("diagnoses_icd", "subject_id hadm_id icd_code icd_version"), _diagnoses),
        Feed(
            need(
                "labevents",
                "subject_id hadm_id specimen_id itemid charttime value valuenum valueuom "
                "ref_range_lower ref_range_upper",
            ),
            _labevents,
            Items("itemid", "LAB", (SPECIMEN_TYPE,), GASES),
        ),
        Feed(
            need("chartevents", "subject_id hadm_id stay_id itemid charttime value valuenum valueuom"),
            _chartevents,
            Items("itemid", "CHART"),
        ),
        Feed(need("prescriptions", "subject_id hadm_id starttime drug_type drug", True), _prescriptions),
        Feed(
            need(
                "procedureevents",
                "subject_id hadm_id stay_id starttime itemid ordercategoryname statusdescription",
                True,
            ),
            _procedures,
        ),
        Feed(need("discharge", _NOTE, True), _discharge),
        Feed(need("radiology", _NOTE, True), _radiology),
    ),
    (need("d_items", "itemid label", True),),
)
