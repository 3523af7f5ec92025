"""Bring your own: a small layout of tables for records that no other source reads (docs/own-tables.md)."""

from functools import partial
from pathlib import Path

import polars as pl

from clinragen.clinical.codes import KINDS, SEPARATOR, CodeBook, code_book
from clinragen.ehr.events import UNMAPPED, Ids, Value, coded, draft, end_of_day, icd_plain, moment, number
from clinragen.ehr.tables import Feed, Layout, Look, need
from clinragen.recipe import Source

NO_SYSTEM = "system that is neither ICD9 nor ICD10"
NO_KIND = "kind that is none of drug, procedure, history, exam, reason"
FACTS = {"drug": "DRUG", "procedure": "PROCEDURE", "history": "HISTORY", "exam": "EXAM", "reason": "REASON"}
SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}
_IDS = Ids(pl.col("hadm_id"), pl.col("stay_id"))


def own_layout(source: Source) -> Layout:
    """The layout, its measurements read with the user's own codes too."""
    own = Path(source.codes) if source.codes else None
    return Layout(
        "tables",
        (
            Feed(
                need(
                    "stays",
                    "stay_id subject_id start end",
                    may="hadm_id admitted discharged sex birth_date age",
                ),
                _stays,
            ),
            Feed(
                need(
                    "measurements",
                    "subject_id time code value",
                    may="stay_id hadm_id unit low high",
                ),
                partial(_measurements, own),
            ),
            Feed(need("diagnoses", "subject_id system code", may="stay_id hadm_id time"), _diagnoses),
            Feed(need("notes", "subject_id time text", True, may="stay_id hadm_id kind"), _notes),
            Feed(need("facts", "subject_id time kind name", True, may="stay_id hadm_id"), _facts),
        ),
    )


def _stays(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """A stay whose admission is not told is one itself, and begins and ends with it."""
    told = rows.with_columns(
        pl.coalesce(filled("hadm_id"), "stay_id").alias("hadm_id"),
        pl.coalesce(filled("admitted"), "start").alias("admitted"),
        pl.coalesce(filled("discharged"), "end").alias("discharged"),
    )
    sex = pl.col("sex").str.strip_chars().str.to_lowercase().replace_strict(SEXES, default=None)
    known, born, aged = (told.filter(filled(name).is_not_null()) for name in ("sex", "birth_date", "age"))
    hospital = Ids(pl.col("hadm_id"))
    marks = (
        ("HOSPITAL_ADMISSION", "admitted", hospital),
        ("HOSPITAL_DISCHARGE", "discharged", hospital),
        ("ICU_ADMISSION", "start", _IDS),
        ("ICU_DISCHARGE", "end", _IDS),
    )
    age = Value(number("age"), pl.col("age"), pl.lit("years"))
    return [
        draft(known, coded("GENDER", sex), time=None),
        draft(born, pl.lit("MEDS_BIRTH"), time=moment("birth_date")),
        draft(aged, pl.lit("AGE"), time=moment("start"), value=age, ids=_IDS),
        *(draft(told, pl.lit(code), time=moment(column), ids=ids) for code, column, ids in marks),
    ]


def _measurements(own: Path | None, rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """A code is a variable's name, LOINC's, or one of the user's own table."""
    value = Value(number("value"), pl.col("value"), filled("unit"), number("low"), number("high"))
    book = code_book("tables", own)
    found = {code: known_as(code, book) for code in rows["code"].unique().drop_nulls()}
    known = {code: name for code, name in found.items() if name}
    code = pl.col("code").replace_strict(known, default=pl.col("code"), return_dtype=pl.String)
    faults = ((pl.col("code").is_not_null() & ~pl.col("code").is_in(list(known)), UNMAPPED),)
    return [draft(rows, code, time=moment("time"), value=value, faults=faults, ids=_IDS)]


def known_as(code: str, book: CodeBook) -> str | None:
    """The code under which the cohort knows a measurement; None where it is none of ours."""
    plain = code.strip()
    ways = (plain, f"{KINDS[0]}{SEPARATOR}{plain}", f"LOINC{SEPARATOR}{plain.removeprefix('LOINC/')}")
    return next((way for way in ways if book.entry_of(way)), None)


def _diagnoses(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """Without a time they count from the end of their stay's admission, when codes are given."""
    system = pl.col("system").str.to_uppercase().str.extract(r"ICD\D*(9|10)")
    code = pl.concat_str(pl.lit("ICD"), system, pl.lit(SEPARATOR), icd_plain(pl.col("code")))
    stays = look("stays").select(
        "stay_id", _ends=pl.coalesce(filled("discharged"), "end"), _held=filled("hadm_id")
    )
    tied = rows.join(stays.unique("stay_id", keep="first"), on="stay_id", how="left").with_columns(
        pl.coalesce(filled("time"), "_ends").alias("time"),
        pl.coalesce(filled("hadm_id"), "_held", filled("stay_id")).alias("hadm_id"),
    )
    faults = ((system.is_null(), NO_SYSTEM),)
    timed, timeless = (tied.filter(pl.col("time").is_not_null() == has) for has in (True, False))
    ids = Ids(pl.col("hadm_id"))
    return [
        draft(timed, code, time=moment("time"), faults=faults, ids=ids),
        draft(timeless, code, time=None, faults=faults, ids=ids),
    ]


def _notes(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    code = coded("NOTE", pl.coalesce(filled("kind").str.to_lowercase(), pl.lit("note")))
    return [draft(rows, code, time=known_by("time"), text=pl.col("text"), ids=_IDS)]


def _facts(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    kind = pl.col("kind").str.strip_chars().str.to_lowercase().replace_strict(FACTS, default=None)
    is_reason = kind == "REASON"
    faults = ((kind.is_null(), NO_KIND),)
    code = (
        pl.when(is_reason)
        .then(pl.lit("REASON//admission"))
        .otherwise(pl.concat_str(kind, pl.lit(SEPARATOR), pl.col("name").str.strip_chars()))
    )
    text = pl.when(is_reason).then("name")
    return [draft(rows, code, time=known_by("time"), text=text, faults=faults, ids=_IDS)]


def known_by(column: str) -> pl.Expr:
    """A date alone counts from the end of its day."""
    is_date = pl.col(column).str.strip_chars().str.len_chars() <= len("2150-01-01")
    return pl.when(is_date).then(end_of_day(moment(column))).otherwise(moment(column))


def filled(column: str) -> pl.Expr:
    """A text, null where it is empty."""
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text)
