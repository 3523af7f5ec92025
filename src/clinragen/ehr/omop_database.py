"""OMOP tables out of a database, as Parquet files in a folder: what DuckDB or an ADBC driver can read.

`duckdb:///file.duckdb`, `sqlite:///file.sqlite`, `postgresql://user@host/name`. Rows come in batches, so that
memory does not grow with a table; a table that is there already is not brought again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clinragen.ehr.tables import Layout, Need
from clinragen.errors import SourceError
from clinragen.recipe import Source
from clinragen.store import written

DRIVERS = {"sqlite": "adbc_driver_sqlite", "postgresql": "adbc_driver_postgresql"}
BATCH = 100_000
_FIX = 'pip install "clinragen[omop]"'


def from_database(source: Source, layout: Layout, folder: Path) -> Path:
    """Bring every table that is there; what the database lacks the folder lacks too, and is told so."""
    if "://" not in source.path:
        return Path(source.path)
    connection = _connected(source.path)
    try:
        for need in layout.needs().values():
            _bring(connection, source.database_schema, need, folder / f"{need.table}.parquet")
    finally:
        connection.close()
    return folder


def _connected(address: str) -> Any:
    """A connection of the Python database interface; SourceError where there is no driver or no database."""
    scheme, _, place = address.partition("://")
    try:
        if scheme == "duckdb":
            return import_module("duckdb").connect(place.removeprefix("/"), read_only=True)
        driver = import_module(f"{DRIVERS[scheme]}.dbapi")
        return driver.connect(place.removeprefix("/") if scheme == "sqlite" else address)
    except KeyError:
        raise SourceError(
            f"no driver for {scheme}://", expected=", ".join(f"{name}://" for name in ("duckdb", *DRIVERS))
        ) from None
    except ImportError:
        raise SourceError(f"no driver for {scheme}:// is installed", fix=_FIX) from None
    except Exception as fault:
        raise SourceError(
            f"cannot open the database {scheme}://...", found=_first_line(fault), fix="check source.path"
        ) from None


def _bring(connection: Any, schema: str, need: Need, path: Path) -> None:
    """Write one table; nothing where the database has none of this name."""
    table = f'"{schema}"."{need.table}"' if schema else f'"{need.table}"'
    if path.exists() or (there := _columns(connection, table)) is None:
        return
    chosen = [there[name] for name in (*need.columns, *need.may) if name in there]
    if not chosen:
        raise SourceError(f"table {need.table} has none of the columns that are read of it")
    try:
        with _batches(connection, f"SELECT {', '.join(chosen)} FROM {table}") as rows:
            _write(rows, path)
    except (pa.ArrowException, RuntimeError) as fault:
        raise SourceError(f"cannot read table {need.table}", found=_first_line(fault)) from None


def _write(rows: Any, path: Path) -> None:
    with written(path) as draft, pq.ParquetWriter(draft, rows.schema) as file:
        for batch in rows:
            file.write_batch(batch)


def _columns(connection: Any, table: str) -> dict[str, str] | None:
    """The columns of a table, lower case to as they must be written; None where there is no such table."""
    try:
        with _batches(connection, f"SELECT * FROM {table} LIMIT 0") as rows:
            return {name.lower(): f'"{name}"' for name in rows.schema.names}
    except Exception:
        return None


@contextmanager
def _batches(connection: Any, query: str) -> Iterator[Any]:
    """The rows of a query as a reader of Arrow batches, while its cursor is open."""
    if hasattr(connection, "sql"):
        yield connection.sql(query).to_arrow_reader(BATCH)
        return
    with connection.cursor() as cursor:
        cursor.execute(query)
        yield cursor.fetch_record_batch()


def _first_line(fault: BaseException) -> str:
    return str(fault).splitlines()[0] if str(fault) else type(fault).__name__
