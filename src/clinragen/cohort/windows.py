"""Which stays there are, when each begins, ends and is predicted, and which events belong to one.

A table of windows has one row a stay: stay_id, subject_id, icu_id and hadm_id (ids its events may carry),
admitted, start, end, prediction_time, first_place and last_place (ward or care unit), is_on_record (whether
its admission is), sex, age (years). Unknown is null throughout.
"""

import polars as pl

from clinragen.recipe import Cohort

OLDEST_TOLD_AGE = 90.0
"""MIMIC-III moves the birth of patients over 89 to 300 years before; they count as 90, as in MIMIC-IV."""

_OLDEST_TRUE_AGE = 120.0
_SECONDS_A_DAY = 86_400
_MICROSECONDS_AN_HOUR = 3_600_000_000
_ADMISSION = ("hadm_id", "HOSPITAL_ADMISSION", "HOSPITAL_DISCHARGE")
_MARKS = {"icu": ("stay_id", "ICU_ADMISSION", "ICU_DISCHARGE"), "hospital": _ADMISSION}
_SEXES = {"F": "female", "M": "male"}


def windows(events: pl.DataFrame, cohort: Cohort) -> pl.DataFrame:
    """One row for every ICU stay, or every hospital stay, of the events; ordered by stay_id."""
    hours = pl.duration(microseconds=round(cohort.hours * _MICROSECONDS_AN_HOUR))
    return (
        _spans(events, cohort.unit)
        .join(_admissions(events), on=["subject_id", "hadm_id"], how="left")
        .join(_sexes(events), on="subject_id", how="left")
        .pipe(_with_ages, events, cohort.days_a_year)
        .with_columns(
            is_on_record=pl.col("admitted").is_not_null(),
            admitted=pl.min_horizontal("admitted", "start"),
            prediction_time=pl.min_horizontal(pl.col("start") + hours, "end"),
        )
        .sort("stay_id")
    )


def belonging(events: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Each event beside each stay it may belong to; `is_named` where the event carries an id of the stay.

    An event that carries another stay's id, or another admission's, never belongs. One without any id may
    belong by its time, which is for the caller to check.
    """
    carried = events.rename({"stay_id": "carried_icu", "hadm_id": "carried_admission"})
    same_icu = pl.col("carried_icu") == pl.col("icu_id")
    same_admission = pl.col("carried_admission") == pl.col("hadm_id")
    return (
        carried.join(found.select(pl.exclude("sex", "age")), on="subject_id", how="inner")
        .filter(same_icu.fill_null(True), same_admission.fill_null(True))
        .with_columns(is_named=same_icu.fill_null(False) | same_admission.fill_null(False))
    )


def _spans(events: pl.DataFrame, unit: str) -> pl.DataFrame:
    """When each stay begins and ends; a stay marked twice spans both marks."""
    key, begins, ends = _MARKS[unit]
    start = _marked(events, begins, key).agg(
        pl.col("hadm_id").min(), start=pl.col("time").min(), first_place=pl.col("text_value").min()
    )
    end = _marked(events, ends, key).agg(end=pl.col("time").max(), last_place=pl.col("text_value").min())
    icu_id = pl.col("key") if unit == "icu" else pl.lit(None, pl.String)
    spans = start.join(end, on=["subject_id", "key"], how="left")
    places = ("first_place", "last_place")
    return spans.select("subject_id", "hadm_id", "start", "end", *places, stay_id="key", icu_id=icu_id)


def _admissions(events: pl.DataFrame) -> pl.DataFrame:
    key, begins, _ = _ADMISSION
    marked = _marked(events, begins, key).agg(pl.col("time").min().alias("admitted"))
    return marked.rename({"key": "hadm_id"})


def _marked(events: pl.DataFrame, mark: str, key: str) -> pl.dataframe.group_by.GroupBy:
    rows = events.filter(pl.col("code").str.starts_with(mark), pl.col(key).is_not_null())
    return rows.with_columns(key=pl.col(key)).group_by("subject_id", "key")


def _sexes(events: pl.DataFrame) -> pl.DataFrame:
    """The sex on record; null where the records disagree."""
    letters = pl.col("code").str.strip_prefix("GENDER//").replace_strict(_SEXES, default=None)
    told = events.filter(pl.col("code").str.starts_with("GENDER//")).select("subject_id", sex=letters)
    one = pl.when(pl.col("sex").n_unique() == 1).then(pl.col("sex").first())
    return told.group_by("subject_id").agg(one.alias("sex"))


def _with_ages(found: pl.DataFrame, events: pl.DataFrame, days_a_year: float) -> pl.DataFrame:
    """Age in years at the start of the stay: from the birth, else as charted with the stay or patient."""
    births = (
        events.filter(pl.col("code") == "MEDS_BIRTH").group_by("subject_id").agg(birth=pl.col("time").min())
    )
    charted = belonging(events.filter(pl.col("code") == "AGE"), found)
    ages = charted.group_by("stay_id").agg(charted_age=pl.col("numeric_value").cast(pl.Float64).max())
    lived = (pl.col("start") - pl.col("birth")).dt.total_seconds() / (days_a_year * _SECONDS_A_DAY)
    age = pl.coalesce(lived, "charted_age")
    return (
        found.join(births, on="subject_id", how="left")
        .join(ages, on="stay_id", how="left")
        .with_columns(age=pl.when(age > _OLDEST_TRUE_AGE).then(OLDEST_TOLD_AGE).otherwise(age))
        .drop("birth", "charted_age")
    )
