"""What MEDS 0.4 wants beside the events: `metadata/codes.parquet` and `metadata/dataset.json`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import meds
import polars as pl

from clinragen import __version__
from clinragen.clinical.codes import code_book
from clinragen.clinical.variables import variables
from clinragen.store import write_json, write_table


def count_events(folder: Path) -> dict[str, int]:
    """How many events, subjects and ICU stays the shards hold; no subject is in two of them."""
    events, subjects, stays = 0, 0, set[str | None]()
    for shard in _shards(folder, "subject_id", "code", "stay_id"):
        events += shard.height
        subjects += shard["subject_id"].n_unique()
        stays.update(shard.filter(pl.col("code") == "ICU_ADMISSION")["stay_id"].unique())
    return {"events": events, "subjects": subjects, "stays": len(stays)}


def write_metadata(folder: Path, source: str, own_codes: Path | None = None) -> None:
    """Write the codes of the shards, each with how often it occurs and the variable it measures."""
    seen: Counter[str] = Counter()
    for shard in _shards(folder, "code"):
        seen.update(dict(shard.group_by("code").len().iter_rows()))
    codes = pl.DataFrame(sorted(seen.items()), {"code": pl.String, "count": pl.UInt32}, orient="row")
    book = code_book(source, own_codes)
    entries = [book.entry_of(code) for code in codes["code"]]
    names = pl.Series([entry and entry.variable for entry in entries], dtype=pl.String)
    told = pl.Series([_description(name) for name in names], dtype=pl.String)
    parents = pl.lit(None, pl.List(pl.String))
    write_table(
        folder / meds.code_metadata_filepath,
        codes.with_columns(description=told, parent_codes=parents, variable=names),
    )
    write_json(folder / meds.dataset_metadata_filepath, _dataset(source))


def _shards(folder: Path, *columns: str) -> Iterator[pl.DataFrame]:
    """These columns of the events, shard by shard, so that memory does not grow with their number."""
    for path in sorted((folder / "data").glob("*.parquet")):
        yield pl.read_parquet(path, columns=list(columns))


def _description(name: str | None) -> str | None:
    return None if name is None else f"{name}, told in {variables()[name].unit}"


def _dataset(source: str) -> dict[str, object]:
    return {
        "dataset_name": source,
        "etl_name": "clinragen",
        "etl_version": __version__,
        "meds_version": meds.__version__,
        "code_modifier_columns": ["unit"],
        "raw_source_id_columns": ["hadm_id", "stay_id"],
        "other_extension_columns": ["low", "high"],
    }
