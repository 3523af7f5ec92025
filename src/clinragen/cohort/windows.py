"""Which stays there are, when each begins, ends and is predicted, and which events belong to one.

A table of windows has one row a stay: stay_id, subject_id, icu_id and hadm_id (ids its events may carry),
admitted, start, end, prediction_time, first_place and last_place (ward or care unit), is_on_record (whether
its admission is), is_ordered (whether its admission does not end before it begins), is_one (whether its id is
of one patient and one admission), sex, born, age (years). Unknown is null throughout.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from clinragen.recipe import Cohort

OLDEST_TOLD_AGE = 90.0
"""MIMIC-III moves the birth of patients over 89 to 300 years before; they count as 90, as in MIMIC-IV."""

_OLDEST_TRUE_AGE = 120.0
_SECONDS_A_DAY = 86_400
_MICROSECONDS_AN_HOUR = 3_600_000_000
_ADMISSION = ("hadm_id", "HOSPITAL_ADMISSION", "HOSPITAL_DISCHARGE")
_MARKS = {"icu": ("stay_id", "ICU_ADMISSION", "ICU_DISCHARGE"), "hospital": _ADMISSION}
_STAY = ["subject_id", "stay_id"]
_OF_A_STAY = (*_STAY, "icu_id", "hadm_id", "admitted", "start", "end", "prediction_time")
_IN_TIME = pl.col("time").is_null() | (pl.col("time") <= pl.col("prediction_time"))
"""Whether a trait is on record by the prediction time; one without a time is of the patient, whenever."""
_SEXES = {"F": "female", "M": "male"}


def windows(events: pl.DataFrame, cohort: Cohort, shared: frozenset[str] = frozenset()) -> pl.DataFrame:
    """One row for every ICU stay, or every hospital stay, of the events; ordered by stay_id.

    `shared` are ids that patients of other shards have too.
    """
    is_alone = ~pl.col("stay_id").is_duplicated() & ~pl.col("stay_id").is_in(list(shared))
    return (
        _spans(events, cohort.unit)
        .join(_admissions(events), on=["subject_id", "hadm_id"], how="left")
        .with_columns(
            is_on_record=pl.col("admitted").is_not_null(),
            is_ordered=(pl.col("discharged") >= pl.col("admitted")).fill_null(True),
            is_one=is_alone & (pl.col("admissions") <= 1),
            prediction_time=_prediction_time(cohort),
        )
        .with_columns(admitted=pl.min_horizontal("admitted", "start"))
        .pipe(_with_sexes, events)
        .pipe(_with_ages, events, cohort.days_a_year)
        .drop("admissions", "discharged")
        .sort("stay_id", "subject_id")
    )


def shared_ids(shards: Sequence[Path], unit: str) -> frozenset[str]:
    """The ids that stays of several patients have, over all shards of events."""
    key, begins, _ = _MARKS[unit]
    is_mark = pl.col("code").str.starts_with(begins) & pl.col(key).is_not_null()
    owners = pl.scan_parquet(list(shards)).filter(is_mark).select("subject_id", key).unique()
    return frozenset(owners.group_by(key).len().filter(pl.col("len") > 1).collect()[key])


def belonging(events: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Each event beside each stay it may belong to; `is_named` where the event carries an id of the stay.

    An event that carries another stay's id, or another admission's, never belongs. One without any id may
    belong by its time, which is for the caller to check.
    """
    carried = events.rename({"stay_id": "carried_icu", "hadm_id": "carried_admission"})
    same_icu = pl.col("carried_icu") == pl.col("icu_id")
    same_admission = pl.col("carried_admission") == pl.col("hadm_id")
    return (
        carried.join(found.select(_OF_A_STAY), on="subject_id", how="inner")
        .filter(same_icu.fill_null(True), same_admission.fill_null(True))
        .with_columns(is_named=same_icu.fill_null(False) | same_admission.fill_null(False))
    )


def _prediction_time(cohort: Cohort) -> pl.Expr:
    """When a stay is predicted: never after its end, null where the time it is counted from is not known."""
    hours = pl.duration(microseconds=round(cohort.hours * _MICROSECONDS_AN_HOUR))
    since = pl.col({"stay": "start", "admission": "admitted"}[cohort.anchor])
    times = {
        "hours": pl.when(since.is_not_null()).then(pl.min_horizontal(since + hours, "end")),
        "before_discharge": pl.col("end") - hours,
        "at_discharge": pl.col("end"),
    }
    return times[cohort.prediction]


def _spans(events: pl.DataFrame, unit: str) -> pl.DataFrame:
    """When each stay begins and ends, and of how many admissions; a stay marked twice spans both marks."""
    key, begins, ends = _MARKS[unit]
    start = _marked(events, begins, key).agg(
        pl.col("hadm_id").min(),
        admissions=pl.col("hadm_id").drop_nulls().n_unique(),
        start=pl.col("time").min(),
        first_place=pl.col("text_value").min(),
    )
    end = _marked(events, ends, key).agg(end=pl.col("time").max(), last_place=pl.col("text_value").min())
    icu_id = pl.col("key") if unit == "icu" else pl.lit(None, pl.String)
    return start.join(end, on=["subject_id", "key"], how="left").select(
        pl.exclude("key"), stay_id="key", icu_id=icu_id
    )


def _admissions(events: pl.DataFrame) -> pl.DataFrame:
    """When each admission begins and ends."""
    key, begins, ends = _ADMISSION
    admitted = _marked(events, begins, key).agg(admitted=pl.col("time").min())
    discharged = _marked(events, ends, key).agg(discharged=pl.col("time").max())
    marked = admitted.join(discharged, on=["subject_id", "key"], how="full", coalesce=True)
    return marked.rename({"key": "hadm_id"})


def _marked(events: pl.DataFrame, mark: str, key: str) -> pl.dataframe.group_by.GroupBy:
    rows = events.filter(pl.col("code").str.starts_with(mark), pl.col(key).is_not_null())
    return rows.with_columns(key=pl.col(key)).group_by("subject_id", "key")


def _with_sexes(found: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The sex on record by the prediction time; null where the records disagree."""
    letters = pl.col("code").str.strip_prefix("GENDER//").replace_strict(_SEXES, default=None)
    told = events.filter(pl.col("code").str.starts_with("GENDER//")).select("subject_id", "time", sex=letters)
    one = pl.when(pl.col("sex").n_unique() == 1).then(pl.col("sex").first())
    known = found.join(told, on="subject_id").filter(_IN_TIME).group_by(_STAY).agg(one.alias("sex"))
    return found.join(known, on=_STAY, how="left")


def _with_ages(found: pl.DataFrame, events: pl.DataFrame, days_a_year: float) -> pl.DataFrame:
    """Age in years at the start of the stay: from the birth, else as charted by the prediction time."""
    births = (
        events.filter(pl.col("code") == "MEDS_BIRTH").group_by("subject_id").agg(born=pl.col("time").min())
    )
    charted = belonging(events.filter(pl.col("code") == "AGE"), found).filter(_IN_TIME)
    ages = charted.group_by(_STAY).agg(charted_age=pl.col("numeric_value").cast(pl.Float64).max())
    lived = (pl.col("start") - pl.col("born")).dt.total_seconds() / (days_a_year * _SECONDS_A_DAY)
    age = pl.coalesce(lived, "charted_age")
    return (
        found.join(births, on="subject_id", how="left")
        .join(ages, on=_STAY, how="left")
        .with_columns(age=pl.when(age > _OLDEST_TRUE_AGE).then(OLDEST_TOLD_AGE).otherwise(age))
        .drop("charted_age")
    )
