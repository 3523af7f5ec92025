"""The step `ingest`: raw records -> shards of MEDS events, what could not be read, what was not ours."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from clinragen.clinical.codes import read_own_codes
from clinragen.ehr.events import added
from clinragen.ehr.metadata import count_events, write_metadata
from clinragen.ehr.parts import TALLY, TableJob, cut_table
from clinragen.ehr.sources import SOURCES, ShardJob, write_shard
from clinragen.ehr.tables import Folder, Layout
from clinragen.engine import map_shards
from clinragen.errors import SourceError
from clinragen.recipe import Recipe, Source
from clinragen.store import read_json, write_json

FEWEST = 8
"""Shards, unless a recipe says otherwise."""
SHARD_BYTES = 96 * 2**20
"""Of raw text that one shard comes from: what a shard takes in memory does not grow with the records."""
PACKED = 4
"""A compressed table of results is about a quarter of its text."""

Progress = Callable[[str, int, int], None]
Tally = dict[str, Any]


def run(recipe: Recipe, run: Path, progress: Progress) -> dict[str, Any]:
    """Write `ingest/`: data, metadata, quarantine.json (and truth of simulated patients); return the counts.

    Raises SourceError with everything the folder of raw tables lacks.
    """
    folder = run / "ingest"
    layout = SOURCES[recipe.source.kind].layout
    source, tallies = sharded(recipe.source), dict[str, Tally]()
    if layout is not None:
        source, tallies = _cut_tables(recipe, layout, folder, progress)
    _write_shards(recipe, source, folder, tuple(tallies), progress)
    counts = count_events(folder)
    write_metadata(folder, recipe.source.kind, own_codes(recipe.source))
    write_json(folder / "metadata" / "unmapped.json", _unmapped(tallies))
    write_json(folder / "quarantine.json", _quarantine(tallies))
    shutil.rmtree(folder / "parts", ignore_errors=True)
    rows = sum(tally["rows"] for tally in tallies.values()) if tallies else counts["events"]
    return {"rows": rows, **counts, "quarantined": _reasons(tallies), "tables": _per_table(tallies)}


def own_codes(source: Source) -> Path | None:
    """The user's own table of codes, if there is one; SourceError with every fault of it."""
    if not source.codes:
        return None
    read_own_codes(Path(source.codes))
    return Path(source.codes)


def raw_folder(source: Source, layout: Layout, fetched: Path) -> Folder:
    """The folder of the raw tables; those of a database or of a FHIR export are brought to `fetched`."""
    fetch = SOURCES[source.kind].fetch
    if fetch is not None:
        return Folder(fetch(source, layout, fetched))
    if "://" in source.path:
        raise SourceError(
            f"{source.kind} is not read from a database", fix="give source.path the folder of its tables"
        )
    return Folder(Path(source.path))


def sharded(source: Source, text: int = 0) -> Source:
    """The source with its number of shards: its own, or as many as so many bytes of text ask for."""
    return source.model_copy(update={"shards": source.shards or max(FEWEST, text // SHARD_BYTES)})


def _text_of(paths: Iterable[Path]) -> int:
    """The bytes of tables as plain text, roughly where they are compressed."""
    return sum(path.stat().st_size * (1 if path.name.lower().endswith(".csv") else PACKED) for path in paths)


def _cut_tables(
    recipe: Recipe, layout_of: Callable[[Source], Layout], folder: Path, progress: Progress
) -> tuple[Source, dict[str, Tally]]:
    """The source as it was cut, and the tally of every table, in the order of the layout."""
    if not recipe.source.path:
        raise SourceError(
            f"no folder to read {recipe.source.kind} from", fix="set source.path, relative to the recipe file"
        )
    layout = layout_of(recipe.source)
    raw = raw_folder(recipe.source, layout, folder / "parts" / "database")
    raw.check(layout.needs().values())
    feeds = [feed for feed in layout.feeds if raw.has(feed.need)]
    source = sharded(recipe.source, _text_of(raw.paths(feed.need)[0] for feed in feeds))
    _forget_other_cuts(folder, source.shards)
    jobs = [
        TableJob(layout, feed, raw.path, folder / "parts", source.shards, own_codes(source)) for feed in feeds
    ]
    done = map_shards(
        cut_table, jobs, recipe.engine, folder, lambda count: progress("tables", count, len(jobs))
    )
    return source, {feed.need.table: tally for feed, tally in zip(feeds, done, strict=True)}


def _forget_other_cuts(folder: Path, shards: int) -> None:
    """Drop what a killed run has left of another number of shards: the records have changed since."""
    mark = folder / "shards.json"
    if mark.exists() and read_json(mark) != shards:
        for left in (folder / "data", *(tally.parent for tally in folder.glob(f"parts/*/{TALLY}"))):
            shutil.rmtree(left, ignore_errors=True)
    write_json(mark, shards)


def _write_shards(
    recipe: Recipe, source: Source, folder: Path, tables: tuple[str, ...], progress: Progress
) -> None:
    jobs = [ShardJob(source, recipe.seed, folder, index, tables) for index in range(source.shards)]
    map_shards(write_shard, jobs, recipe.engine, folder, lambda count: progress("events", count, len(jobs)))


def _quarantine(tallies: dict[str, Tally]) -> dict[str, Any]:
    """By table and reason: how many rows, and which are the first in their file; never their text."""
    return {table: tally["quarantined"] for table, tally in tallies.items() if tally["quarantined"]}


def _reasons(tallies: dict[str, Tally]) -> dict[str, int]:
    per_table = [
        {why: found["count"] for why, found in tally["quarantined"].items()} for tally in tallies.values()
    ]
    return added(per_table)


def _unmapped(tallies: dict[str, Tally]) -> dict[str, Any]:
    """Items that are none of our variables: all their rows by table, and the most frequent by code."""
    return {
        "rows": {table: tally["unmapped_rows"] for table, tally in tallies.items() if tally["unmapped_rows"]},
        "codes": added([tally["unmapped"] for tally in tallies.values()]),
    }


def _per_table(tallies: dict[str, Tally]) -> dict[str, dict[str, int]]:
    return {
        table: {name: tally[name] for name in ("rows", "events", "unmapped_rows")}
        for table, tally in tallies.items()
    }
