"""MIMIC-III v1.4: https://physionet.org/content/mimiciii/1.4/. Notes are optional: the open demo has none."""

import polars as pl

from clinragen.ehr.events import Ids, coded, draft, end_of_day, icd_plain, moment
from clinragen.ehr.mimic import (
    CARRIER,
    GASES,
    MARKED_AS_ERROR,
    admission_marks,
    chart_events,
    discharge_times,
    lab_events,
    labels_of_items,
    procedure_events,
    stay_marks,
)
from clinragen.ehr.tables import Feed, Items, Layout, Look, need

SPECIMEN_TYPE = "50800"


def _patients(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return [
        draft(rows, coded("GENDER", pl.col("gender")), time=None),
        draft(rows, pl.lit("MEDS_BIRTH"), time=moment("dob")),
    ]


def _admissions(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """The reason is what was written at admission, before anyone coded anything; it may be missing."""
    told = rows.filter(pl.col("diagnosis").str.strip_chars() != "")
    reason = draft(
        told,
        pl.lit("REASON//admission"),
        time=moment("admittime"),
        text=pl.col("diagnosis").str.strip_chars(),
        ids=Ids(pl.col("hadm_id")),
    )
    return [*admission_marks(rows), reason]


def _icustays(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return stay_marks(rows, "icustay_id", ("{}_careunit", "{}_wardid"))


def _labevents(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """Rows name no specimen; those of one patient and moment are one specimen."""
    return [lab_events(rows, "mimic3", SPECIMEN_TYPE, ("subject_id", "charttime"))]


def _chartevents(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    return [chart_events(rows, "icustay_id", ((pl.col("error") == "1", MARKED_AS_ERROR),))]


def _diagnoses(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """A code has its title in the hospital's dictionary as text, none where the dictionary lacks it."""
    titles = look("d_icd_diagnoses").select("icd9_code", "long_title").unique("icd9_code", keep="first")
    dated = rows.join(discharge_times(look("admissions")), on="hadm_id", how="left")
    titled = dated.join(titles, on="icd9_code", how="left")
    code = coded("ICD9", icd_plain(pl.col("icd9_code")))
    text = pl.col("long_title")
    return [draft(titled, code, time=pl.col("discharged"), text=text, ids=Ids(pl.col("hadm_id")))]


def _prescriptions(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """Prescriptions have a date only; they count from the end of that day."""
    is_carrier = (pl.col("drug_type") != "MAIN", CARRIER)
    return [
        draft(
            rows,
            coded("DRUG", pl.col("drug")),
            time=end_of_day(moment("startdate")),
            ids=Ids(pl.col("hadm_id"), pl.col("icustay_id")),
            faults=(is_carrier,),
        )
    ]


def _procedures(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    return [procedure_events(rows, labels_of_items(look("d_items")), "icustay_id")]


def _notes(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """A note without a time counts from the end of its day."""
    return [
        draft(
            rows,
            coded("NOTE", pl.col("category").str.to_lowercase()),
            time=pl.coalesce(moment("charttime"), end_of_day(moment("chartdate"))),
            text=pl.col("text"),
            ids=Ids(pl.col("hadm_id")),
            faults=((pl.col("iserror") == "1", MARKED_AS_ERROR),),
        )
    ]


MIMIC3 = Layout(
    "mimic3",
    (
        Feed(need("patients", "subject_id gender dob"), _patients),
        Feed(need("admissions", "subject_id hadm_id admittime dischtime diagnosis"), _admissions),
        Feed(
            need(
                "icustays",
                "subject_id hadm_id icustay_id intime outtime "
                "first_careunit last_careunit first_wardid last_wardid",
            ),
            _icustays,
        ),
        Feed(need("diagnoses_icd", "subject_id hadm_id icd9_code"), _diagnoses),
        Feed(
            need("labevents", "subject_id hadm_id itemid charttime value valuenum valueuom"),
            _labevents,
            Items("itemid", "LAB", (SPECIMEN_TYPE,), GASES),
        ),
        Feed(
            need(
                "chartevents", "subject_id hadm_id icustay_id itemid charttime value valuenum valueuom error"
            ),
            _chartevents,
            Items("itemid", "CHART"),
        ),
        Feed(
            need("prescriptions", "subject_id hadm_id icustay_id startdate drug_type drug", True),
            _prescriptions,
        ),
        Feed(
            need(
                "procedureevents_mv",
                "subject_id hadm_id icustay_id starttime itemid ordercategoryname statusdescription",
                True,
            ),
            _procedures,
        ),
        Feed(
            need("noteevents", "subject_id hadm_id chartdate charttime category iserror text", True), _notes
        ),
    ),
    (need("d_items", "itemid label"), need("d_icd_diagnoses", "icd9_code long_title", True)),
)
