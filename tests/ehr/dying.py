"""An ingest that dies at its n-th write, as if the machine had lost its power: run as a program of its own.

python dying.py KIND RAW FOLDER N
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from ingesting import ingest

from clinragen.ehr import pile

KILLED = 137


def die_at(last: int) -> None:
    """Let this process die in the middle of the `last` file or batch it writes."""
    writes = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def writing(*given: Any, **named: Any) -> Any:
            nonlocal writes
            writes += 1
            done = write(*given, **named)
            if writes == last:
                _cut_short(next(each for each in given if isinstance(each, Path) or hasattr(each, "fileno")))
                os._exit(KILLED)
            return done

        return writing

    pl.DataFrame.write_parquet = counted(pl.DataFrame.write_parquet)  # type: ignore[method-assign]
    pl.DataFrame.write_ipc_stream = counted(pl.DataFrame.write_ipc_stream)  # type: ignore[method-assign]
    Path.write_text = counted(Path.write_text)  # type: ignore[method-assign]


def _cut_short(written: Any) -> None:
    """Half of what was written is not there: a file by its path, or one that is open."""
    if isinstance(written, Path):
        os.truncate(written, written.stat().st_size // 2)
    else:
        written.flush()
        os.truncate(written.fileno(), os.fstat(written.fileno()).st_size // 2)


if __name__ == "__main__":
    kind, raw, folder, last = sys.argv[1:]
    pile.AT_ONCE = 5
    die_at(int(last))
    ingest(kind, Path(raw), Path(folder))
