"""Evaluate: predict once, score many, and tell it in a report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clinragen.case import case_of
from clinragen.evaluate.calibration import reliability
from clinragen.evaluate.compare import Compared, compare
from clinragen.evaluate.predict import Predicted, predict_all
from clinragen.evaluate.report.context import Case, Ingested, ReportContext, UsedFact
from clinragen.evaluate.report.render import write_report
from clinragen.evaluate.scores import write_scores
from clinragen.grounding.checker import Checker, checker_of_run
from clinragen.model.batch import examples
from clinragen.model.checkpoint import load_student
from clinragen.model.generate import facts_used
from clinragen.recipe import Recipe
from clinragen.schema import SPLITS, Fact
from clinragen.store import MANIFEST, read_json, read_nouns, write_json

HEADLINES = (
    "held_out/diagnosis/micro_f1",
    "baseline/tfidf_gbdt/micro_f1",
    "held_out/rationale/series_supported",
)


def run(recipe: Recipe, run: Path, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Write predictions, metrics.json, report.html, report.md and the worked cases to `evaluate/`."""
    folder = run / "evaluate"
    checker = checker_of_run(recipe.grounding, run)
    predicted = predict_all(recipe, run, progress)
    compared = compare(recipe, run, predicted, checker, progress)
    cases = worked_cases(recipe, run, predicted, compared)
    for case in cases:
        write_json(folder / "cases" / f"{case.stay.stay_id}.json", case_of(case.stay))
    write_scores(folder / "metrics.json", compared.scores)
    write_report(folder, _context(recipe, run, checker, compared, cases))
    headlines = {name: compared.scores[name].value for name in HEADLINES}
    return headlines | {"held_out": len(predicted.held_out), "checker": checker.name}


def worked_cases(recipe: Recipe, run: Path, predicted: Predicted, compared: Compared) -> list[Case]:
    """Some held_out stays with their note, series, text and verdicts, drawn at random and not chosen."""
    measured = [i for i, stay in enumerate(predicted.held_out) if stay.measurements]
    shuffled = np.random.default_rng([recipe.seed, 17]).permutation(measured).tolist()
    places = sorted(shuffled[: recipe.evaluate.cases])
    student = load_student(run / "distill" / "student")
    facts = {fact.fact_id: fact for fact in read_nouns(run / "knowledge" / "facts.jsonl", Fact)}
    stays = [predicted.held_out[i] for i in places]
    shown = examples(stays, [""] * len(stays), student.tokenizer, student.settings, student.hours)
    return [
        Case(
            stay=stay,
            prediction=predicted.student[i],
            checked=compared.checked[i],
            facts=[
                UsedFact(facts[use.fact_id].text, facts[use.fact_id].citation, use.variable, use.share)
                for use in facts_used(student, example)
            ],
        )
        for i, stay, example in zip(places, stays, shown, strict=True)
    ]


def _context(
    recipe: Recipe, run: Path, checker: Checker, compared: Compared, cases: list[Case]
) -> ReportContext:
    cohort = run / "cohort"
    counts = read_json(cohort / MANIFEST)["counts"]
    return ReportContext(
        recipe=recipe.name,
        source=recipe.source.kind,
        seed=recipe.seed,
        scores=compared.scores,
        mode="paper mode" if recipe.model.layout == "paper" else "clean mode",
        checker=checker.name,
        control_share=recipe.evaluate.control_share,
        reliability=reliability(compared.probabilities, compared.weights),
        selection=_read(cohort / "selection.json", []),
        splits={name: counts["splits"].get(name, 0) for name in SPLITS},
        leakage=_read(cohort / "leakage.json", None),
        quality=_read(cohort / "quality.json", {}) | {"lessons": _cut(run)},
        ingested=_ingested(run / "ingest"),
        teacher=_read(run / "teach" / "verdicts.json", None),
        cases=cases,
    )


def _ingested(folder: Path) -> Ingested:
    return Ingested(
        tables=read_json(folder / MANIFEST)["counts"].get("tables", {}),
        quarantine=_read(folder / "quarantine.json", {}),
        unmapped=_read(folder / "metadata" / "unmapped.json", {}).get("codes", {}),
    )


def _cut(run: Path) -> dict[str, int]:
    """What was left out of notes and texts that are longer than the student reads or writes."""
    counts = read_json(run / "distill" / MANIFEST)["counts"]
    return {
        f"{name} {what}": counts[name][key]
        for name in ("notes", "targets")
        for key, what in (("cut", "cut"), ("pieces_lost", "pieces left out"))
    }


def _read(path: Path, otherwise: Any) -> Any:
    return read_json(path) if path.exists() else otherwise
