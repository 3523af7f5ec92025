"""OMOP out of databases: the same events as from files, and one clear error where that cannot be."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingesting import events_of, ingest, silent
from raw_miniatures import OMOP, write_omop

from clinragen.ehr.explain import explained
from clinragen.ehr.run import run
from clinragen.errors import SourceError
from clinragen.recipe import Recipe, Source
from clinragen.recipe_file import read_recipe
from clinragen.store import read_json

POSTGRES_TYPES = {pl.Int64: "INTEGER", pl.Float64: "NUMERIC", pl.Date: "DATE", pl.Datetime: "TIMESTAMP"}
"""Those of the official definition of the tables; all else is VARCHAR."""


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Those of the files."""
    folder = tmp_path_factory.mktemp("files")
    ingest("omop", write_omop(folder / "raw"), folder)
    return events_of(folder)


def tables() -> dict[str, pl.DataFrame]:
    texts = {
        name: "\n".join(line.removeprefix(" " * 8) for line in text.strip("\n").split("\n"))
        for name, text in OMOP.items()
    }
    return {name: pl.read_csv(StringIO(text), try_parse_dates=True) for name, text in texts.items()}


def from_address(address: str, run_folder: Path, schema: str = "") -> pl.DataFrame:
    source = {"kind": "omop", "path": address, "shards": 2, "database_schema": schema}
    recipe = Recipe.model_validate({"name": "mini", "source": source, "engine": {"workers": 1}})
    run(recipe, run_folder, silent)
    return events_of(run_folder)


def write_duckdb(path: Path, schema: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for name, table in tables().items():
            connection.register("rows", table.to_arrow())
            connection.execute(f"CREATE TABLE {schema}.{name} AS SELECT * FROM rows")
            connection.unregister("rows")


def write_sqlite(path: Path) -> None:
    pytest.importorskip("adbc_driver_sqlite")
    with sqlite3.connect(path) as connection:
        for name, table in tables().items():
            texts = table.with_columns(pl.col(pl.Date, pl.Datetime).cast(pl.String).str.head(19))
            connection.execute(f"CREATE TABLE {name.upper()} ({', '.join(texts.columns)})")
            marks = ", ".join("?" * texts.width)
            connection.executemany(f"INSERT INTO {name.upper()} VALUES ({marks})", texts.rows())


# --- the same events as from files --------------------------------------------------------------------


@pytest.mark.parametrize("schema", ["main", "clinic"])
def test_a_duckdb_database_gives_the_same_events(events: pl.DataFrame, tmp_path: Path, schema: str) -> None:
    write_duckdb(tmp_path / "cdm.duckdb", schema)
    told = "" if schema == "main" else schema
    assert from_address(f"duckdb:///{tmp_path}/cdm.duckdb", tmp_path / "run", told).equals(events)


def test_a_sqlite_database_gives_the_same_events(events: pl.DataFrame, tmp_path: Path) -> None:
    write_sqlite(tmp_path / "cdm.sqlite")
    assert from_address(f"sqlite:///{tmp_path}/cdm.sqlite", tmp_path / "run").equals(events)


def test_a_text_in_a_column_of_numbers_is_quarantined_and_counted(tmp_path: Path) -> None:
    """SQLite lets any column hold any value."""
    write_sqlite(tmp_path / "cdm.sqlite")
    with sqlite3.connect(tmp_path / "cdm.sqlite") as connection:
        connection.execute("UPDATE MEASUREMENT SET value_as_number = 'HEMOLYZED' WHERE rowid = 6")
    from_address(f"sqlite:///{tmp_path}/cdm.sqlite", tmp_path / "run")
    quarantine = read_json(tmp_path / "run" / "ingest" / "quarantine.json")
    assert quarantine["measurement"]["text where a number belongs"] == {"count": 1, "rows": [6]}


def test_a_database_file_lies_beside_the_recipe(tmp_path: Path) -> None:
    for address, read in {
        "duckdb:///cdm.duckdb": f"duckdb:///{tmp_path}/cdm.duckdb",
        "sqlite:////srv/cdm.sqlite": "sqlite:////srv/cdm.sqlite",
        "postgresql:///cdm": "postgresql:///cdm",
    }.items():
        (tmp_path / "mini.toml").write_text(f'name = "mini"\n[source]\nkind = "omop"\npath = "{address}"\n')
        assert read_recipe(tmp_path / "mini.toml").source.path == read


# --- PostgreSQL ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a server of its own, which listens on no network."""
    pytest.importorskip("adbc_driver_postgresql")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(programs[-1]) if programs else "")
    if not initdb:
        pytest.skip("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    who = {"user": "postgres"} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "postgres")

    def server(program: str, *options: str) -> None:
        command = [str(Path(initdb).with_name(program)), "-D", f"{folder}/data", *options]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **who)

    server("initdb", "-A", "trust", "-U", "me")
    listening = f"-k {folder} -c listen_addresses='' -c fsync=off"
    server("pg_ctl", "-o", listening, "-l", f"{folder}/log", "-w", "start")
    yield f"postgresql:///postgres?host={folder}&user=me"
    server("pg_ctl", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


def said(address: str, *statements: str) -> None:
    dbapi: Any = pytest.importorskip("adbc_driver_postgresql.dbapi")
    with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def write_postgres(address: str, schema: str, without: tuple[str, ...] = ()) -> None:
    said(address, f"DROP SCHEMA IF EXISTS {schema} CASCADE", f"CREATE SCHEMA {schema}")
    for name, table in tables().items():
        if name in without:
            continue
        columns = ", ".join(
            f"{column} {POSTGRES_TYPES.get(kind.base_type(), 'VARCHAR')}"
            for column, kind in table.schema.items()
        )
        rows = ", ".join(f"({', '.join(map(written, row))})" for row in table.rows())
        said(
            address, f"CREATE TABLE {schema}.{name} ({columns})", f"INSERT INTO {schema}.{name} VALUES {rows}"
        )


def written(value: object) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


@pytest.mark.slow
@pytest.mark.parametrize("schema", ["", "cdm"])
def test_a_postgresql_database_gives_the_same_events(
    postgres: str, events: pl.DataFrame, tmp_path: Path, schema: str
) -> None:
    write_postgres(postgres, schema or "public")
    assert from_address(postgres, tmp_path, schema).equals(events)


@pytest.mark.slow
def test_how_a_server_writes_dates_does_not_matter(
    postgres: str, events: pl.DataFrame, tmp_path: Path
) -> None:
    write_postgres(postgres, "public")
    said(postgres, "ALTER ROLE me SET datestyle = 'SQL, DMY'")
    assert from_address(postgres, tmp_path).equals(events)
    said(postgres, "ALTER ROLE me RESET datestyle")


@pytest.mark.slow
def test_an_optional_table_that_a_server_lacks_takes_no_other_with_it(postgres: str, tmp_path: Path) -> None:
    write_postgres(postgres, "public", without=("visit_detail",))
    found = from_address(postgres, tmp_path)
    assert found.filter(pl.col("code").str.starts_with("LOINC//")).height == 4


@pytest.mark.slow
def test_a_table_that_may_not_be_read_is_one_clear_error_and_not_left_out(
    postgres: str, tmp_path: Path
) -> None:
    write_postgres(postgres, "public")
    said(postgres, "CREATE ROLE reader LOGIN", "GRANT USAGE ON SCHEMA public TO reader")
    said(
        postgres, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", "REVOKE SELECT ON note FROM reader"
    )
    with pytest.raises(SourceError, match="permission denied for table note"):
        from_address(postgres.replace("user=me", "user=reader"), tmp_path)


# --- what cannot be read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("duckdb:///nowhere/cdm.duckdb", "cannot open the database duckdb"),
        ("sqlite:///nowhere/cdm.sqlite", "no file nowhere/cdm.sqlite"),
        ("oracle://host/cdm", "no driver for oracle"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_clear_error(address: str, told: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    with pytest.raises(SourceError, match=told):
        from_address(address, tmp_path)


@pytest.mark.parametrize("scheme", ["duckdb", "sqlite"])
def test_a_file_that_is_no_database_is_one_clear_error(scheme: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "cdm").write_text("no database at all\n" * 100)
    with pytest.raises(SourceError, match=f"cannot (?:open|read) the database {scheme}"):
        from_address(f"{scheme}:///{tmp_path}/cdm", tmp_path)


def test_all_tables_that_a_database_lacks_are_told_at_once_with_those_it_has(tmp_path: Path) -> None:
    write_duckdb(tmp_path / "cdm.duckdb", "clinic")
    with pytest.raises(SourceError) as fault:
        from_address(f"duckdb:///{tmp_path}/cdm.duckdb", tmp_path)
    told = str(fault.value)
    assert "person, visit_occurrence, measurement, condition_occurrence, concept" in told
    assert "source.database_schema" in told


def test_columns_that_a_table_lacks_are_told(tmp_path: Path) -> None:
    write_sqlite(tmp_path / "cdm.sqlite")
    with sqlite3.connect(tmp_path / "cdm.sqlite") as connection:
        connection.execute("ALTER TABLE MEASUREMENT DROP COLUMN value_as_number")
    with pytest.raises(SourceError, match=r'"MEASUREMENT" has no column value_as_number'):
        from_address(f"sqlite:///{tmp_path}/cdm.sqlite", tmp_path)


@pytest.mark.parametrize("address", ["oracle://me:secret@host/cdm", "postgresql://me:secret/x@host:y/cdm"])
def test_an_address_is_told_without_what_stands_in_it(address: str, tmp_path: Path) -> None:
    """A password in an address is in no message, not even in what the driver says of it."""
    pytest.importorskip("adbc_driver_postgresql")
    with pytest.raises(SourceError) as fault:
        from_address(address, tmp_path)
    assert "secret" not in str(fault.value)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("postgresql://me:se:cr/e@t@host:5432/cdm", "postgresql://me:***@host:5432/cdm"),
        (
            "postgresql://me@host/cdm?password=secret&sslmode=on",
            "postgresql://me@host/cdm?password=***&sslmode=on",
        ),
        ("postgresql://me@host/cdm", "postgresql://me@host/cdm"),
        ("sqlite:////srv/cdm.sqlite", "sqlite:////srv/cdm.sqlite"),
        ("../records", "../records"),
    ],
)
def test_no_manifest_keeps_a_password(address: str, kept: str) -> None:
    source = Source(kind="omop", path=address)
    assert source.model_dump()["path"] == kept
    assert source.path == address


def test_other_sources_are_not_read_from_databases() -> None:
    told = "\n".join(explained(Source(kind="mimic4", path="duckdb:///x")))
    assert "mimic4 is not read from a database" in told
