"""OMOP tables out of a database, as Parquet files in a folder: what DuckDB or an ADBC driver can read.

`duckdb:///file.duckdb`, `sqlite:///file.sqlite`, `postgresql://user@host/name`. Values come as text, as in a
CSV file, so that a column may hold anything; rows come in batches, so that memory does not grow with a table;
a table that is there already is not brought again.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clinragen.ehr.tables import Layout, Need
from clinragen.errors import SourceError
from clinragen.recipe import Source
from clinragen.store import written

BATCH = 100_000
_NO_DRIVER = 'pip install "clinragen[omop]"'
_NO_TABLE = "set source.database_schema to the schema that has it, or check source.path"
_HELD_BACK = "what the driver says is held back, for the address holds a password"
_UNREADABLE = "check source.path, and that its user may read this table"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of database is opened, and asked for its tables.

    `tables` gives schema, name, and whether the name alone finds it; `begin` is said first of all.
    """

    module: str
    tables: str
    begin: str = ""
    is_file: bool = True


DIALECTS: Mapping[str, Dialect] = {
    "duckdb": Dialect(
        "duckdb",
        "SELECT table_schema, table_name, table_schema = current_schema() FROM information_schema.tables",
    ),
    "sqlite": Dialect(
        "adbc_driver_sqlite.dbapi",
        "SELECT 'main', name, 1 FROM sqlite_master WHERE type IN ('table', 'view')",
    ),
    "postgresql": Dialect(
        "adbc_driver_postgresql.dbapi",
        "SELECT nspname::text, relname::text, pg_table_is_visible(c.oid) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND nspname <> 'information_schema' AND nspname !~ '^pg_'",
        begin="SET datestyle = 'ISO'",
        is_file=False,
    ),
}


def from_database(source: Source, layout: Layout, folder: Path) -> Path:
    """Bring every table that is there; SourceError with all needed ones that the database lacks."""
    if "://" not in source.path:
        return Path(source.path)
    with _opened(source.path) as (dialect, connection):
        there = _tables(connection, dialect, source.database_schema)
        needs = layout.needs().values()
        _check(needs, there, source.database_schema)
        for need in needs:
            if need.table in there:
                _bring(connection, there[need.table], need, folder / f"{need.table}.parquet")
    return folder


@contextmanager
def _opened(address: str) -> Iterator[tuple[Dialect, Any]]:
    """A connection of the Python database interface, while it is used; the address is in no message."""
    scheme, _, place = address.partition("://")
    if scheme not in DIALECTS:
        known = ", ".join(f"{name}://" for name in DIALECTS)
        raise SourceError(f"no driver for {scheme}://", expected=known)
    dialect = DIALECTS[scheme]
    try:
        module: Any = import_module(dialect.module)
    except ImportError:
        raise SourceError(f"no driver for {scheme}:// is installed", fix=_NO_DRIVER) from None
    with _told(f"cannot open the database {scheme}://...", module.Error, "check source.path", _secret(place)):
        connection = _connected(module, dialect, address, place)
    try:
        with _told(f"cannot read the database {scheme}://...", module.Error, _UNREADABLE):
            yield dialect, connection
    finally:
        connection.close()


def _connected(module: Any, dialect: Dialect, address: str, place: str) -> Any:
    if not dialect.is_file:
        return module.connect(address)
    path = place.removeprefix("/")
    if not Path(path).is_file():
        raise FileNotFoundError(f"no file {path}")
    return module.connect(path, read_only=True) if dialect.module == "duckdb" else module.connect(path)


def _tables(connection: Any, dialect: Dialect, schema: str) -> dict[str, str]:
    """The tables of the schema, or those found without one: name in lower case to as it must be written."""
    with connection.cursor() as cursor:
        if dialect.begin:
            cursor.execute(dialect.begin)
        cursor.execute(dialect.tables)
        rows = sorted(cursor.fetchall())
    return {
        name.lower(): f"{_quoted(owner)}.{_quoted(name)}"
        for owner, name, is_found in rows
        if (owner == schema if schema else is_found)
    }


def _check(needs: Iterable[Need], there: Mapping[str, str], schema: str) -> None:
    missing = [need.table for need in needs if not need.is_optional and need.table not in there]
    if missing:
        where = f"schema {schema} of the database" if schema else "database"
        found = ", ".join(sorted(there)) or "no table at all"
        raise SourceError(f"the {where} has no table {', '.join(missing)}", found=found, fix=_NO_TABLE)


def _bring(connection: Any, table: str, need: Need, path: Path) -> None:
    """Write one table: the columns that are read and are there, each as text."""
    if path.exists():
        return
    with _batches(connection, f"SELECT * FROM {table} LIMIT 0") as rows:
        there = {name.lower(): name for name in rows.schema.names}
    chosen = [name for name in (*need.columns, *need.may) if name in there]
    if lacking := [name for name in need.columns if name not in there]:
        raise SourceError(f"table {table} has no column {', '.join(lacking)}", found=", ".join(there))
    texts = ", ".join(f"CAST({_quoted(there[name])} AS TEXT) AS {name}" for name in chosen)
    which = f" WHERE {_quoted(there[need.only[0]])} = '{need.only[1]}'" if need.only else ""
    with _batches(connection, f"SELECT {texts} FROM {table}{which}") as rows:
        _write(rows, pa.schema([(name, pa.string()) for name in chosen]), path)


def _write(rows: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> None:
    with written(path) as draft, pq.ParquetWriter(draft, schema) as file:
        for batch in rows:
            file.write_batch(batch.cast(schema))


@contextmanager
def _batches(connection: Any, query: str) -> Iterator[pa.RecordBatchReader]:
    """The rows of a query as a reader of Arrow batches, while its cursor is open."""
    if hasattr(connection, "sql"):
        yield connection.sql(query).to_arrow_reader(BATCH)
        return
    with connection.cursor() as cursor:
        cursor.execute(query)
        yield cursor.fetch_record_batch()


@contextmanager
def _told(problem: str, error: type[Exception], fix: str, is_secret: bool = False) -> Iterator[None]:
    """Tell what a driver says by one SourceError, in its first line, unless that may quote a secret."""
    try:
        yield
    except (error, pa.ArrowException, OSError) as fault:
        said = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise SourceError(problem, found=_HELD_BACK if is_secret else said, fix=fix) from None


def _secret(place: str) -> bool:
    """Whether an address holds a password, which a driver may quote when it cannot read the address."""
    return ":" in place.rpartition("@")[0] or "password" in place


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
