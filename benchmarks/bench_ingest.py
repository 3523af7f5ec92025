"""Ingest: MIMIC-IV-shaped laboratory results from CSV.GZ to sorted, sharded MEDS, ours and plain pandas.

Writes `labevents.csv.gz` in the layout of MIMIC-IV 2.2 with invented rows, some 58% of them of items that are
ours, and the small tables beside it; then ingests it in a process of its own. The plain way reads the same
file with pandas, keeps the same items, converts, sorts by subject and time and writes as many shards; it is
run on the smallest size alone, for it holds the table in memory. Prints rows a second, the peak of memory of
all processes together, and the ratio.

    python benchmarks/bench_ingest.py [ROWS ...]      (in millions; 5 20 50 if none is given)
"""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl

from clinragen.clinical.codes import mapped_codes

SIZES = (5, 20, 50)
OURS = 0.58
BLOCK = 1_000_000
ROWS_A_PATIENT = 300
SHARDS_A_MILLION = 1.28
"""64 shards for 50 million rows: what one shard holds, and so what memory it takes, does not grow."""


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


def ours(raw: Path, out: Path, shards: int) -> None:
    """Ingest, as `clinragen ingest` does."""
    from clinragen.ehr.run import run
    from clinragen.recipe import Recipe

    source = {"kind": "mimic4", "path": str(raw), "shards": shards}
    run(Recipe.model_validate({"name": "bench", "source": source}), out, lambda *_: None)


def plain(raw: Path, out: Path, shards: int) -> None:
    """The same for the laboratory table, as one would write it with pandas."""
    import pandas as pd

    items = {int(code.split("//")[1]) for code in mapped_codes("mimic4") if code.startswith("LAB//")}
    rows = pd.read_csv(raw / "labevents.csv.gz")
    rows = rows[rows["itemid"].isin(items)]
    events = pd.DataFrame(
        {
            "subject_id": rows["subject_id"],
            "time": pd.to_datetime(rows["charttime"]),
            "code": "LAB//" + rows["itemid"].astype(str) + "//" + rows["valueuom"].fillna("UNK"),
            "numeric_value": pd.to_numeric(rows["valuenum"], errors="coerce").astype("float32"),
            "text_value": rows["value"].where(rows["valuenum"].isna()),
            "unit": rows["valueuom"],
            "low": rows["ref_range_lower"],
            "high": rows["ref_range_upper"],
            "hadm_id": rows["hadm_id"].astype("string"),
        }
    )
    events = events.sort_values(["subject_id", "time", "code"])
    out.mkdir(parents=True)
    for shard, share in events.groupby(events["subject_id"] % shards):
        share.to_parquet(out / f"shard-{shard:05}.parquet", index=False)


WAYS = {"ours": ours, "plain": plain}


def timed(way: str, raw: Path, shards: int) -> tuple[float, float]:
    """Seconds and the peak of memory in MB, of a process and its children."""
    out = raw.parent / way
    shutil.rmtree(out, ignore_errors=True)
    asked = json.dumps({"way": way, "raw": str(raw), "out": str(out), "shards": shards})
    begun = time.perf_counter()
    worker = subprocess.Popen([sys.executable, __file__, asked])
    peaks = [0.0]
    watcher = threading.Thread(target=_watch, args=(worker, peaks))
    watcher.start()
    if worker.wait():
        raise SystemExit(f"{way} failed")
    seconds = time.perf_counter() - begun
    watcher.join()
    shutil.rmtree(out, ignore_errors=True)
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
            shards = round(millions * SHARDS_A_MILLION)
            seconds, peak = timed("ours", raw, shards)
            rate = millions / seconds
            told = f"{seconds:.1f} s, {rate:.2f} million rows/s, peak {peak:.0f} MB"
            print(f"{millions} million rows: ours {told}", flush=True)
            if millions == min(sizes):
                plainly, held = timed("plain", raw, shards)
                told = f"{plainly:.1f} s, peak {held:.0f} MB"
                print(f"  pandas {told}: ours is {plainly / seconds:.1f} times as fast", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("{"):
        told = json.loads(sys.argv[1])
        WAYS[told["way"]](Path(told["raw"]), Path(told["out"]), told["shards"])
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
