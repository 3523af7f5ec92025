"""The step `teach`: stays -> rationales of every split, checked, with what was rejected and why."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl

from clinragen.engine import map_shards
from clinragen.errors import RunError
from clinragen.recipe import Recipe
from clinragen.schema import VERDICTS, Fact
from clinragen.store import read_nouns, write_json
from clinragen.teach.asking import PARTS, Asking
from clinragen.teach.shard import Tally, TeachJob, teach_shard
from clinragen.teach.teachers import TEACHERS


def run(recipe: Recipe, run: Path, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Write `teach/`: rationales, rejected and verdicts.json; return the counts.

    Rationales of held_out stays are references to compare with; no student learns from them.
    Raises TeacherError where the teacher may not be asked or cannot be reached.
    """
    jobs = _jobs(recipe, run)
    workers = recipe.engine.workers if TEACHERS[recipe.teach.kind].in_processes else 1
    tallies = map_shards(
        teach_shard, jobs, workers, lambda done: progress("shards of rationales", done, len(jobs))
    )
    verdicts = summary(tallies)
    write_json(run / "teach" / "verdicts.json", verdicts)
    return verdicts


def summary(tallies: Iterable[Tally]) -> dict[str, Any]:
    """For each part: texts asked for, kept, their share, the verdicts on all claims, rejections by reason."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return {part: _of_part(part, total) for part in PARTS}


def _of_part(part: str, total: Counter[str]) -> dict[str, Any]:
    asked, kept = total[f"{part}/asked"], total[f"{part}/kept"]
    mark = f"{part}/rejected: "
    return {
        "asked": asked,
        "kept": kept,
        "share_kept": round(kept / asked, 4) if asked else None,
        "claims": {verdict: total[f"{part}/{verdict}"] for verdict in VERDICTS},
        "rejected": {key.removeprefix(mark): n for key, n in sorted(total.items()) if key.startswith(mark)},
    }


def _jobs(recipe: Recipe, run: Path) -> list[TeachJob]:
    shards = sorted((run / "cohort" / "stays").glob("shard-*.parquet"))
    if not shards:
        raise RunError(f"no stays in {run / 'cohort' / 'stays'}", fix="run `clinragen cohort RECIPE` first")
    asking = Asking(
        settings=recipe.teach,
        credentialed=recipe.source.credentialed,
        seed=recipe.seed,
        facts=tuple(read_nouns(run / "knowledge" / "facts.jsonl", Fact)),
        ledger=run / "teach" / "ledger.sqlite",
    )
    asked = _chosen(shards, recipe.teach.stays, recipe.seed)
    return [TeachJob(shard, run / "teach", asked, asking) for shard in shards]


def _chosen(shards: list[Path], most: int, seed: int) -> frozenset[str] | None:
    """The training stays to ask about, drawn by seed and stay alone; None where all are."""
    if not most:
        return None
    train = pl.scan_parquet(shards).filter(pl.col("split") == "train").select("stay_id").collect()
    drawn = sorted(train["stay_id"], key=lambda stay_id: (zlib.crc32(f"{seed}:{stay_id}".encode()), stay_id))
    return frozenset(drawn[:most])
