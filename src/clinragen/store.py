"""Run folders: atomic writes, a manifest written last, typed reads.

`runs/<name>/<step>/` is complete when its manifest.json is there; the manifest holds the fingerprint of
what the step read (recipe sections, input contents, version). Same fingerprint: nothing to do, or work
to finish. Other fingerprint: the folder is cleared, except for the ledger, which is keyed by content.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from clinragen.errors import RunError
from clinragen.schema import Document, Fact, Measurement, Prediction, Quote, Rationale, Split, Stay

MANIFEST = "manifest.json"
STARTED = "started.json"
KEPT_ALWAYS = "ledger.sqlite"
DRAFT = ".part"

Noun = TypeVar("Noun", Fact, Rationale, Document)

_MEASUREMENT = pl.Struct(
    {
        "time": pl.Datetime("us"),
        "variable": pl.String,
        "value": pl.Float64,
        "unit": pl.String,
        "low": pl.Float64,
        "high": pl.Float64,
    }
)
_STAY: dict[str, Any] = {
    "stay_id": pl.String,
    "subject_id": pl.Int64,
    "source": pl.String,
    "split": pl.String,
    "start": pl.Datetime("us"),
    "prediction_time": pl.Datetime("us"),
    "sex": pl.String,
    "age": pl.Float64,
    "note": pl.String,
    "note_is_composed": pl.Boolean,
    "measurements": pl.List(_MEASUREMENT),
    "diagnoses": pl.List(pl.String),
}


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary name to write to; renamed to `path` only when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}{DRAFT}")
    try:
        yield draft
        with draft.open("rb") as done:
            os.fsync(done.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file all at once or not at all."""
    with written(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write JSON all at once or not at all; keys in the order given."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run folder."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"missing {path}", fix="run the step that writes it, or `clinragen run RECIPE`"
        ) from None


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a Parquet file all at once or not at all."""
    with written(path) as draft:
        table.write_parquet(draft, compression="zstd")


def write_stays(path: Path, stays: Iterable[Stay]) -> None:
    """Write stays as one Parquet shard."""
    rows = [
        {
            **{name: getattr(stay, name) for name in _STAY},
            "measurements": [row._asdict() for row in stay.measurements],
            "diagnoses": None if stay.diagnoses is None else sorted(stay.diagnoses),
        }
        for stay in stays
    ]
    write_table(path, pl.DataFrame(rows, schema=_STAY))


def read_stays(folder: Path, split: Split | None = None) -> list[Stay]:
    """Read the stays of a folder of shards (`cohort/stays`), of one split or of all, ordered by stay_id."""
    shards = sorted(folder.glob("*.parquet"))
    if not shards:
        raise RunError(f"no stays in {folder}", fix="run `clinragen cohort RECIPE` first")
    table = pl.scan_parquet(shards)
    if split is not None:
        table = table.filter(pl.col("split") == split)
    return [_stay(row) for row in table.sort("stay_id").collect().iter_rows(named=True)]


def read_stay_shard(path: Path) -> list[Stay]:
    """Read the stays of one shard file, in the order they were written."""
    return [_stay(row) for row in pl.read_parquet(path).iter_rows(named=True)]


def _stay(row: dict[str, Any]) -> Stay:
    row["measurements"] = tuple(Measurement(**values) for values in row["measurements"])
    row["diagnoses"] = None if row["diagnoses"] is None else frozenset(row["diagnoses"])
    return Stay(**row)


def write_nouns(path: Path, nouns: Iterable[Fact] | Iterable[Rationale] | Iterable[Document]) -> None:
    """Write facts, rationales or documents as JSON lines."""
    lines = [json.dumps(asdict(noun), ensure_ascii=False) for noun in nouns]
    write_text(path, "".join(line + "\n" for line in lines))


def read_nouns(path: Path, noun: type[Noun]) -> list[Noun]:
    """Read facts, rationales or documents from JSON lines."""
    if not path.exists():
        raise RunError(f"missing {path}", fix="run the step that writes it, or `clinragen run RECIPE`")
    names = {field.name for field in fields(noun)}
    with path.open(encoding="utf-8") as lines:
        return [noun(**_noun_values(json.loads(line), names)) for line in lines]


def _noun_values(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The fields of a noun that the row has, JSON's lists as tuples, its quotes as nouns."""
    return {name: _noun_value(name, row[name]) for name in names if name in row}


def _noun_value(name: str, value: Any) -> Any:
    if name == "quotes":
        return tuple(Quote(**quote) for quote in value)
    return tuple(value) if isinstance(value, list) else value


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write predictions as Parquet, the probabilities as one column per diagnosis."""
    rows = [
        {"stay_id": p.stay_id, "text": p.text, "model_id": p.model_id, **p.probabilities} for p in predictions
    ]
    write_table(path, pl.DataFrame(rows, schema=None if rows else ["stay_id", "text", "model_id"]))


def read_predictions(path: Path) -> list[Prediction]:
    """Read what `write_predictions` wrote."""
    if not path.exists():
        raise RunError(f"missing {path}", fix="run `clinragen evaluate RECIPE`")
    plain = {"stay_id", "text", "model_id"}
    return [
        Prediction(
            stay_id=row["stay_id"],
            text=row["text"],
            model_id=row["model_id"],
            probabilities={name: p for name, p in row.items() if name not in plain},
        )
        for row in pl.read_parquet(path).iter_rows(named=True)
    ]


def hash_file(path: Path) -> str:
    """A short hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def fingerprint(value: object) -> str:
    """A short stable hash of anything JSON can hold."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def begin_step(folder: Path, mark: str) -> bool:
    """Ready `folder` for a step with this fingerprint; False if it is already complete."""
    manifest = folder / MANIFEST
    if manifest.exists() and read_json(manifest)["fingerprint"] == mark:
        return False
    started = folder / STARTED
    if not started.exists() or read_json(started)["fingerprint"] != mark:
        _clear(folder)
        write_json(started, {"fingerprint": mark})
    return True


def _clear(folder: Path) -> None:
    if not folder.exists():
        return
    (folder / MANIFEST).unlink(missing_ok=True)
    (folder / STARTED).unlink(missing_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif not entry.name.startswith(KEPT_ALWAYS):
            entry.unlink()


def finish_step(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, last, with the hash of every output; drafts of workers that were killed go."""
    for draft in folder.rglob(f".*{DRAFT}"):
        draft.unlink(missing_ok=True)
    write_json(folder / MANIFEST, {**manifest, "outputs": hash_outputs(folder)})


def hash_outputs(folder: Path) -> dict[str, str]:
    """The content hash of every file of a step that counts as output."""
    skipped = {MANIFEST, STARTED}
    return {
        str(path.relative_to(folder)): hash_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in skipped
        and not path.name.startswith((".", KEPT_ALWAYS))
        and "checkpoints" not in path.parts
    }
