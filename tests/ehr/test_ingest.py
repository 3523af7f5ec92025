"""The step `ingest`, and the contract that every source keeps."""

import gzip
import json
import shutil
from pathlib import Path

import meds
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingesting import events_of, ingest
from raw_miniatures import MIMIC3, MINIATURES, write_mimic3, write_tables

from clinragen.clinical.codes import variable_of
from clinragen.clinical.units import convert
from clinragen.clinical.variables import variable
from clinragen.ehr import run as run_module
from clinragen.ehr import sources as sources_module
from clinragen.ehr.events import EVENT
from clinragen.ehr.sources import SOURCES
from clinragen.engine import shard_of
from clinragen.errors import SourceError
from clinragen.store import hash_outputs

every_source = pytest.mark.parametrize("kind", sorted(SOURCES))
every_table_source = pytest.mark.parametrize("kind", sorted(set(SOURCES) - {"synthetic"}))


@pytest.fixture
def ingested(tmp_path: Path, kind: str) -> Path:
    ingest(kind, MINIATURES[kind](tmp_path / "raw"), tmp_path)
    return tmp_path


# --- the contract of a source -------------------------------------------------------------------------


def test_every_source_has_a_miniature():
    assert set(MINIATURES) == set(SOURCES)


@every_source
def test_the_shards_are_valid_meds(ingested: Path, kind: str):
    for shard in (ingested / "ingest" / "data").glob("*.parquet"):
        table = pq.read_table(shard)
        aligned = meds.DataSchema.align(table)
        meds.DataSchema.validate(aligned)
        assert set(EVENT) <= set(aligned.column_names)
    codes = pq.read_table(ingested / "ingest" / meds.code_metadata_filepath)
    meds.CodeMetadataSchema.validate(meds.CodeMetadataSchema.align(codes))
    dataset = json.loads((ingested / "ingest" / meds.dataset_metadata_filepath).read_text())
    meds.DatasetMetadataSchema.validate(dataset)
    assert set(codes["code"].to_pylist()) == set(events_of(ingested)["code"])


@every_source
def test_events_are_sorted_and_each_subject_lies_in_its_shard(ingested: Path, kind: str):
    for shard in (ingested / "ingest" / "data").glob("*.parquet"):
        events = pl.read_parquet(shard)
        assert dict(events.schema) == EVENT
        assert events.equals(events.sort("subject_id", "time", "code", maintain_order=True))
        assert all(f"shard-{shard_of(s, 2):05}.parquet" == shard.name for s in events["subject_id"].unique())


@every_source
def test_three_icu_stays_begin_and_end_and_are_coded(ingested: Path, kind: str):
    events = events_of(ingested)
    begins, ends = (events.filter(code=code) for code in ("ICU_ADMISSION", "ICU_DISCHARGE"))
    assert begins["stay_id"].n_unique() == ends["stay_id"].n_unique() == 3
    assert events["code"].str.contains("^ICD(9|10)//[A-Z0-9]+$").sum() >= 3
    assert not events["code"].is_null().any()


@every_source
def test_units_are_known_and_values_plausible(ingested: Path, kind: str):
    measured = events_of(ingested).filter(pl.col("numeric_value").is_not_null(), pl.col("code") != "AGE")
    assert measured.height > 0
    for row in measured.iter_rows(named=True):
        name = variable_of(kind, row["code"])
        assert name is not None
        value = convert(name, row["numeric_value"], row["unit"])
        assert variable(name).is_plausible(value), (row["code"], value)


@every_table_source
def test_the_order_of_raw_rows_does_not_matter(tmp_path: Path, kind: str):
    raw = MINIATURES[kind](tmp_path / "raw")
    ingest(kind, raw, tmp_path / "a")
    for path in [*raw.rglob("*.csv"), *raw.rglob("*.csv.gz")]:
        rows = pl.read_csv(path, infer_schema=False).reverse()
        text = rows.write_csv().encode()
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    ingest(kind, raw, tmp_path / "b")
    assert events_of(tmp_path / "a").equals(events_of(tmp_path / "b"))


@pytest.mark.parametrize("kind", sorted(set(SOURCES) - {"synthetic", "fhir"}))
def test_every_row_is_used_quarantined_or_counted_as_not_ours(tmp_path: Path, kind: str):
    """No row vanishes: empty tables aside, each table that feeds events tells of all its rows."""
    raw = MINIATURES[kind](tmp_path / "raw")
    counts = ingest(kind, raw, tmp_path)
    rows = {
        path.name.lower().split(".")[0]: pl.read_csv(path, infer_schema=False).height
        for path in raw.rglob("*.csv*")
    } | {
        str(path.relative_to(raw).with_suffix("")): pl.read_parquet(path).height
        for path in raw.rglob("*.parquet")
    }
    for table, told in counts["tables"].items():
        assert told["rows"] == rows[table]
    assert counts["rows"] == sum(told["rows"] for told in counts["tables"].values())


# --- the step -----------------------------------------------------------------------------------------


def test_parquet_and_csv_and_gz_in_any_case_give_the_same_events(tmp_path: Path):
    raw = write_mimic3(tmp_path / "raw")
    ingest("mimic3", raw, tmp_path / "a")
    other = tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    for index, path in enumerate(sorted(raw.glob("*.csv"))):
        rows = pl.read_csv(path, infer_schema=False).rename(str.lower)
        if index % 2:
            rows.write_parquet(other / "deep" / f"{path.stem.lower()}.parquet")
        else:
            (other / f"{path.stem.lower()}.CSV.GZ").write_bytes(gzip.compress(rows.write_csv().encode()))
    ingest("mimic3", other, tmp_path / "b")
    assert events_of(tmp_path / "a").equals(events_of(tmp_path / "b"))


def test_numbers_and_times_that_parquet_already_knows_are_read(tmp_path: Path):
    raw = write_mimic3(tmp_path / "raw")
    ingest("mimic3", raw, tmp_path / "a")
    for name in ("LABEVENTS", "ICUSTAYS"):
        pl.read_csv(raw / f"{name}.csv", try_parse_dates=True).write_parquet(raw / f"{name}.parquet")
        (raw / f"{name}.csv").unlink()
    ingest("mimic3", raw, tmp_path / "b")
    assert events_of(tmp_path / "a").equals(events_of(tmp_path / "b"))


def test_workers_change_nothing(tmp_path: Path):
    raw = write_mimic3(tmp_path / "raw")
    assert ingest("mimic3", raw, tmp_path / "a") == ingest("mimic3", raw, tmp_path / "b", workers=2)
    assert hash_outputs(tmp_path / "a" / "ingest") == hash_outputs(tmp_path / "b" / "ingest")


@pytest.mark.parametrize("kind", ["mimic3", "synthetic"])
def test_a_killed_run_resumes_and_ends_the_same(tmp_path: Path, kind: str, monkeypatch):
    raw = MINIATURES[kind](tmp_path / "raw")
    whole = ingest(kind, raw, tmp_path / "a", shards=3)
    written = []

    def dying(path, table):
        if len(written) == 1:
            raise KeyboardInterrupt
        written.append(path)
        return write_table(path, table)

    write_table = sources_module.write_table
    monkeypatch.setattr(sources_module, "write_table", dying)
    with pytest.raises(KeyboardInterrupt):
        ingest(kind, raw, tmp_path / "b", shards=3)
    monkeypatch.undo()
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "b" / "ingest" / "data").glob("*")}
    assert ingest(kind, raw, tmp_path / "b", shards=3) == whole
    assert hash_outputs(tmp_path / "a" / "ingest") == hash_outputs(tmp_path / "b" / "ingest")
    assert all(path.stat().st_mtime_ns == when for path, when in first.items())


def test_simulated_patients_come_with_their_truth(tmp_path: Path):
    ingest("synthetic", tmp_path, tmp_path)
    stays = set(events_of(tmp_path).filter(code="ICU_ADMISSION")["stay_id"])
    for name in ("diagnoses", "states", "mentions"):
        truth = pl.read_parquet(tmp_path / "ingest" / "truth" / name / "*.parquet")
        assert set(truth["stay_id"]) <= stays
    assert not (tmp_path / "ingest" / "parts").exists()


def test_quarantine_counts_by_reason_and_never_holds_text(tmp_path: Path):
    counts = ingest("mimic3", write_mimic3(tmp_path / "raw"), tmp_path)
    text = (tmp_path / "ingest" / "quarantine.json").read_text()
    assert json.loads(text)["labevents"] == {
        "blood gas that is not arterial": {"count": 1, "rows": [10]},
        "no range of its own": {"count": 1, "rows": [5]},
        "no readable time": {"count": 1, "rows": [6]},
        "text where a number belongs": {"count": 1, "rows": [4]},
    }
    assert "HEMOLYZED" not in text
    assert counts["quarantined"]["no readable time"] == 1
    assert counts["subjects"] == 2
    assert counts["stays"] == 3


def test_items_that_are_not_ours_are_counted_by_code(tmp_path: Path):
    ingest("mimic3", write_mimic3(tmp_path / "raw"), tmp_path)
    unmapped = json.loads((tmp_path / "ingest" / "metadata" / "unmapped.json").read_text())
    assert unmapped["rows"] == {"labevents": 1, "chartevents": 2}
    assert unmapped["codes"] == {"CHART//220048": 2, "LAB//51082": 1}


# --- bad input ----------------------------------------------------------------------------------------


def test_all_that_a_folder_lacks_is_told_at_once(tmp_path: Path):
    tables = {name: text for name, text in MIMIC3.items() if name != "ICUSTAYS"}
    tables["LABEVENTS"] = "        SUBJECT_ID,ITEMID,VALUE\n        7,50912,1.4"
    raw = write_tables(tables, tmp_path / "raw")
    (raw / "DIAGNOSES_ICD.csv").write_bytes(b"\xff\xfe\x00caf\xe9\n")
    with pytest.raises(SourceError) as fault:
        ingest("mimic3", raw, tmp_path)
    told = str(fault.value)
    assert str(raw) in told
    assert "no table icustays" in told
    assert "labevents.csv has no column hadm_id, charttime, valuenum, valueuom" in told.lower()
    assert "cannot read" in told and "DIAGNOSES_ICD.csv" in told


@pytest.mark.parametrize("table", ["LABEVENTS", "PATIENTS"])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, table: str):
    raw = write_mimic3(tmp_path / "raw")
    text = (raw / f"{table}.csv").read_text() * 200
    packed = gzip.compress(text.encode())
    (raw / f"{table}.csv").unlink()
    (raw / f"{table}.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=rf"cannot read .*{table}\.csv\.gz"):
        ingest("mimic3", raw, tmp_path)


def test_a_row_of_another_encoding_is_an_error_that_names_the_file(tmp_path: Path):
    raw = write_mimic3(tmp_path / "raw")
    with (raw / "PRESCRIPTIONS.csv").open("ab") as lines:
        lines.write(b"7,70,700,2130-01-01 00:00:00,MAIN,Caf\xe9ine\n")
    with pytest.raises(SourceError, match=r"cannot read .*PRESCRIPTIONS\.csv"):
        ingest("mimic3", raw, tmp_path)


def test_a_table_that_is_there_twice_is_not_guessed(tmp_path: Path):
    raw = write_mimic3(tmp_path / "raw")
    shutil.copy(raw / "LABEVENTS.csv", raw / "labevents.CSV")
    with pytest.raises(SourceError, match="labevents is there 2 times"):
        ingest("mimic3", raw, tmp_path)


def test_no_folder_and_no_path_say_what_to_do(tmp_path: Path):
    with pytest.raises(SourceError, match="no folder"):
        ingest("eicu", tmp_path / "nowhere", tmp_path)
    with pytest.raises(SourceError, match=r"source\.path"):
        ingest("eicu", None, tmp_path)


def test_pyarrow_reads_what_was_written(tmp_path: Path):
    ingest("synthetic", tmp_path, tmp_path)
    shard = next((tmp_path / "ingest" / "data").glob("*.parquet"))
    assert pq.read_schema(shard).field("time").type == pa.timestamp("us")


def test_large_tables_are_cut_into_more_shards_unless_a_recipe_says_how_many(tmp_path: Path, monkeypatch):
    raw = MINIATURES["mimic4"](tmp_path / "raw")
    shards = {}
    for name, bytes_a_shard, asked in (("small", 96 * 2**20, 0), ("large", 100, 0), ("asked", 100, 3)):
        monkeypatch.setattr(run_module, "SHARD_BYTES", bytes_a_shard)
        ingest("mimic4", raw, tmp_path / name, shards=asked)
        shards[name] = len(list((tmp_path / name / "ingest" / "data").glob("*.parquet")))
    assert shards["small"] == 8
    assert shards["large"] > 8
    assert shards["asked"] == 3
    by_subject = [events_of(tmp_path / name).sort(pl.all()) for name in shards]
    assert all(events.equals(by_subject[0]) for events in by_subject)


def test_what_was_left_of_another_number_of_shards_is_dropped(tmp_path: Path):
    """A run was killed, the tables have grown since, and more shards are asked for."""
    raw = MINIATURES["mimic3"](tmp_path / "raw")
    ingest("mimic3", raw, tmp_path / "again", shards=3)
    ingest("mimic3", raw, tmp_path / "again", shards=2)
    ingest("mimic3", raw, tmp_path / "fresh", shards=2)
    assert hash_outputs(tmp_path / "again" / "ingest") == hash_outputs(tmp_path / "fresh" / "ingest")
