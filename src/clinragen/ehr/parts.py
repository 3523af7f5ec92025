"""One raw table -> its events, cut by shard: the first half of reading a source.

A table is read in chunks, so that memory does not grow with it. Parts lie in `parts/<table>/`; `tally.json`
is written last, so a table whose tally is there is done, and one without is read anew from the beginning.
"""

import shutil
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from clinragen.clinical.codes import SEPARATOR, code_book
from clinragen.ehr.events import SAMPLES, sift, unmapped_codes
from clinragen.ehr.pile import Pile, rows_of
from clinragen.ehr.tables import Feed, Folder, Layout, Look
from clinragen.store import read_json, write_json

TALLY = "tally.json"
EVENTS, HELD = "events", "held"
MOST_UNMAPPED = 200
Quarantine = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TableJob:
    """What a worker needs to cut one raw table into parts."""

    layout: Layout
    feed: Feed
    raw: Path
    parts: Path
    shards: int
    codes: Path | None = None


def cut_table(job: TableJob) -> dict[str, Any]:
    """Write the parts of one table; return its tally: rows read, events, quarantined, unmapped items."""
    folder = job.parts / job.feed.need.table
    if not (folder / TALLY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        write_json(folder / TALLY, _cut(job, folder))
    tallied: dict[str, Any] = read_json(folder / TALLY)
    return tallied


def events_of(parts: Path, table: str, shard: int) -> list[pl.DataFrame]:
    """The events of one table and shard."""
    return list(rows_of(parts / table / EVENTS, shard))


def _cut(job: TableJob, folder: Path) -> dict[str, Any]:
    """Rows become events chunk by chunk; those that explain each other wait for the rest of their shard."""
    raw = Folder(job.raw)
    cutting = _Cutting(job, _look(raw, job.layout), folder)
    for rows in [raw.read(job.feed.need)] if job.feed.is_whole else raw.stream(job.feed.need):
        cutting.take(rows)
    cutting.finish()
    return cutting.tally()


class _Cutting:
    """One table on its way to the shards, and all that is counted."""

    def __init__(self, job: TableJob, look: Look, folder: Path) -> None:
        self.job, self.look = job, look
        self.events, self.held = Pile(folder / EVENTS, job.shards), Pile(folder / HELD, job.shards)
        self.quarantine: Quarantine = {}
        self.unmapped: Counter[str] = Counter()
        self.rows = 0

    def take(self, rows: pl.DataFrame) -> None:
        """Some rows of the table, in their order."""
        self.rows += rows.height
        items = self.job.feed.items
        if items is not None:
            item = pl.col(items.column)
            named = code_book(self.job.layout.source, self.job.codes).items(items.kind)
            wanted = [*named, *items.beside]
            ours = rows.select(item.is_in(wanted).fill_null(False)).to_series()
            others = rows.select(item.fill_null("")).filter(~ours).group_by(item).len()
            self.unmapped.update({items.kind + SEPARATOR + name: n for name, n in others.iter_rows()})
            explained = [each for each, name in named.items() if name in items.explained]
            waits = ours & rows.select(item.is_in([*explained, *items.beside])).to_series()
            self.held.add(rows.filter(waits))
            rows = rows.filter(ours & ~waits)
        self._read(rows)

    def finish(self) -> None:
        """What waited becomes events, shard by shard: all rows of a patient are there."""
        self.held.flush()
        for shard in range(self.job.shards):
            if waited := list(rows_of(self.held.folder, shard)):
                self._read(pl.concat(waited))
        self.events.flush()
        shutil.rmtree(self.held.folder, ignore_errors=True)

    def tally(self) -> dict[str, Any]:
        """What was counted."""
        most = sorted(self.unmapped.items(), key=lambda entry: (-entry[1], entry[0]))
        return {
            "rows": self.rows,
            "events": self.events.height,
            "quarantined": dict(sorted(self.quarantine.items())),
            "unmapped": dict(most[:MOST_UNMAPPED]),
            "unmapped_rows": self.unmapped.total(),
        }

    def _read(self, rows: pl.DataFrame) -> None:
        drafts = self.job.feed.read(rows, self.look)
        events, faulty = sift(drafts)
        self.unmapped.update(unmapped_codes(drafts))
        self.events.add(events)
        for why, found in faulty.items():
            known = self.quarantine.setdefault(why, {"count": 0, "rows": []})
            known["count"] += found["count"]
            known["rows"] = sorted(set(known["rows"] + found["rows"]))[:SAMPLES]


def _look(raw: Folder, layout: Layout) -> Look:
    needs = layout.needs()
    return cache(lambda name: raw.read(needs[name]))
