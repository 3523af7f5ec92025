"""What ingest writes is read by a MEDS reader that nobody of this project wrote: the package meds_reader."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from ingesting import events_of, ingest
from raw_miniatures import MINIATURES

COLUMNS = ("time", "code", "numeric_value", "text_value", "unit", "hadm_id", "stay_id")


@pytest.mark.parametrize("kind", sorted(MINIATURES))
def test_another_reader_finds_the_same_events(kind: str, tmp_path: Path) -> None:
    meds_reader = pytest.importorskip("meds_reader")
    ingest(kind, MINIATURES[kind](tmp_path / "raw"), tmp_path)
    convert = Path(sys.executable).with_name("meds_reader_convert")
    told = [convert, tmp_path / "ingest", tmp_path / "read", "--num_threads", "1"]
    subprocess.run(told, check=True, capture_output=True)
    read = meds_reader.SubjectDatabase(str(tmp_path / "read"))
    found = [
        (int(subject), *(getattr(event, name, None) for name in COLUMNS))
        for subject in read
        for event in read[subject].events
    ]
    written = events_of(tmp_path).select("subject_id", *COLUMNS)
    told_by_both = pl.DataFrame(found, schema=written.schema, orient="row")
    assert told_by_both.sort(pl.all()).equals(written.sort(pl.all()))
