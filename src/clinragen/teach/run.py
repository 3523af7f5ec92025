"""The step `teach`: stays -> rationales of every split, checked, with what was rejected and why."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from clinragen.engine import map_shards, on_this_machine
from clinragen.errors import RunError
from clinragen.grounding.checker import check_that_model_is_there
from clinragen.recipe import Engine, Recipe
from clinragen.schema import VERDICTS, Fact, Stay
from clinragen.store import read_nouns, write_json
from clinragen.teach.asking import PARTS, Asking
from clinragen.teach.questions import questions
from clinragen.teach.shard import Tally, TeachJob, stays_asked, teach_shard
from clinragen.teach.teachers import TEACHERS


def run(recipe: Recipe, run: Path, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Write `teach/`: rationales, rejected and verdicts.json; return the counts.

    Rationales of held_out stays are references to compare with; no student learns from them.
    Raises EndpointError where the teacher may not be asked or cannot be reached, and CheckerError where the
    checker's model is not there.
    """
    check_that_model_is_there(recipe.grounding)
    jobs = jobs_of(recipe, run)
    _ask_first(jobs, progress)
    tallies = map_shards(
        teach_shard,
        jobs,
        _engine(recipe),
        run / "teach",
        lambda done: progress("shards of rationales", done, len(jobs)),
    )
    verdicts = summary(tallies)
    write_json(run / "teach" / "verdicts.json", verdicts)
    return verdicts


def _ask_first(jobs: list[TeachJob], progress: Callable[[str, int, int], None]) -> None:
    """Fill the ledger with the answers about all shards, so that no call waits for the end of a shard."""
    asking = jobs[0].asking
    ask = TEACHERS[asking.settings.kind].ask
    if ask is None:
        return
    wanted = asking.settings.samples * sum(_count(job) for job in jobs)
    for done, _ in enumerate(ask(questions(stays_of(jobs), asking), asking), start=1):
        progress("answers", done, wanted)


def _engine(recipe: Recipe) -> Engine:
    """Answers are read from the ledger, which stays with the run: machines cannot share an SQLite file."""
    reads_ledger = TEACHERS[recipe.teach.kind].ask is not None
    return on_this_machine(recipe.engine) if reads_ledger else recipe.engine


def stays_of(jobs: Iterable[TeachJob]) -> Iterator[Stay]:
    """The stays to ask about, shard by shard."""
    return (stay for job in jobs for stay in stays_asked(job) if stay.diagnoses is not None)


def summary(tallies: Iterable[Tally]) -> dict[str, Any]:
    """For each part: texts asked for, kept, their share, the verdicts on all claims, rejections by reason.

    Of a blind teacher also how far the diagnoses it named agree with the coded ones.
    """
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    parts: dict[str, Any] = {part: _of_part(part, total) for part in PARTS}
    return {**parts, "answer": _of_answer(total)} if total["answer/read"] else parts


def _of_answer(total: Counter[str]) -> dict[str, Any]:
    read, right = total["answer/read"], total["answer/right"]
    wrong = total["answer/added"] + total["answer/missed"]
    return {
        "read": read,
        "agreed": total["answer/agreed"],
        "share_agreed": round(total["answer/agreed"] / read, 4),
        "share_rejected": round(1 - total["answer/agreed"] / read, 4),
        "share_exact": round(total["answer/exact"] / read, 4),
        "micro_f1": round(2 * right / (2 * right + wrong), 4) if right + wrong else None,
    }


def _of_part(part: str, total: Counter[str]) -> dict[str, Any]:
    asked, kept = total[f"{part}/asked"], total[f"{part}/kept"]
    mark = f"{part}/rejected: "
    preferred = total[f"{part}/preferences"]
    return {
        "asked": asked,
        "kept": kept,
        "share_kept": round(kept / asked, 4) if asked else None,
        "claims": {verdict: total[f"{part}/{verdict}"] for verdict in VERDICTS},
        "rejected": {key.removeprefix(mark): n for key, n in sorted(total.items()) if key.startswith(mark)},
        **({"preferences": preferred} if preferred else {}),
    }


def jobs_of(recipe: Recipe, run: Path) -> list[TeachJob]:
    """One job for every shard of the cohort."""
    shards = sorted((run / "cohort" / "stays").glob("shard-*.parquet"))
    if not shards:
        raise RunError(f"no stays in {run / 'cohort' / 'stays'}", fix="run `clinragen cohort RECIPE` first")
    asking = Asking(
        settings=recipe.teach,
        credentialed=recipe.source.credentialed,
        seed=recipe.seed,
        facts=tuple(read_nouns(run / "knowledge" / "facts.jsonl", Fact)),
        ledger=run / "teach" / "ledger.sqlite",
        engine=recipe.engine,
    )
    asked = _chosen(shards, recipe.teach.stays, recipe.seed)
    return [TeachJob(shard, run / "teach", asked, asking, recipe.grounding) for shard in shards]


def _chosen(shards: list[Path], most: int, seed: int) -> frozenset[str] | None:
    """The training stays to ask about, drawn by seed and stay alone; None where all are."""
    if not most:
        return None
    train = pl.scan_parquet(shards).filter(pl.col("split") == "train").select("stay_id").collect()
    drawn = sorted(train["stay_id"], key=lambda stay_id: (zlib.crc32(f"{seed}:{stay_id}".encode()), stay_id))
    return frozenset(drawn[:most])


def _count(job: TeachJob) -> int:
    coded = pl.scan_parquet(job.stays).filter(pl.col("diagnoses").is_not_null())
    if job.asked is not None:
        coded = coded.filter((pl.col("split") != "train") | pl.col("stay_id").is_in(list(job.asked)))
    return int(coded.select(pl.len()).collect().item())
