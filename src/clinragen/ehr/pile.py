"""Rows on their way to the shards of their patients, written many at a time so that few wait in memory."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from clinragen.engine import shard_of
from clinragen.store import written

AT_ONCE = 400_000
"""Rows that wait in memory until they are written."""


@dataclass(slots=True)
class Pile:
    """A folder with a folder for each shard, and the rows that wait to be written there."""

    folder: Path
    shards: int
    height: int = 0
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    _flushes: int = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows; write all that wait once there are enough."""
        if rows.height:
            self._waiting.append(rows)
            self.height += rows.height
        if sum(each.height for each in self._waiting) >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write all that wait, a file for each shard that has any."""
        if not self._waiting:
            return
        rows = pl.concat(self._waiting)
        self._waiting.clear()
        placed = rows.with_columns(_shard=_shards(rows["subject_id"], self.shards))
        for (shard,), share in placed.group_by("_shard", maintain_order=True):
            with written(self.folder / f"{shard:05}" / f"{self._flushes:05}.arrow") as draft:
                share.drop("_shard").write_ipc(draft, compression="lz4")
        self._flushes += 1


def shard_files(folder: Path, shard: int) -> list[Path]:
    """The files of a shard, in the order in which they were written."""
    return sorted((folder / f"{shard:05}").glob("*.arrow"))


def _shards(subjects: pl.Series, shards: int) -> pl.Series:
    """The shard of every row; a patient that cannot be read is in the first, to be quarantined there."""
    numbers = subjects.cast(pl.Int64, strict=False)
    places = {subject: shard_of(subject, shards) for subject in numbers.unique().drop_nulls()}
    return numbers.replace_strict(places, default=0, return_dtype=pl.Int64)
