"""The metrics of the answer: a literal table of pure functions of answers and the weights of their stays.

A metric is computed for many weightings at once, one row each, so that a bootstrap is one call. Micro
pools every (stay, label) cell; macro is the mean over the labels for which the metric is defined.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from clinragen.evaluate.answers import Answers

Weights = Float[np.ndarray, "sample stay"]
Values = Float[np.ndarray, " sample"]
ByLabel = Float[np.ndarray, "sample label"]
Curve = Float[np.ndarray, "sample cut"]
BINS = 10


@dataclass(frozen=True, slots=True)
class Metric:
    """How one number is computed, which way is better, and when there is none."""

    of: Callable[[Answers, Weights], Values]
    is_high_best: bool
    undefined: str


def micro_precision(answers: Answers, weights: Weights) -> Values:
    """Share of the named diagnoses that are coded."""
    hits, _, named = _counts(answers, weights)
    return ratio(hits.sum(1), named.sum(1))


def micro_recall(answers: Answers, weights: Weights) -> Values:
    """Share of the coded diagnoses that are named."""
    hits, coded, _ = _counts(answers, weights)
    return ratio(hits.sum(1), coded.sum(1))


def micro_f1(answers: Answers, weights: Weights) -> Values:
    """Harmonic mean of micro precision and recall."""
    hits, coded, named = _counts(answers, weights)
    return ratio(2 * hits.sum(1), coded.sum(1) + named.sum(1))


def macro_precision(answers: Answers, weights: Weights) -> Values:
    """Mean precision of the labels that occur; a label that is never named counts as 0."""
    hits, coded, named = _counts(answers, weights)
    return _mean_where(np.nan_to_num(ratio(hits, named)), coded > 0)


def macro_recall(answers: Answers, weights: Weights) -> Values:
    """Mean recall of the labels that occur."""
    hits, coded, _ = _counts(answers, weights)
    return _mean_where(ratio(hits, coded), coded > 0)


def macro_f1(answers: Answers, weights: Weights) -> Values:
    """Mean F1 of the labels that occur."""
    return _mean_where(label_f1(answers, weights), _counts(answers, weights)[1] > 0)


def label_f1(answers: Answers, weights: Weights) -> ByLabel:
    """F1 of every label; NaN where it is neither coded nor named."""
    hits, coded, named = _counts(answers, weights)
    return ratio(2 * hits, coded + named)


def micro_auroc(answers: Answers, weights: Weights) -> Values:
    """Chance that a coded cell is ranked above one that is not, over all cells."""
    return _auroc(_all_cells(answers), weights)


def macro_auroc(answers: Answers, weights: Weights) -> Values:
    """Mean area under the ROC curve of the labels that both occur and do not."""
    return _mean_known(label_auroc(answers, weights))


def label_auroc(answers: Answers, weights: Weights) -> ByLabel:
    """Area under the ROC curve of every label; NaN where one class is missing."""
    return _each_label(_auroc, answers, weights)


def micro_auprc(answers: Answers, weights: Weights) -> Values:
    """Average precision over all cells."""
    return _auprc(_all_cells(answers), weights)


def macro_auprc(answers: Answers, weights: Weights) -> Values:
    """Mean average precision of the labels that occur."""
    return _mean_known(_each_label(_auprc, answers, weights))


def brier(answers: Answers, weights: Weights) -> Values:
    """Mean squared distance of the probabilities from what was coded (Brier 1950)."""
    return ratio(weights @ ((answers.probability - answers.truth) ** 2).mean(1), weights.sum(1))


def ece(answers: Answers, weights: Weights) -> Values:
    """Expected calibration error over all cells, ten bins of equal width."""
    gap = answers.probability - answers.truth
    bins = bin_of(answers.probability)
    gaps = [np.abs(weights @ np.where(bins == each, gap, 0.0).sum(1)) for each in range(BINS)]
    return ratio(np.sum(gaps, axis=0), weights.sum(1) * answers.truth.shape[1])


NO_STAY = "no stay to score"
NOT_CODED = "no stay is coded with any label"
NOT_NAMED = "nothing was named"
ONE_CLASS = "no label both occurs and does not occur"

METRICS = {
    "micro_f1": Metric(micro_f1, True, "nothing was coded and nothing was named"),
    "micro_precision": Metric(micro_precision, True, NOT_NAMED),
    "micro_recall": Metric(micro_recall, True, NOT_CODED),
    "macro_f1": Metric(macro_f1, True, NOT_CODED),
    "macro_precision": Metric(macro_precision, True, NOT_CODED),
    "macro_recall": Metric(macro_recall, True, NOT_CODED),
    "micro_auroc": Metric(micro_auroc, True, ONE_CLASS),
    "macro_auroc": Metric(macro_auroc, True, ONE_CLASS),
    "micro_auprc": Metric(micro_auprc, True, NOT_CODED),
    "macro_auprc": Metric(macro_auprc, True, NOT_CODED),
    "brier": Metric(brier, False, NO_STAY),
    "ece": Metric(ece, False, NO_STAY),
}


def ratio(
    part: Float[np.ndarray, "*shape"], whole: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """The part of the whole, NaN where there is no whole."""
    found: Float[np.ndarray, "*shape"] = np.full(part.shape, np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def bin_of(probability: Float[np.ndarray, "stay label"]) -> Int[np.ndarray, "stay label"]:
    """The number of the bin of equal width that holds each probability."""
    bins: Int[np.ndarray, "stay label"] = np.minimum((probability * BINS).astype(int), BINS - 1)
    return bins


def _counts(answers: Answers, weights: Weights) -> tuple[ByLabel, ByLabel, ByLabel]:
    """Per label the weight of the stays named rightly, coded, and named."""
    hits = answers.truth & answers.predicted
    return weights @ hits, weights @ answers.truth, weights @ answers.predicted


def _mean_where(values: ByLabel, counts: Bool[np.ndarray, "sample label"]) -> Values:
    return ratio(np.where(counts, values, 0.0).sum(1), counts.sum(1).astype(float))


def _mean_known(values: ByLabel) -> Values:
    return _mean_where(values, ~np.isnan(values))


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells to rank: whether each is coded, how likely, and the stay whose weight it has."""

    truth: Bool[np.ndarray, " cell"]
    chance: Float[np.ndarray, " cell"]
    stay: Int[np.ndarray, " cell"]


def _all_cells(answers: Answers) -> _Cells:
    stays, labels = answers.truth.shape
    return _Cells(answers.truth.ravel(), answers.probability.ravel(), np.repeat(np.arange(stays), labels))


def _each_label(score: Callable[[_Cells, Weights], Values], answers: Answers, weights: Weights) -> ByLabel:
    stays = np.arange(len(answers.truth))
    columns = zip(answers.truth.T, answers.probability.T, strict=True)
    return np.stack([score(_Cells(truth, chance, stays), weights) for truth, chance in columns], axis=1)


def _auroc(cells: _Cells, weights: Weights) -> Values:
    """The area by trapezoids: cells of the same probability count half."""
    right, wrong = _curve(cells, weights)
    area = (np.diff(wrong, axis=1) * (right[:, 1:] + right[:, :-1]) / 2).sum(1)
    return ratio(area, right[:, -1] * wrong[:, -1])


def _auprc(cells: _Cells, weights: Weights) -> Values:
    """Average precision: precision at every cut, weighted by the recall it adds."""
    right, wrong = _curve(cells, weights)
    precision = np.nan_to_num(ratio(right, right + wrong))
    return ratio((np.diff(right, axis=1) * precision[:, 1:]).sum(1), right[:, -1])


def _curve(cells: _Cells, weights: Weights) -> tuple[Curve, Curve]:
    """Weight of the cells rightly and wrongly chosen as the threshold falls from above the highest."""
    order = np.argsort(-cells.chance, kind="stable")
    cuts = np.flatnonzero(np.append(np.diff(cells.chance[order]) != 0, True))
    ranked = weights[:, cells.stay[order]]
    chosen = np.cumsum(ranked, axis=1)[:, cuts]
    ranked *= cells.truth[order]
    right = np.cumsum(ranked, axis=1)[:, cuts]
    start = np.zeros((len(weights), 1))
    return np.hstack([start, right]), np.hstack([start, chosen - right])
