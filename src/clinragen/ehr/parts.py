"""One raw table -> its events, cut by shard: the first half of reading a source.

Parts lie in `parts/<table>/`; `tally.json` is written last, so a table whose tally is there is done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from clinragen.clinical.codes import SEPARATOR, mapped_codes
from clinragen.ehr.events import EVENT, sift
from clinragen.ehr.tables import Feed, Folder, Items, Layout, Look
from clinragen.engine import shard_of
from clinragen.store import read_json, write_json, write_table

TALLY = "tally.json"
MOST_UNMAPPED = 200


@dataclass(frozen=True, slots=True)
class TableJob:
    """What a worker needs to cut one raw table into parts."""

    layout: Layout
    feed: Feed
    raw: Path
    parts: Path
    shards: int


def cut_table(job: TableJob) -> dict[str, Any]:
    """Write the parts of one table; return its tally: rows read, events, quarantined, unmapped items."""
    folder = job.parts / job.feed.need.table
    if not (folder / TALLY).exists():
        raw = Folder(job.raw)
        rows, unmapped = _rows(job, raw)
        events, quarantined = sift(job.feed.read(rows, _look(raw, job.layout)))
        _write_parts(events, folder, job.shards)
        tally = {
            "rows": rows.height + sum(unmapped.values()),
            "events": events.height,
            "quarantined": quarantined,
            "unmapped": dict(list(unmapped.items())[:MOST_UNMAPPED]),
            "unmapped_rows": sum(unmapped.values()),
        }
        write_json(folder / TALLY, tally)
    tallied: dict[str, Any] = read_json(folder / TALLY)
    return tallied


def part(parts: Path, table: str, shard: int) -> Path:
    """Where the events of one table and shard lie."""
    return parts / table / f"shard-{shard:05}.parquet"


def _look(raw: Folder, layout: Layout) -> Look:
    needs = layout.needs()
    return lambda name: raw.read(needs[name])


def _rows(job: TableJob, raw: Folder) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows of a table, of many items only ours, and how many rows each other item has."""
    need, items = job.feed.need, job.feed.items
    if items is None:
        return raw.read(need), {}
    item, rows = pl.col(items.column), raw.scan(need)
    ours = item.is_in(_wanted(items, job.layout.source)).fill_null(False)
    others = rows.filter(~ours).group_by(item).len().sort("len", items.column, descending=[True, False])
    kept, counted = raw.collect(need, rows.filter(ours), others)
    named = counted.select(pl.lit(items.kind + SEPARATOR) + item.fill_null(""), "len")
    return kept, dict(named.iter_rows())


def _wanted(items: Items, source: str) -> list[str]:
    beginning = items.kind + SEPARATOR
    mapped = [code.removeprefix(beginning) for code in mapped_codes(source) if code.startswith(beginning)]
    return [*mapped, *items.beside]


def _write_parts(events: pl.DataFrame, folder: Path, shards: int) -> None:
    subjects = events["subject_id"].unique().to_list()
    shard: Callable[[int], int] = partial(shard_of, shards=shards)
    places = pl.DataFrame(
        {"subject_id": subjects, "shard": [shard(subject) for subject in subjects]},
        schema={"subject_id": pl.Int64, "shard": pl.Int64},
    )
    placed = events.join(places, on="subject_id", how="left")
    for index in range(shards):
        write_table(part(folder.parent, folder.name, index), placed.filter(shard=index).select(*EVENT))
