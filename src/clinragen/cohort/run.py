"""The step `cohort`: event shards -> stays, how they were selected, how good the data is, what leaks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.cohort.leakage import audit
from clinragen.cohort.quality import quality
from clinragen.cohort.selection import consort
from clinragen.cohort.shard import ShardJob, build_shard
from clinragen.cohort.splits import check_splits
from clinragen.cohort.tally import Tally, added
from clinragen.cohort.windows import shared_ids
from clinragen.engine import map_shards
from clinragen.errors import CohortError, RunError
from clinragen.recipe import Recipe
from clinragen.store import write_json


def run(recipe: Recipe, run: Path, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Write `cohort/`: stays, what notes name, selection, quality and leakage as JSON; return the counts.

    Raises CohortError where no stay, no label, or no stay of some split is left.
    """
    folder = run / "cohort"
    jobs = _jobs(recipe, run / "ingest" / "data", folder)
    tallies = added(
        map_shards(build_shard, jobs, recipe.engine, folder, lambda done: progress("stays", done, len(jobs)))
    )
    selection = consort(tallies["selection"], recipe.cohort)
    stays = int(selection[-1]["after"])
    check_labels(tallies.get("labels", {}))
    check_splits(tallies["splits"])
    write_json(folder / "selection.json", selection)
    write_json(folder / "quality.json", quality(tallies, stays, recipe.cohort))
    write_json(folder / "leakage.json", audit(tallies, stays, recipe.cohort.mask))
    return counts(tallies, stays)


def _jobs(recipe: Recipe, events: Path, folder: Path) -> list[ShardJob]:
    shards = sorted(events.glob("shard-*.parquet"))
    if not shards:
        raise RunError(f"no event shards in {events}", fix="run `clinragen ingest RECIPE` first")
    shared = shared_ids(shards, recipe.cohort.unit)
    return [
        ShardJob(
            events=shard,
            stays=folder / "stays" / shard.name,
            named=folder / "named" / shard.name,
            tallies=folder / "tallies" / f"{shard.stem}.json",
            cohort=recipe.cohort,
            source=recipe.source.kind,
            seed=recipe.seed,
            codes=Path(recipe.source.codes) if recipe.source.codes else None,
            shared=shared,
        )
        for shard in shards
    ]


def check_labels(labels: Tally) -> None:
    """Raise where no stay carries any label: there would be nothing to learn."""
    if not any(labels.values()):
        raise CohortError(
            "no stay carries any of the labels",
            expected="ICD codes of at least one of: " + ", ".join(diagnosis_names()),
            fix="check the ICD9// and ICD10// events of the source",
        )


def counts(tallies: dict[str, Tally], stays: int) -> dict[str, Any]:
    """The counts for the manifest."""
    return {
        "stays": stays,
        "splits": tallies["splits"],
        "labels": {name: tallies["labels"].get(name, 0) for name in diagnosis_names()},
        "measurements": tallies["rows"]["kept"],
    }
