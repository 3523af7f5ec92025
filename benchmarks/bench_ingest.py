"""Ingest: MIMIC-IV-shaped laboratory results from CSV.GZ to sorted, sharded MEDS, ours and plain pandas.

Writes `labevents.csv.gz` in the layout of MIMIC-IV 2.2 with invented rows, some 58% of them of items that are
ours, and the small tables beside it; then ingests it in a process of its own. The plain way makes the same
events of the same file with pandas; it is run on the smallest size alone, for it holds the table in memory.
Prints rows a second, the peak of memory of all processes together, the ratio, whether events are the same.

    python benchmarks/bench_ingest.py [ROWS ...]      (in millions; 5 20 50 if none is given)
"""

import gzip
import json
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import polars as pl

from clinragen.clinical.codes import mapped_codes

SIZES = (5, 20, 50)
OURS = 0.58
BLOCK = 1_000_000
ROWS_A_PATIENT = 300
COLUMNS = (
    "subject_id hadm_id specimen_id itemid charttime value valuenum valueuom ref_range_lower ref_range_upper"
)


def write_labs(folder: Path, millions: int) -> None:
    """Results of invented patients, 300 each, in the order of the patients."""
    rng = np.random.default_rng(0)
    mapped = [int(code.split("//")[1]) for code in mapped_codes("mimic4") if code.startswith("LAB//")]
    others = list(range(51500, 51560))
    chances = np.r_[np.full(len(mapped), OURS / len(mapped)), np.full(len(others), (1 - OURS) / len(others))]
    with gzip.open(folder / "labevents.csv.gz", "wb", compresslevel=1) as file:
        for block in range(millions):
            rows = block_of_labs(rng, np.array(mapped + others), chances, block * BLOCK)
            file.write(
                rows.write_csv(include_header=block == 0, datetime_format="%Y-%m-%d %H:%M:%S").encode()
            )


def block_of_labs(
    rng: np.random.Generator, items: np.ndarray, chances: np.ndarray, first: int
) -> pl.DataFrame:
    """A million rows."""
    place = np.arange(first, first + BLOCK)
    taken = rng.integers(0, 5_000_000, BLOCK).astype("timedelta64[m]") + np.datetime64("2150-01-01T00:00:00")
    table = pl.DataFrame(
        {
            "subject_id": 10_000_000 + place // ROWS_A_PATIENT,
            "itemid": items[rng.choice(len(items), BLOCK, p=chances)],
            "charttime": taken.astype("datetime64[us]"),
            "valuenum": rng.gamma(4, 10, BLOCK).round(1),
            "place": place,
        }
    )
    is_odd = pl.col("place") % 7 == 0
    return table.select(
        (pl.col("place") + 1).alias("labevent_id"),
        "subject_id",
        (pl.col("subject_id") + 10_000_000).alias("hadm_id"),
        (pl.col("place") // 12 + 1).alias("specimen_id"),
        "itemid",
        pl.lit(None, pl.String).alias("order_provider_id"),
        "charttime",
        (pl.col("charttime") + pl.duration(minutes=90)).alias("storetime"),
        pl.col("valuenum").cast(pl.String).alias("value"),
        "valuenum",
        pl.when(is_odd).then(pl.lit("mEq/L")).otherwise(pl.lit("mg/dL")).alias("valueuom"),
        pl.lit(10.0).alias("ref_range_lower"),
        pl.lit(60.0).alias("ref_range_upper"),
        pl.when(pl.col("valuenum") > 60).then(pl.lit("abnormal")).alias("flag"),
        pl.lit("ROUTINE").alias("priority"),
        pl.when(pl.col("place") % 11 == 0)
        .then(pl.lit('___, slightly "hemolyzed" specimen.'))
        .alias("comments"),
    )


def write_patients(folder: Path, millions: int) -> None:
    """One admission and one ICU stay for each patient."""
    count = millions * BLOCK // ROWS_A_PATIENT + 1
    known = pl.DataFrame({"subject_id": range(10_000_000, 10_000_000 + count)})
    hadm = (pl.col("subject_id") + 10_000_000).alias("hadm_id")
    times = ("2150-01-01 00:00:00", "2159-07-05 00:00:00")
    begins, ends = (pl.lit(time) for time in times)
    tables = {
        "patients": [
            pl.lit("F").alias("gender"),
            pl.lit(60).alias("anchor_age"),
            pl.lit(2150).alias("anchor_year"),
        ],
        "admissions": [hadm, begins.alias("admittime"), ends.alias("dischtime")],
        "icustays": [
            hadm,
            (pl.col("subject_id") + 20_000_000).alias("stay_id"),
            pl.lit("MICU").alias("first_careunit"),
            pl.lit("MICU").alias("last_careunit"),
            begins.alias("intime"),
            ends.alias("outtime"),
        ],
        "diagnoses_icd": [hadm, pl.lit("5849").alias("icd_code"), pl.lit(9).alias("icd_version")],
    }
    for name, columns in tables.items():
        known.select("subject_id", *columns).write_csv(folder / f"{name}.csv")
    header = "subject_id,hadm_id,stay_id,itemid,charttime,value,valuenum,valueuom\n"
    (folder / "chartevents.csv").write_text(header)


def ours(raw: Path, out: Path) -> None:
    """Ingest, as `clinragen ingest` does."""
    from clinragen.ehr.run import run
    from clinragen.recipe import Recipe

    source = {"kind": "mimic4", "path": str(raw)}
    run(Recipe.model_validate({"name": "bench", "source": source}), out, lambda *_: None)


def plain(raw: Path, out: Path) -> None:
    """The same events of the laboratory table, as one would write it with pandas.

    Text is read as text, for a column with one word in it is no column of numbers; what cannot be read is
    counted by its reason, what is not ours by its item.
    """
    import pandas as pd

    items = {code.split("//")[1] for code in mapped_codes("mimic4") if code.startswith("LAB//")}
    rows = pd.read_csv(raw / "labevents.csv.gz", usecols=COLUMNS.split(), dtype=str)
    is_ours = rows["itemid"].isin(items)
    unmapped = rows.loc[~is_ours, "itemid"].value_counts()
    rows = rows[is_ours]
    value = pd.to_numeric(rows["valuenum"], errors="coerce")
    value = value.fillna(pd.to_numeric(rows["value"], errors="coerce"))
    events = pd.DataFrame(
        {
            "subject_id": pd.to_numeric(rows["subject_id"], errors="coerce"),
            "time": pd.to_datetime(rows["charttime"], format="%Y-%m-%d %H:%M:%S", errors="coerce"),
            "code": "LAB//" + rows["itemid"] + "//" + rows["valueuom"].fillna("UNK").str.strip(),
            "numeric_value": value.astype("float32"),
            "text_value": rows["value"].where(value.isna()),
            "unit": rows["valueuom"],
            "low": pd.to_numeric(rows["ref_range_lower"], errors="coerce"),
            "high": pd.to_numeric(rows["ref_range_upper"], errors="coerce"),
            "hadm_id": rows["hadm_id"],
        }
    )
    is_bound = events["text_value"].str.match(r"\s*[<>]=?\s*\d+\.?\d*\s*$").eq(True)
    faults = {
        "no readable subject": events["subject_id"].isna(),
        "no readable time": events["time"].isna(),
        "no value": value.isna() & ~is_bound,
    }
    quarantined = {why: int(is_so.sum()) for why, is_so in faults.items()}
    events = events[~np.logical_or.reduce(list(faults.values()))].sort_values(list(events.columns))
    shards = max(8, len(rows) // 500_000)
    place = {who: zlib.crc32(str(who).encode()) % shards for who in events["subject_id"].unique()}
    (out / "data").mkdir(parents=True)
    for shard, share in events.groupby(events["subject_id"].map(place)):
        share.to_parquet(out / "data" / f"shard-{shard:05}.parquet", index=False, compression="zstd")
    told = {"quarantined": quarantined, "unmapped": unmapped.to_dict()}
    (out / "told.json").write_text(json.dumps(told))


def laboratory(out: Path) -> pl.DataFrame:
    """The laboratory events that a way has written, in one order."""
    events = pl.scan_parquet(sorted(out.rglob("shard-*.parquet")))
    is_lab = pl.col("code").str.starts_with("LAB//")
    times = pl.col("time").cast(pl.Datetime("us"))
    names = ["subject_id", "time", "code", "numeric_value", "unit", "low", "high", "hadm_id"]
    return events.filter(is_lab).with_columns(times).select(names).sort(names).collect()


WAYS = {"ours": ours, "plain": plain}


def timed(way: str, raw: Path) -> tuple[float, float]:
    """Seconds and the peak of memory in MB, of a process and its children."""
    out = raw.parent / way
    asked = json.dumps({"way": way, "raw": str(raw), "out": str(out)})
    begun = time.perf_counter()
    worker = subprocess.Popen([sys.executable, __file__, asked])
    peaks = [0.0]
    watcher = threading.Thread(target=_watch, args=(worker, peaks))
    watcher.start()
    if worker.wait():
        raise SystemExit(f"{way} failed")
    seconds = time.perf_counter() - begun
    watcher.join()
    return seconds, max(peaks)


def _watch(worker: "subprocess.Popen[bytes]", peaks: list[float]) -> None:
    while worker.poll() is None:
        peaks.append(_resident(worker.pid))
        time.sleep(0.05)


def _resident(pid: int) -> float:
    """Memory of a process and all below it, in MB (Linux)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = [line.split() for line in status.splitlines() if line.startswith("VmRSS")]
    return sum(int(line[1]) / 1024 for line in lines) + sum(_resident(int(child)) for child in children)


def main(sizes: list[int]) -> None:
    """Print a line for each size, and the plain way for the smallest."""
    for millions in sorted(sizes):
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "raw"
            raw.mkdir()
            write_labs(raw, millions)
            write_patients(raw, millions)
            seconds, peak = timed("ours", raw)
            rate = millions / seconds
            told = f"{seconds:.1f} s, {rate:.2f} million rows/s, peak {peak:.0f} MB"
            print(f"{millions} million rows: ours {told}", flush=True)
            if millions == min(sizes):
                compare(raw, seconds)


def compare(raw: Path, seconds: float) -> None:
    """Print how long pandas takes, and whether its events are the same."""
    plainly, held = timed("plain", raw)
    print(f"  pandas {plainly:.1f} s, peak {held:.0f} MB: ours is {plainly / seconds:.1f} times as fast")
    found, theirs = (laboratory(raw.parent / way) for way in WAYS)
    print(f"  {found.height} laboratory events, the same: {found.equals(theirs)}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("{"):
        told = json.loads(sys.argv[1])
        WAYS[told["way"]](Path(told["raw"]), Path(told["out"]))
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
