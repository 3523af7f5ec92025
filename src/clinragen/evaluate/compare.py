"""All scores of a run: the student, its controls, plain baselines and the ceiling, on the same patients."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clinragen.distill.targets import rationales
from clinragen.evaluate.answers import Answers, best_threshold, text_answers, with_threshold
from clinragen.evaluate.baselines import baseline_answers
from clinragen.evaluate.bootstrap import resamples, share
from clinragen.evaluate.ceiling import ceiling_answers
from clinragen.evaluate.checker import all_checker_scores
from clinragen.evaluate.decodings import Decoded, best_grounded, decoding_scores
from clinragen.evaluate.evidence import evidence_places, read_truth, recall_by_evidence
from clinragen.evaluate.metrics import NO_STAY, Weights
from clinragen.evaluate.names_alone import PREFIXES as NAMES_ALONE
from clinragen.evaluate.names_alone import names_alone
from clinragen.evaluate.predict import Predicted
from clinragen.evaluate.rationale import (
    CheckedRationale,
    check_prediction,
    claim_scores,
    likeness_scores,
    swap_scores,
)
from clinragen.evaluate.report.context import ROWS, STUDENT
from clinragen.evaluate.scores import (
    Scores,
    diagnosis_scores,
    difference_scores,
    label_scores,
    unparsed_score,
)
from clinragen.grounding.checker import Checker
from clinragen.recipe import Recipe
from clinragen.store import read_stays

Tell = Callable[[str, int, int], None]
STEPS = 5


@dataclass(frozen=True, slots=True)
class Compared:
    """Every score, the student's probabilities as answers, and its checked rationales."""

    scores: Scores
    probabilities: Answers
    checked: list[CheckedRationale]
    weights: Weights


def compare(recipe: Recipe, run: Path, predicted: Predicted, checker: Checker, progress: Tell) -> Compared:
    """Score everything with one patient bootstrap, so that differences are paired."""
    rng = np.random.default_rng([recipe.seed, 13])
    samples = recipe.evaluate.bootstrap
    weights = resamples([stay.subject_id for stay in predicted.held_out], samples, rng)
    progress("baselines", 1, STEPS)
    answers = _answers(recipe, run, predicted)
    progress("metrics", 2, STEPS)
    scores = _answer_scores(run, predicted, answers, weights)
    progress("checking rationales", 3, STEPS)
    checked = [
        check_prediction(p, stay, checker)
        for p, stay in zip(predicted.student, predicted.held_out, strict=True)
    ]
    progress("swap test", 4, STEPS)
    swap_weights = resamples([stay.subject_id for stay in predicted.swapped], samples, rng)
    scores |= {
        **claim_scores("held_out", checked, weights),
        **likeness_scores("held_out", predicted.student, rationales(run), weights),
        **swap_scores("held_out", predicted.swap, predicted.donors, predicted.swapped, swap_weights, checker),
        **all_checker_scores(samples, recipe.seed, checker.check),
    }
    free = Decoded(predicted.student, checked, 1)
    judged = answers["held_out/probabilities"]
    for name, drafts in predicted.decodings.items():
        decoded = best_grounded(drafts, predicted.held_out, checker)
        scores |= decoding_scores(name, decoded, free, predicted.held_out, judged, weights)
    return Compared(scores, answers["held_out/probabilities"], checked, weights)


def _answers(recipe: Recipe, run: Path, predicted: Predicted) -> dict[str, Answers]:
    """What every model of the comparison says of the held_out stays, by the prefix of its scores."""
    held_out, tuning = predicted.held_out, predicted.tuning
    train = read_stays(run / "cohort" / "stays", "train")
    student = text_answers(held_out, predicted.student)
    tuned = text_answers(tuning, predicted.student_tuning)
    threshold = best_threshold(tuned.truth, tuned.probability)
    baselines = baseline_answers(train, tuning, held_out, recipe.engine.workers)
    truth = read_truth(run)
    return {
        STUDENT.prefix: student,
        "held_out/probabilities": with_threshold(student, threshold),
        **{f"control/{name}": text_answers(held_out, said) for name, said in predicted.controls.items()},
        **{f"baseline/{name}": said for name, said in baselines.items()},
        **({} if truth is None else {"ceiling": ceiling_answers(train, tuning, held_out, truth)}),
        **names_alone(run, train, tuning, held_out),
    }


def _answer_scores(run: Path, predicted: Predicted, answers: dict[str, Answers], weights: Weights) -> Scores:
    truth = read_truth(run)
    places = None if truth is None else evidence_places(predicted.held_out, truth)
    student, chances = answers[STUDENT.prefix], answers["held_out/probabilities"]
    agrees = (student.predicted == chances.predicted).all(1)
    scores: Scores = {
        **label_scores(STUDENT.prefix, student, weights),
        **unparsed_score("held_out", predicted.student, weights),
        "held_out/diagnosis/text_is_probabilities": share(agrees, np.ones(len(agrees)), weights, NO_STAY),
    }
    for prefix in NAMES_ALONE.values():
        scores |= diagnosis_scores(prefix, answers[prefix], weights)
    for row in (row for row in ROWS if row.prefix in answers):
        scores |= diagnosis_scores(row.prefix, answers[row.prefix], weights)
        if row is not STUDENT:
            scores |= difference_scores(row.difference, student, answers[row.prefix], weights)
        if places is not None:
            scores |= recall_by_evidence(row.recall, answers[row.prefix], places, weights)
    return scores
