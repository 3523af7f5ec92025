"""The story as a table: which steps there are, what each reads, and how one is run or skipped."""

import errno
import importlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from clinragen import __version__
from clinragen.clinical.label_file import read_labels
from clinragen.errors import RunError
from clinragen.labels import STANDARD, about
from clinragen.recipe import Recipe
from clinragen.store import MANIFEST, begin_step, fingerprint, finish_step, hash_file, read_json

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total) as a step goes on."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its package's `run.run(recipe, run, progress)` writes `run/<name>/` and returns counts."""

    name: str
    package: str
    sections: tuple[str, ...]
    inputs: tuple[str, ...]
    files: tuple[str, ...] = ()
    """Keys of the recipe that name a file whose content counts, not its name alone."""


LABELS = "cohort.labels"
"""The key of the file of labels; a step that reads it works with these labels."""

STEPS = (
    Step("ingest", "clinragen.ehr", ("source",), (), ("source.codes",)),
    Step("cohort", "clinragen.cohort", ("source", "cohort"), ("ingest",), (LABELS,)),
    Step("knowledge", "clinragen.knowledge", ("knowledge",), (), (LABELS,)),
    Step("teach", "clinragen.teach", ("source", "teach", "grounding"), ("cohort", "knowledge"), (LABELS,)),
    Step("distill", "clinragen.distill", ("model", "distill"), ("cohort", "knowledge", "teach"), (LABELS,)),
    Step(
        "evaluate",
        "clinragen.evaluate",
        ("model", "distill", "evaluate", "grounding"),
        ("ingest", "cohort", "knowledge", "teach", "distill"),
        (LABELS,),
    ),
)


TOGETHER = "distill"
"""The step that all processes of a launch do together; the others are the first one's."""


def run_folder(recipe: Recipe) -> Path:
    """Where the steps of this recipe write."""
    return Path(recipe.runs) / recipe.name


def run_step(step: Step, recipe: Recipe, progress: Progress) -> bool:
    """Run one step, or skip it where its folder is complete for this recipe; True if it ran."""
    work = partial(_run, step, recipe, progress)
    return work() if step.name == TOGETHER else _by_first(work)


def _by_first(work: Callable[[], bool]) -> bool:
    """Let the first process of a launch work while the others wait; all are told what came of it."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return work()
    from clinragen.distill.processes import all_know, alone

    return all_know(alone(work, False))


def _run(step: Step, recipe: Recipe, progress: Progress) -> bool:
    if not _by_first(lambda: _begin(step, recipe)):
        return False
    counts, seconds = _work(step, recipe, progress)
    return _by_first(lambda: _finish(step, recipe, counts, seconds))


def _begin(step: Step, recipe: Recipe) -> bool:
    run = run_folder(recipe)
    return begin_step(run / step.name, fingerprint(_what_is_read(step, recipe, run)))


def _work(step: Step, recipe: Recipe, progress: Progress) -> tuple[dict[str, Any], float]:
    began = time.monotonic()
    module = importlib.import_module(f"{step.package}.run")
    labels = read_labels(recipe.cohort.labels)
    with _room(run_folder(recipe)), about(labels if LABELS in step.files else STANDARD):
        counts: dict[str, Any] = module.run(recipe, run_folder(recipe), progress)
    return counts, time.monotonic() - began


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Tell of a full disk by one error; what was finished stays, and the same command goes on from there."""
    try:
        yield
    except Exception as fault:
        if os.strerror(errno.ENOSPC) not in str(fault) and os.strerror(errno.EDQUOT) not in str(fault):
            raise
        raise RunError(
            f"no room left where {folder} lies", fix="free some and run the same command again: it goes on"
        ) from None


def _finish(step: Step, recipe: Recipe, counts: dict[str, Any], seconds: float) -> bool:
    run = run_folder(recipe)
    read = _what_is_read(step, recipe, run)
    told = {"counts": counts, "python": platform.python_version(), "wall_seconds": round(seconds, 2)}
    finish_step(run / step.name, {"step": step.name, "fingerprint": fingerprint(read), **read, **told})
    return True


def borrow_step(step: Step, recipe: Recipe, others: Sequence[Path]) -> bool:
    """Take a step that another run has complete for the same inputs, by hard links; True if one had it."""
    return _by_first(lambda: _borrow(step, recipe, others))


def _borrow(step: Step, recipe: Recipe, others: Sequence[Path]) -> bool:
    run = run_folder(recipe)
    mark = fingerprint(_what_is_read(step, recipe, run))
    if (run / step.name).exists():
        return False
    for other in others:
        manifest = other / step.name / MANIFEST
        if manifest.exists() and read_json(manifest)["fingerprint"] == mark:
            shutil.copytree(other / step.name, run / step.name, copy_function=os.link)
            return True
    return False


def _what_is_read(step: Step, recipe: Recipe, run: Path) -> dict[str, Any]:
    sections = {name: getattr(recipe, name).model_dump() for name in step.sections}
    inputs = {name: fingerprint(read_json(run / name / MANIFEST)["outputs"]) for name in step.inputs}
    for key in step.files:
        section, name = key.split(".")
        if (path := Path(getattr(getattr(recipe, section), name))).is_file():
            inputs[key] = hash_file(path)
    return {"version": __version__, "seed": recipe.seed, "recipe": sections, "inputs": inputs}
