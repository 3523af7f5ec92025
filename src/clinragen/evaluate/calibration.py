"""Calibration: of the cells given a probability of about p, is a share of about p coded?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clinragen.evaluate.answers import Answers
from clinragen.evaluate.bootstrap import Estimate, share
from clinragen.evaluate.metrics import BINS, Weights, bin_of


@dataclass(frozen=True, slots=True)
class Bin:
    """Cells with a probability in [low, high): their mean probability and the share coded."""

    low: float
    high: float
    predicted: float
    observed: Estimate


def reliability(answers: Answers, weights: Weights) -> Sequence[Bin]:
    """The reliability diagram over all (stay, label) cells: ten bins of equal width; empty ones left out."""
    bins = bin_of(answers.probability)
    return tuple(_bin(each, bins == each, answers, weights) for each in np.unique(bins).tolist())


def _bin(place: int, inside: np.ndarray, answers: Answers, weights: Weights) -> Bin:
    coded = (inside & answers.truth).sum(1)
    return Bin(
        low=place / BINS,
        high=(place + 1) / BINS,
        predicted=float(answers.probability[inside].mean()),
        observed=share(coded, inside.sum(1), weights, "no cell"),
    )
