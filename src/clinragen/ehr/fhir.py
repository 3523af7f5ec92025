"""FHIR R4 bulk export: https://hl7.org/fhir/uv/bulkdata/. NDJSON files of any name, also compressed.

The resources are first laid flat as tables (`fhir_flat.py`), many lines at a time, and then read like any
source's. A line that is no resource is quarantined and counted.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from clinragen.clinical.codes import code_book
from clinragen.ehr.events import UNMAPPED, Ids, Value, coded, draft, icd_plain, moment, number
from clinragen.ehr.fhir_flat import READERS, TABLES, Row
from clinragen.ehr.own import filled, known_by
from clinragen.ehr.stream import DAMAGED, opened
from clinragen.ehr.tables import Feed, Layout, Look, Need
from clinragen.errors import SourceError
from clinragen.recipe import Source
from clinragen.store import write_table

LINES = 50_000
UNREADABLE = "unreadable"
NOT_DONE = "resource that was cancelled, refuted or entered in error"
NO_STAY = "encounter that is no stay in a hospital"
NO_ICD = "condition without a code of ICD-9 or ICD-10"
NO_TEXT = "document without a text in it"
NO_RESOURCE = "line that is no FHIR resource"
CLASSES = ("IMP", "ACUTE", "NONAC", "OBSENC")
"""Classes of an encounter that is a stay in the hospital."""
SEXES = {"female": "F", "male": "M"}
DENIED = ("entered-in-error", "cancelled", "not-done", "refuted", "registered", "superseded", "stopped")
_IDS = Ids(pl.col("encounter"))


def fhir_layout(source: Source) -> Layout:
    """The tables that the resources are laid out as."""
    own = Path(source.codes) if source.codes else None
    reads: dict[str, Callable[[pl.DataFrame, Look], list[pl.DataFrame]]] = {
        "patient": _patients,
        "encounter": _encounters,
        "unit": _units,
        "observation": partial(_observations, own),
        "condition": _conditions,
        "note": _notes,
        "given": _given,
    }
    feeds = [Feed(Need(name, TABLES[name], True), read) for name, read in reads.items()]
    unread = Feed(Need(UNREADABLE, ("why",), True), _unreadable)
    return Layout("fhir", (*feeds, unread), (Need("diagnosis", TABLES["diagnosis"], True),))


def laid_flat(source: Source, layout: Layout, folder: Path) -> Path:
    """Write the tables of all resources below `source.path`; what is there already stays."""
    root = Path(source.path)
    files = sorted(path for path in root.rglob("*") if path.name.lower().endswith((".ndjson", ".ndjson.gz")))
    if not files:
        raise SourceError(
            f"no FHIR export in {root}",
            expected="files that end in .ndjson or .ndjson.gz",
            fix="give source.path the folder of a bulk export",
        )
    done = folder / "done"
    if not done.exists():
        for number_, rows in enumerate(_batches(files)):
            for name, found in rows.items():
                columns = TABLES.get(name, ("why",))
                table = pl.DataFrame(found, schema=dict.fromkeys(columns, pl.String))
                write_table(folder / "batches" / name / f"{number_:05}.parquet", table)
        for name in sorted(path.name for path in (folder / "batches").iterdir()):
            _join(folder / "batches" / name, folder / f"{name}.parquet")
        done.touch()
    return folder


def _join(batches: Path, path: Path) -> None:
    pl.scan_parquet(sorted(batches.glob("*.parquet"))).sink_parquet(path)


def _batches(files: list[Path]) -> Iterator[dict[str, list[Row]]]:
    """Rows by table, some ten thousand lines at a time."""
    rows: dict[str, list[Row]] = {}
    count = 0
    for path in files:
        for resource in _resources(path):
            for name, row in resource:
                rows.setdefault(name, []).append(row)
            count += 1
            if count % LINES == 0:
                yield rows
                rows = {}
    yield rows


def _resources(path: Path) -> Iterator[list[tuple[str, Row]]]:
    """The rows of every line of a file; raises SourceError where the file is cut off."""
    try:
        with opened(path) as lines:
            for line in lines:
                if line.strip():
                    yield _rows_of(line)
    except DAMAGED as fault:
        raise SourceError(f"cannot read {path}", found=str(fault), fix="export it again") from None


def _rows_of(line: bytes) -> list[tuple[str, Row]]:
    try:
        resource: Any = json.loads(line)
        read = READERS.get(resource["resourceType"])
        return [] if read is None else list(read(resource))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return [(UNREADABLE, {"why": NO_RESOURCE})]


def _unreadable(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    nobody = pl.lit(None, pl.Int64)
    return [draft(rows, pl.lit("?"), time=None, subject=nobody, faults=((pl.lit(True), NO_RESOURCE),))]


def _patients(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    known = rows.filter(pl.col("gender").is_in(list(SEXES)))
    sex = pl.col("gender").replace_strict(SEXES, default=None)
    born = rows.filter(pl.col("birth").is_not_null())
    return [
        draft(known, coded("GENDER", sex), time=None),
        draft(born, pl.lit("MEDS_BIRTH"), time=moment("birth")),
    ]


def _encounters(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    faults = (_denied("status"), (~pl.col("class").is_in(CLASSES), NO_STAY))
    ended = rows.filter(pl.col("end").is_not_null())
    marks = ((rows, "ADMISSION", "start"), (ended, "DISCHARGE", "end"))
    return [
        draft(told, pl.lit(f"HOSPITAL_{mark}"), time=moment(when), ids=_IDS, faults=faults)
        for told, mark, when in marks
    ]


def _units(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    ids = Ids(pl.col("encounter"), pl.col("stay"))
    ended = rows.filter(pl.col("end").is_not_null())
    marks = ((rows, "ADMISSION", "start"), (ended, "DISCHARGE", "end"))
    return [draft(told, pl.lit(f"ICU_{mark}"), time=moment(when), ids=ids) for told, mark, when in marks]


def _observations(own: Path | None, rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    """By LOINC, or by the user's own table under `system|code`."""
    book = code_book("fhir", own)
    names = {name: rows[name].unique().drop_nulls() for name in ("code", "loinc")}
    known = {name: [each for each in found if book.entry_of(each)] for name, found in names.items()}
    code = pl.coalesce(pl.when(pl.col(name).is_in(codes)).then(name) for name, codes in known.items())
    value = Value(number("value"), pl.col("said"), pl.col("unit"), number("low"), number("high"))
    faults = (_denied("status"), (code.is_null(), UNMAPPED))
    told = pl.coalesce(code, "loinc", "code", pl.lit("no code"))
    return [draft(rows, told, time=known_by("time"), value=value, ids=_IDS, faults=faults)]


def _conditions(rows: pl.DataFrame, look: Look) -> list[pl.DataFrame]:
    """A condition belongs to its own encounter and to each that names it as a diagnosis."""
    system, plain = (pl.col("icd").str.extract(part) for part in (r"^(ICD\d+)//", r"//(.*)$"))
    icd = pl.concat_str(system, pl.lit("//"), icd_plain(plain))
    named = look("diagnosis").select("condition", _named="encounter").unique()
    others = rows.join(named, on="condition").filter(pl.col("_named").ne_missing(pl.col("encounter")))
    tied = pl.concat([rows, others.with_columns(encounter="_named").select(rows.columns)])
    faults = (_denied("verification"), (pl.col("icd").is_null(), NO_ICD))
    timed, timeless = (tied.filter(pl.col("time").is_not_null() == has) for has in (True, False))
    return [
        draft(timed, icd, time=known_by("time"), ids=_IDS, faults=faults),
        draft(timeless, icd, time=None, ids=_IDS, faults=faults),
    ]


def _notes(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    kind = pl.coalesce(filled("kind").str.to_lowercase(), pl.lit("note"))
    faults = (_denied("status"), (filled("text").is_null(), NO_TEXT))
    code = coded("NOTE", kind)
    return [draft(rows, code, time=known_by("time"), text=pl.col("text"), ids=_IDS, faults=faults)]


def _given(rows: pl.DataFrame, _: Look) -> list[pl.DataFrame]:
    code = pl.concat_str("kind", pl.lit("//"), filled("name"))
    return [draft(rows, code, time=known_by("time"), ids=_IDS, faults=(_denied("status"),))]


def _denied(column: str) -> tuple[pl.Expr, str]:
    return pl.col(column).is_in(DENIED), NOT_DONE
