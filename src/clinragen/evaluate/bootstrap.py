"""Intervals by the bootstrap over patients: whole patients are drawn, with all their stays.

A statistic gets weights, one row for each resample and one column for each stay (how often the stay was
drawn), and gives one value for each row. The first row is all ones: the value itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from clinragen.evaluate.metrics import NO_STAY, Values, Weights, ratio

Statistic = Callable[[Weights], Values]

CONFIDENCE = 0.95
_STAYS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95% interval and what it was counted over; NaN carries a reason."""

    value: float
    low: float
    high: float
    n: int
    reason: str = ""


def resamples(subjects: Sequence[int], samples: int, rng: Generator) -> Weights:
    """How often each stay is drawn, in the data as it is (row 0) and in each resample of the patients.

    One patient alone cannot be resampled: then there is row 0 only, and no interval.
    """
    patients, place = np.unique(np.asarray(subjects, dtype=np.int64), return_inverse=True)
    if len(patients) < 2:
        return np.ones((1, len(place)))
    drawn = rng.multinomial(len(patients), np.full(len(patients), 1 / len(patients)), size=samples)
    return np.vstack([np.ones(len(place)), drawn[:, place]]).astype(float)


def bootstrap(statistic: Statistic, weights: Weights, reason: str, n: int | None = None) -> Estimate:
    """The statistic and its percentile interval; `reason` says why there is none where it is undefined.

    `n` is what is counted over: the stays, if not given.
    """
    values = _values(statistic, weights)
    if n is None:
        return _estimate(values, reason if weights.shape[1] else NO_STAY, weights.shape[1])
    return _estimate(values, reason, n)


def difference(first: Statistic, second: Statistic, weights: Weights, reason: str) -> Estimate:
    """First minus second on the same resamples, so that what both share cancels out."""
    gaps = _values(first, weights) - _values(second, weights)
    return _estimate(gaps, reason if weights.shape[1] else NO_STAY, weights.shape[1])


def share(part: np.ndarray, whole: np.ndarray, weights: Weights, reason: str) -> Estimate:
    """The share of things counted stay by stay: `part[stay]` of `whole[stay]`; n is the things."""
    parts, wholes = part.astype(float), whole.astype(float)

    def statistic(rows: Weights) -> Values:
        return ratio(rows @ parts, rows @ wholes)

    return bootstrap(statistic, weights, reason, n=int(whole.sum()))


def _values(statistic: Statistic, weights: Weights) -> Values:
    """The statistic of every row, some rows at a time: memory stays flat as stays grow."""
    if not weights.shape[1]:
        return np.full(len(weights), np.nan)
    rows = max(1, _STAYS_AT_ONCE // weights.shape[1])
    return np.concatenate([statistic(weights[i : i + rows]) for i in range(0, len(weights), rows)])


def _estimate(values: Values, reason: str, n: int) -> Estimate:
    value, drawn = float(values[0]), values[1:][~np.isnan(values[1:])]
    if np.isnan(value):
        return Estimate(np.nan, np.nan, np.nan, n, reason)
    if not len(drawn):
        return Estimate(value, np.nan, np.nan, n, "too few patients for an interval")
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high), n)
