"""Tables as streams: however they are cut, the same rows, the same events, the same bytes."""

import gzip
import hashlib
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingesting import ingest
from raw_miniatures import MINIATURES

from clinragen.ehr import pile, stream
from clinragen.ehr.pile import Pile, rows_of
from clinragen.ehr.stream import ahead, chunks, whole_records

FIELDS = st.text(st.sampled_from('ab1,\n" é'), max_size=8)
ROWS = st.lists(st.tuples(FIELDS, FIELDS), max_size=12)


def written(rows: list[tuple[str, str]]) -> bytes:
    """A table of two columns; every field is in quotes."""
    lines = ['"x","y"', *(",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows)]
    return "".join(line + "\n" for line in lines).encode()


@given(rows=ROWS, size=st.integers(1, 40))
def test_blocks_are_cut_where_a_record_ends_and_nothing_is_lost(
    rows: list[tuple[str, str]], size: int
) -> None:
    text = written(rows)
    blocks = (text[start : start + size] for start in range(0, len(text), size))
    records = [b"".join(pieces) for pieces in whole_records(blocks)]
    assert b"".join(records) == text
    assert all(each.count(b'"') % 2 == 0 and each.endswith(b"\n") for each in records)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_a_table_is_the_same_whatever_the_size_of_its_chunks(tmp_path: Path, name: str) -> None:
    rows = [("a", "1"), ("b\nb", ""), ('say "b"', "3"), ("é,", "4")] * 50
    path = tmp_path / name
    if name.endswith("parquet"):
        pl.read_csv(BytesIO(written(rows)), infer_schema=False).write_parquet(path)
    else:
        path.write_bytes(gzip.compress(written(rows)) if name.endswith("gz") else written(rows))
    whole = pl.concat(chunks(path, ["y", "x"]))
    assert whole.columns == ["y", "x"]
    assert whole["x"].to_list() == [x for x, _ in rows]
    for size in (100, 1000):
        pieces = list(chunks(path, ["y", "x"], size))
        assert len(pieces) > 1
        assert pl.concat(pieces).equals(whole)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_a_table_without_rows_has_its_columns(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        pl.DataFrame({"x": [], "y": []}, schema={"x": pl.String, "y": pl.String}).write_parquet(path)
    else:
        path.write_bytes(gzip.compress(b"x,y\n") if name.endswith("gz") else b"x,y\n")
    assert pl.concat(chunks(path, ["y"])).schema == {"y": pl.String}


def test_the_end_of_the_last_line_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"x,y\r\n1,2\r\n3,4")
    assert pl.concat(chunks(tmp_path / "t.csv", ["x", "y"], 5)).rows() == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("kind", [kind for kind in MINIATURES if kind != "synthetic"])
def test_small_chunks_give_the_same_bytes(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blood gases, their specimens and their quarantined rows lie in different chunks then."""
    raw = MINIATURES[kind](tmp_path / "raw")
    whole = ingest(kind, raw, tmp_path / "whole")
    monkeypatch.setattr(stream, "CHUNK_BYTES", 64)
    monkeypatch.setattr(pile, "AT_ONCE", 3)
    assert ingest(kind, raw, tmp_path / "small") == whole
    assert bytes_of(tmp_path / "whole") == bytes_of(tmp_path / "small")


def bytes_of(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_what_is_got_ahead_is_the_same_and_so_is_what_is_raised() -> None:
    def faulty() -> Iterator[int]:
        yield from range(5)
        raise EOFError("cut off")

    assert list(ahead(iter(range(100)))) == list(range(100))
    found = []
    with pytest.raises(EOFError, match="cut off"):
        found.extend(ahead(faulty()))


def test_who_stops_asking_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    items = ahead(iter(range(1000)))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


@given(subjects=st.lists(st.sampled_from(["1", "2", "3", "x", None]), max_size=20), at_once=st.integers(1, 5))
def test_every_row_is_in_the_shard_of_its_patient_in_the_order_in_which_it_came(
    subjects: list[str | None], at_once: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pile")
    heap, kinds = Pile(folder, shards=3), {"subject_id": pl.String, "row": pl.Int64}
    for place, subject in enumerate(subjects):
        heap.add(pl.DataFrame({"subject_id": [subject], "row": [place]}, kinds))
        if place % at_once == 0:
            heap.flush()
    heap.flush()
    shards = [[row for rows in rows_of(folder, shard) for row in rows.rows()] for shard in range(3)]
    assert sorted(row for rows in shards for _, row in rows) == list(range(len(subjects)))
    assert all([row for _, row in rows] == sorted(row for _, row in rows) for rows in shards)
    owners = [{subject for subject, _ in rows} - {"x", None} for rows in shards]
    assert sum(map(len, owners)) == len(set().union(*owners))
    assert all(subject in {"1", "2", "3"} for rows in shards[1:] for subject, _ in rows)
