"""What a model says of many stays, as arrays: the truth, the set it names, its probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from clinragen.clinical.answer import parse_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.schema import Prediction, Stay

Sets = Bool[np.ndarray, "stay label"]
Chances = Float[np.ndarray, "stay label"]


@dataclass(frozen=True, slots=True)
class Answers:
    """Of the same stays, labels in table order: what was coded, what is named, how likely each is."""

    truth: Sets
    predicted: Sets
    probability: Chances


def text_answers(stays: Sequence[Stay], predictions: Sequence[Prediction]) -> Answers:
    """The set a student wrote and the probabilities beside it; an unparsed text names nothing."""
    named = [parse_answer(prediction.text).diagnoses or frozenset() for prediction in predictions]
    return Answers(coded_sets(stays), _sets(named), probabilities(predictions))


def threshold_answers(stays: Sequence[Stay], probability: Chances, threshold: float) -> Answers:
    """Every label at least as likely as the threshold is named."""
    return Answers(coded_sets(stays), probability >= threshold, probability)


def with_threshold(answers: Answers, threshold: float) -> Answers:
    """The same probabilities, read at a threshold instead of from the text."""
    return replace(answers, predicted=answers.probability >= threshold)


def is_unparsed(predictions: Sequence[Prediction]) -> Bool[np.ndarray, " stay"]:
    """Which texts could not be read."""
    return np.array([parse_answer(prediction.text).diagnoses is None for prediction in predictions], bool)


def coded_sets(stays: Sequence[Stay]) -> Sets:
    """What each stay was coded with; a stay without known codes must not be scored."""
    return _sets([stay.diagnoses or frozenset() for stay in stays])


def probabilities(predictions: Sequence[Prediction]) -> Chances:
    """The probabilities of predictions, labels in table order."""
    names = diagnosis_names()
    rows = [[prediction.probabilities[name] for name in names] for prediction in predictions]
    return np.array(rows, float).reshape(-1, len(names))


def best_threshold(truth: Sets, probability: Chances) -> float:
    """The one threshold that gives these stays the highest micro-F1; the highest such, 0.5 without truth."""
    if not truth.any():
        return 0.5
    order = np.argsort(-probability, axis=None, kind="stable")
    chances = probability.ravel()[order]
    found = np.cumsum(truth.ravel()[order])
    f1 = 2 * found / (np.arange(1, order.size + 1) + truth.sum())
    is_cut = np.append(np.diff(chances) < 0, True)
    best = int(np.argmax(np.where(is_cut, f1, -1.0)))
    after = chances[best + 1] if best + 1 < order.size else chances[best]
    return float((chances[best] + after) / 2)


def _sets(named: Sequence[frozenset[str]]) -> Sets:
    names = diagnosis_names()
    return np.array([[name in each for name in names] for each in named], bool).reshape(-1, len(names))
