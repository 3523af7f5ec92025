"""A few lines that ingest a folder of raw tables in a test."""

from pathlib import Path
from typing import Any

import polars as pl

from clinragen.ehr.run import run
from clinragen.recipe import Recipe


def silent(what: str, done: int, total: int) -> None:
    pass


def ingest(kind: str, raw: Path | None, folder: Path, shards: int = 2, workers: int = 1) -> dict[str, Any]:
    source = {"kind": kind, "path": str(raw or ""), "shards": shards, "stays": 3}
    recipe = Recipe.model_validate({"name": "mini", "source": source, "engine": {"workers": workers}})
    return run(recipe, folder, silent)


def events_of(folder: Path) -> pl.DataFrame:
    shards = sorted((folder / "ingest" / "data").glob("*.parquet"))
    return pl.concat([pl.read_parquet(shard) for shard in shards])


def coded(events: pl.DataFrame, code: str) -> list[dict[str, Any]]:
    """The events whose code begins so, as dictionaries."""
    return events.filter(pl.col("code").str.starts_with(code)).to_dicts()
