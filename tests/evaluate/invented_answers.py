"""Invented answers over the 25 labels, and predictions that say them."""

from collections.abc import Iterable

import numpy as np

from clinragen.clinical.answer import compose_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.evaluate.answers import Answers
from clinragen.evaluate.bootstrap import resamples
from clinragen.evaluate.metrics import Weights
from clinragen.schema import Prediction

LABELS = len(diagnosis_names())
ONE = np.ones((1, 2))


def answers(truth: Iterable[Iterable[int]], named: Iterable[Iterable[int]], chance: float = 0.9) -> Answers:
    """Stays by the places of their coded and named labels; a named label is this likely."""
    coded, said = _sets(truth), _sets(named)
    return Answers(coded, said, np.where(said, chance, 1 - chance))


def random_answers(seed: int, stays: int = 40) -> Answers:
    """Probabilities with many ties that know something of the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random((stays, LABELS)) < 0.3
    chance = np.round(np.clip(0.3 * truth + 0.7 * rng.random((stays, LABELS)), 0, 1), 1)
    return Answers(truth, chance >= 0.5, chance)


def perfect(truth: Answers) -> Answers:
    """What knows the truth."""
    return Answers(truth.truth, truth.truth, truth.truth.astype(float))


def plain_weights(stays: int, samples: int = 50) -> Weights:
    """Every stay is a patient of its own."""
    return resamples(list(range(stays)), samples, np.random.default_rng(0))


def prediction(stay_id: str = "a", text: str = "", chance: float = 0.5) -> Prediction:
    """A prediction with the same probability for every label."""
    return Prediction(stay_id, dict.fromkeys(diagnosis_names(), chance), text, "m")


def written(
    diagnoses: Iterable[str] = (), note: str = "", series: str = "", stay_id: str = "a"
) -> Prediction:
    """A prediction with a text that can be read."""
    return prediction(stay_id, compose_answer(diagnoses, note, series))


def _sets(places: Iterable[Iterable[int]]) -> np.ndarray:
    chosen = [set(each) for each in places]
    return np.array([[place in each for place in range(LABELS)] for each in chosen], bool).reshape(-1, LABELS)
