"""Raw tables as they come: csv (comma or tab), csv.gz, parquet; names in any case; all text until it is read.

A source promises its tables in a Layout. What a folder lacks of it is told all at once, by file and column.
"""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from clinragen.ehr.stream import DAMAGED, chunks, opened, separator_of
from clinragen.errors import SourceError

FORMATS = (".csv", ".csv.gz", ".parquet")
ROW = "row"
"""The number of a row in its file, from 1; what a quarantined row is named by."""

_UNREADABLE = (
    *DAMAGED,
    UnicodeDecodeError,
    csv.Error,
    pl.exceptions.PolarsError,
    pa.ArrowException,
)
_FIX = "give source.path the folder of the raw tables, complete and as downloaded"


@dataclass(frozen=True, slots=True)
class Need:
    """A raw table and the columns that are read of it, both in lower case.

    `file` is where it lies, below the folder, if its name alone does not tell. Columns that it `may` have are
    empty where it has not. Where `only` is given, the rows that have a value in a column, and no others.
    A table that `is_plain` has no quotes around its texts if tabs separate them, as OHDSI gives a vocabulary.
    """

    table: str
    columns: tuple[str, ...]
    is_optional: bool = False
    file: str = ""
    may: tuple[str, ...] = ()
    only: tuple[str, str] | None = None
    is_plain: bool = False


def need(table: str, columns: str, is_optional: bool = False, may: str = "") -> Need:
    """A needed table, its columns in one text, and those it may have."""
    return Need(table, tuple(columns.split()), is_optional, may=tuple(may.split()))


@dataclass(frozen=True, slots=True)
class Items:
    """A table of many items, only some of them ours: the column that names the item, the kind of its code.

    `beside` are items that are read too, for they explain others: those of the variables `explained`.
    """

    column: str
    kind: str
    beside: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()


Look = Callable[[str], pl.DataFrame]
"""Reads another table of the same folder, by name."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A raw table that becomes events: `read` turns its rows into drafts of events (see `events.py`).

    Rows come in chunks, or all at once where `is_whole`, because one may depend on another.
    """

    need: Need
    read: Callable[[pl.DataFrame, Look], list[pl.DataFrame]]
    items: Items | None = None
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The raw tables of one source: those that become events, and those that are only looked up."""

    source: str
    feeds: tuple[Feed, ...]
    lookups: tuple[Need, ...] = ()

    def needs(self) -> dict[str, Need]:
        """Every promised table by name."""
        return {need.table: need for need in (*(feed.need for feed in self.feeds), *self.lookups)}


@dataclass(frozen=True)
class Folder:
    """A folder of raw tables, searched with its subfolders."""

    path: Path

    @cached_property
    def files(self) -> dict[str, list[Path]]:
        """The files of each table, by the table's name in lower case."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.path.rglob("*")):
            suffix = next((end for end in FORMATS if path.name.lower().endswith(end)), None)
            if suffix and path.is_file():
                found.setdefault(path.name.lower().removesuffix(suffix), []).append(path)
        return found

    def has(self, need: Need) -> bool:
        """Whether the table is there, in any format."""
        return bool(self.paths(need))

    def paths(self, need: Need) -> list[Path]:
        """The files of the table; there must be one."""
        return [self.path / need.file] if need.file else self.files.get(need.table, [])

    def check(self, needs: Iterable[Need]) -> None:
        """Raise SourceError with every fault of the folder: missing tables, missing columns, broken files."""
        if not self.path.is_dir():
            raise SourceError(f"no folder {self.path}", expected="a folder of raw tables", fix=_FIX)
        faults = [fault for need in needs if (fault := self._fault(need))]
        if faults:
            raise SourceError(
                f"{self.path} lacks what the source promises:\n  - " + "\n  - ".join(faults), fix=_FIX
            )

    def _fault(self, need: Need) -> str | None:
        paths = self.paths(need)
        if not paths:
            there = ", ".join(sorted(self.files)) or "no table at all"
            return (
                None if need.is_optional else f"no table {need.table} ({'/'.join(FORMATS)}); found: {there}"
            )
        if len(paths) > 1:
            return f"table {need.table} is there {len(paths)} times: {', '.join(map(str, paths))}"
        try:
            missing = [column for column in need.columns if column not in _columns(paths[0])]
        except _UNREADABLE as fault:
            return f"cannot read {paths[0]}: {fault}"
        return f"{paths[0]} has no column {', '.join(missing)}" if missing else None

    def stream(self, need: Need) -> Iterator[pl.DataFrame]:
        """The needed columns as text, in lower case, chunk by chunk, with the number of each row.

        Raises SourceError naming the file where it is cut off or not text.
        """
        path = self.paths(need)[0]
        real = _columns(path)
        there = [name for name in (*need.columns, *need.may) if name in real]
        absent = [pl.lit(None, pl.String).alias(name) for name in need.may if name not in real]
        first = 1
        with reading(path):
            for chunk in chunks(path, [real[name] for name in there], is_plain=need.is_plain):
                rows = chunk.rename({real[name]: name for name in there}).with_columns(absent)
                numbered = rows.with_row_index(ROW, offset=first)
                first += rows.height
                yield _only(numbered, need.only) if need.only else numbered

    def read(self, need: Need) -> pl.DataFrame:
        """A whole table as text; no rows where an optional one is not there."""
        if not self.has(need):
            names = (*need.columns, *need.may)
            return pl.DataFrame(schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String)})
        return pl.concat(self.stream(need))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell of a file that is cut off, or no table, by one SourceError that names it."""
    try:
        yield
    except _UNREADABLE as fault:
        raise SourceError(
            f"cannot read {path}",
            expected="a whole table in UTF-8",
            found=str(fault).splitlines()[0] if str(fault) else type(fault).__name__,
            fix="download the file again and compare its checksum",
        ) from None


def _only(rows: pl.DataFrame, chosen: tuple[str, str]) -> pl.DataFrame:
    """The rows with a value in a column, without the column, which says nothing then."""
    column, value = chosen
    return rows.filter(pl.col(column) == value).drop(column)


def _columns(path: Path) -> dict[str, str]:
    """The columns of a file: lower case to as written."""
    names = pl.scan_parquet(path).collect_schema().names() if _is_parquet(path) else _header(path)
    return {name.strip().lower(): name for name in names}


def _header(path: Path) -> list[str]:
    with opened(path) as file:
        lines = codecs.iterdecode(file, "utf-8")
        return next(csv.reader(lines, delimiter=separator_of(path)), [])


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(".parquet")
