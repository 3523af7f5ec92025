"""Any data set in the MEDS standard (0.4): https://github.com/Medical-Event-Data-Standard/meds.

A code is understood as it stands, by the tables of our own sources and LOINC, through the `parent_codes` of
`metadata/codes.parquet`, or by the user's own table. What is understood keeps a code that the cohort reads.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from clinragen.clinical.codes import SEPARATOR, CodeBook, code_book
from clinragen.clinical.units import NO_UNIT
from clinragen.ehr.events import (
    UNMAPPED,
    Ids,
    Value,
    draft,
    icd_plain,
    moment,
    number,
)
from clinragen.ehr.tables import Feed, Layout, Look, Need, reading
from clinragen.errors import SourceError
from clinragen.recipe import Source

MARKS = ("HOSPITAL_ADMISSION", "HOSPITAL_DISCHARGE", "ICU_ADMISSION", "ICU_DISCHARGE")
"""Codes that begin so mark where a stay begins and ends, whatever follows (`ICU_ADMISSION//MICU`)."""
KEPT = ("NOTE", "REASON", "DRUG", "PROCEDURE", "HISTORY", "EXAM", "AGE")
RENAMED = {"MEDICATION": "DRUG"}
SEXES = {"M": "M", "F": "F", "MALE": "M", "FEMALE": "F"}
_ICD = r"(?i)^(?:DIAGNOSIS//)?ICD(?:-|//)?(9|10)(?:-?CM)?(?://?)([A-Z0-9.]+)$"
_NEEDED = ("subject_id", "time", "code", "numeric_value")
_EXTRA = ("text_value", "unit", "low", "high", "hadm_id", "stay_id", "icustay_id")
_HIGHEST = 8
"""Steps from a code to its parents and theirs, at most."""


def meds_layout(source: Source) -> Layout:
    """A feed for each file of `data/`; raises SourceError where there is none."""
    root = Path(source.path)
    files = sorted((root / "data").rglob("*.parquet"))
    if not files:
        raise SourceError(
            f"no events in {root}",
            expected="a MEDS data set: Parquet files below data/",
            fix="give source.path the folder that holds data/ and metadata/",
        )
    codes = root / "metadata" / "codes.parquet"
    own = Path(source.codes) if source.codes else None
    return Layout("meds", tuple(_feed(root, file, codes, own) for file in files))


def _feed(root: Path, file: Path, codes: Path, own: Path | None) -> Feed:
    """A file whose stays have no ids is read as a whole: they are paired in the order of time."""
    with reading(file):
        there = pq.read_schema(file).names
    columns = (*_NEEDED, *(name for name in _EXTRA if name in there))
    need = Need(str(file.relative_to(root).with_suffix("")), columns, file=str(file.relative_to(root)))
    return Feed(need, partial(_events, codes, own), is_whole="hadm_id" not in there)


def _events(codes: Path, own: Path | None, rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    known = _with_columns(rows).join(_understood(rows, codes, own), on="code", how="left")
    told = known.with_columns(
        pl.coalesce("unit", "_unit").alias("unit"),
        pl.coalesce("stay_id", "icustay_id").alias("stay_id"),
    ).pipe(_with_ids)
    ids = Ids(pl.col("hadm_id"), pl.col("stay_id"))
    code, when = pl.col("_code"), moment("time")
    is_value = pl.col("_kind") == "value"
    timeless = told.filter(pl.col("_kind") == "static")
    values = told.filter(is_value)
    others = told.filter(~is_value & (pl.col("_kind") != "static"))
    value = Value(
        number("numeric_value"), pl.col("text_value"), pl.col("unit"), number("low"), number("high")
    )
    faults = ((pl.col("_kind") == "unmapped", UNMAPPED),)
    return [
        draft(timeless, code, time=None),
        draft(values, code, time=when, value=value, ids=ids),
        draft(others, code, time=when, text=pl.col("text_value"), ids=ids, faults=faults),
    ]


def _with_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """What a data set may lack is null."""
    absent = [name for name in _EXTRA if name not in rows.columns]
    return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)


def _understood(rows: pl.DataFrame, codes: Path, own: Path | None) -> pl.DataFrame:
    """Each distinct code once: what kind of event it is, the code we give it, and a unit it tells."""
    book, parents = code_book("meds", own), _parents(codes)
    found = [(code, *_understand(code, book, parents)) for code in rows["code"].unique().drop_nulls().sort()]
    schema = dict.fromkeys(("code", "_kind", "_code", "_unit"), pl.String)
    return pl.DataFrame(found, schema=schema, orient="row")


def _understand(
    code: str, book: CodeBook, parents: Mapping[str, tuple[str, ...]]
) -> tuple[str, str, str | None]:
    first, *others = code.split(SEPARATOR)
    if first in MARKS:
        return "mark", first, None
    if first == "MEDS_BIRTH":
        return "mark", code, None
    if first == "GENDER" and others and others[0].upper() in SEXES:
        return "static", f"GENDER{SEPARATOR}{SEXES[others[0].upper()]}", None
    for name in _lineage(code, parents):
        if diagnosis := _diagnosis(name):
            return "diagnosis", diagnosis, None
        if measured := _measured(name, book):
            unit = others[-1] if len(others) > 1 and others[-1] != NO_UNIT and name == code else None
            return "value", measured, unit
    if first in KEPT or first in RENAMED:
        return (
            "value" if first == "AGE" else "text",
            SEPARATOR.join((RENAMED.get(first, first), *others)),
            None,
        )
    return "unmapped", code, None


def _lineage(code: str, parents: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The code and its ancestors, the nearest first."""
    generation, seen = [code], {code}
    for _ in range(_HIGHEST):
        yield from generation
        generation = [up for name in generation for up in parents.get(name, ()) if up not in seen]
        seen.update(generation)


def _diagnosis(code: str) -> str | None:
    """`ICD9//4019` of the ways to write an ICD code; None for other codes."""
    match = pl.Series([code]).str.extract_groups(_ICD).struct.unnest().row(0)
    version, plain = match
    if version is None:
        return None
    return f"ICD{version}{SEPARATOR}{pl.select(icd_plain(pl.lit(plain))).item()}"


def _measured(code: str, book: CodeBook) -> str | None:
    """The code under which the cohort knows a measurement: as it stands, as LOINC's, or as a charted item."""
    loinc = code.replace("LOINC/", "LOINC//") if code.startswith("LOINC/") and "//" not in code else code
    charted = "CHART" + code.removeprefix("LAB") if code.startswith("LAB//") else code
    return next((name for name in (code, loinc, charted) if book.entry_of(name)), None)


@cache
def _parents(codes: Path) -> dict[str, tuple[str, ...]]:
    """The parents of every code that has any."""
    if not codes.is_file():
        return {}
    with reading(codes):
        table = pl.read_parquet(codes)
    if "parent_codes" not in table.columns:
        return {}
    rows = table.select("code", "parent_codes").drop_nulls()
    return {code: tuple(up) for code, up in rows.iter_rows()}


def _with_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Stays without ids are paired: a discharge ends the latest admission of its kind before it."""
    if rows["hadm_id"].null_count() < rows.height:
        return rows
    told = rows.with_row_index("_place").with_columns(_when=moment("time"))
    for column, kind in (("hadm_id", "HOSPITAL"), ("stay_id", "ICU")):
        marks = told.filter(pl.col("_code").is_in([f"{kind}_ADMISSION", f"{kind}_DISCHARGE"]))
        begins = pl.col("_code") == f"{kind}_ADMISSION"
        name = pl.format("{}-{}", "subject_id", pl.col("_when").dt.strftime("%Y%m%d%H%M%S"))
        paired = marks.sort("subject_id", "_when", begins, "_place").select(
            "_place", _id=pl.when(begins).then(name).forward_fill().over("subject_id")
        )
        told = (
            told.join(paired, on="_place", how="left")
            .with_columns(pl.coalesce(column, "_id").alias(column))
            .drop("_id")
        )
    return _with_admissions(told).drop("_place", "_when")


def _with_admissions(told: pl.DataFrame) -> pl.DataFrame:
    """ICU stays and diagnoses are of the admission whose time they lie in."""
    tied = told.filter((pl.col("_code") == "ICU_ADMISSION") | (pl.col("_kind") == "diagnosis"))
    begins, ends = (
        told.filter(pl.col("_code") == f"HOSPITAL_{mark}").select("subject_id", "hadm_id", "_when")
        for mark in ("ADMISSION", "DISCHARGE")
    )
    spans = begins.join(ends.rename({"_when": "_end"}), on=["subject_id", "hadm_id"], how="left")
    within = (
        tied.select("_place", "subject_id", "_when")
        .sort("_when")
        .join_asof(
            spans.rename({"hadm_id": "_held"}).sort("_when"),
            on="_when",
            by="subject_id",
            check_sortedness=False,
        )
        .filter(pl.col("_end").is_null() | (pl.col("_when") <= pl.col("_end")))
    )
    held = told.join(within.select("_place", "_held"), on="_place", how="left")
    return held.with_columns(pl.coalesce("hadm_id", "_held").alias("hadm_id")).drop("_held")
