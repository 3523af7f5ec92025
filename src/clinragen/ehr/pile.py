"""Rows on their way to the shards of their patients, written many at a time so that few wait in memory.

Each shard has one file, to which every batch of rows is added as an Arrow stream of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import polars as pl
import pyarrow as pa

from clinragen.engine import shard_of

AT_ONCE = 200_000
"""Rows that wait in memory until they are written."""


@dataclass(slots=True)
class Pile:
    """A folder with a file for each shard that has rows, and the rows that wait to be written there."""

    folder: Path
    shards: int
    height: int = 0
    _waiting: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows; write all that wait once there are enough."""
        if rows.height:
            self._waiting.append(rows)
            self.height += rows.height
        if sum(each.height for each in self._waiting) >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write all that wait."""
        if not self._waiting:
            return
        rows = pl.concat(self._waiting)
        self._waiting.clear()
        self.folder.mkdir(parents=True, exist_ok=True)
        placed = rows.with_columns(_shard=_shards(rows["subject_id"], self.shards))
        shares = placed.partition_by("_shard", maintain_order=True, include_key=False, as_dict=True)
        for (shard,), share in shares.items():
            with _file(self.folder, cast(int, shard)).open("ab") as file:
                share.write_ipc_stream(file, compression="zstd")


def rows_of(folder: Path, shard: int) -> Iterator[pl.DataFrame]:
    """The rows of a shard, batch by batch in the order in which they came."""
    path = _file(folder, shard)
    if not path.exists():
        return
    with pa.memory_map(str(path)) as file:
        while file.tell() < file.size():
            yield cast(pl.DataFrame, pl.from_arrow(pa.ipc.open_stream(file).read_all()))


def _file(folder: Path, shard: int) -> Path:
    return folder / f"{shard:05}.arrows"


def _shards(subjects: pl.Series, shards: int) -> pl.Series:
    """The shard of every row; a patient that cannot be read is in the first, to be quarantined there."""
    numbers = subjects.cast(pl.Int64, strict=False)
    places = {subject: shard_of(subject, shards) for subject in numbers.unique().drop_nulls()}
    return numbers.replace_strict(places, default=0, return_dtype=pl.Int64)
