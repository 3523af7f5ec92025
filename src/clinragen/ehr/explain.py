"""What a source reads, and what would come of a folder of records: told without writing anything."""

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from clinragen.clinical.codes import CodeBook, code_book
from clinragen.clinical.units import conversions, plain_unit
from clinragen.ehr.parts import TableJob, cut_table, events_of
from clinragen.ehr.run import own_codes, raw_folder
from clinragen.ehr.sources import SOURCES
from clinragen.ehr.tables import Feed, Layout
from clinragen.errors import SourceError
from clinragen.recipe import Source

SHOWN = 20
OWN = "tables"


def explained(source: Source) -> Iterator[str]:
    """Lines on what the source reads; and, where it has a folder, on what would be read of it.

    Faults of the folder are told, all at once, and not raised.
    """
    layout_of = SOURCES[source.kind].layout
    if layout_of is None:
        yield f"{source.kind} reads no records: it simulates them"
        return
    try:
        layout = layout_of(source)
        yield f"{source.kind} reads these tables, as CSV, CSV.GZ or Parquet, their names in any case:"
        yield from _tables(layout)
        if source.path:
            with tempfile.TemporaryDirectory() as parts:
                yield from _found(source, layout, Path(parts))
    except SourceError as fault:
        yield f"\n{fault}"


def _tables(layout: Layout) -> Iterator[str]:
    told = _own_columns() if layout.source == OWN else {}
    for feed in layout.feeds:
        need = feed.need
        yield f"\n  {need.table}" + (" (may be missing)" if need.is_optional else "")
        for column in (*need.columns, *need.may):
            what, example = told.get((need.table, column), ("", ""))
            is_needed = column in need.columns
            yield f"    {column:<14} {'needed' if is_needed else 'may be missing':<15} {what}{example}"


def _own_columns() -> Mapping[tuple[str, str], tuple[str, str]]:
    with (files("clinragen.ehr") / "own_columns.csv").open(encoding="utf-8") as lines:
        return {
            (row["table"], row["column"]): (row["what"], f"; {row['example']}")
            for row in csv.DictReader(lines)
        }


def _found(source: Source, layout: Layout, parts: Path) -> Iterator[str]:
    """What every table of the folder would give."""
    raw, own = raw_folder(source, layout, parts / "database"), own_codes(source)
    raw.check(layout.needs().values())
    book = code_book(source.kind, own)
    yield f"\nread from {source.path}:"
    unmapped: Counter[str] = Counter()
    units: Counter[str] = Counter()
    for feed in layout.feeds:
        if not raw.has(feed.need):
            yield f"\n  {feed.need.table}: not there"
            continue
        tally = cut_table(TableJob(layout, feed, raw.path, parts, 1, own))
        yield from _told(feed, tally)
        unmapped.update(tally["unmapped"])
        units.update(_unknown_units(parts, feed.need.table, book))
    yield from _listed("codes that measure none of our variables", unmapped)
    yield from _listed("units that are not known for their variable", units)


def _told(feed: Feed, tally: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"\n  {feed.need.table}: {tally['rows']:,} rows, {tally['events']:,} events, "
        f"{tally['unmapped_rows']:,} of other codes"
    )
    for why, found in tally["quarantined"].items():
        rows = ", ".join(map(str, found["rows"]))
        yield f"    not used, {why}: {found['count']:,} rows (first: {rows})"


def _unknown_units(parts: Path, table: str, book: CodeBook) -> Counter[str]:
    known = {(name, unit) for name, unit, *_ in conversions().iter_rows()}
    found: Counter[str] = Counter()
    for events in events_of(parts, table, 0):
        for code, unit, count in events.group_by("code", "unit").len().iter_rows():
            entry = book.entry_of(code)
            if entry and (entry.variable, plain_unit(unit or entry.unit)) not in known:
                found[f"{entry.variable} [{unit or 'none'}]"] += count
    return found


def _listed(title: str, counts: Counter[str]) -> Iterator[str]:
    if counts:
        yield f"\n  {title}:"
    yield from (f"    {count:>10,}  {name}" for name, count in counts.most_common(SHOWN))
    if len(counts) > SHOWN:
        yield f"    and {len(counts) - SHOWN:,} more"
