"""Logistic regression and gradient boosting, label by label; a label too rare to learn keeps its share."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from joblib import Parallel, delayed, parallel_config  # type: ignore[import-untyped]
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Features = Any
"""Rows of stays: a dense array, or a sparse matrix for logistic regression."""
Coded = Bool[np.ndarray, " stay"]
Chance = Float[np.ndarray, " stay"]
Model = Callable[[Features], Chance]
Table = Float[np.ndarray, "stay _"]

LEAST_OF_A_CLASS = 2
FOLDS = 4
INVERSE_PENALTY = 8.0
BOOSTING = {"max_iter": 80, "learning_rate": 0.12, "max_leaf_nodes": 4, "max_bins": 32}
"""Small trees on few bins: as good as the defaults on summaries, and five times faster."""
_CERTAIN = 1e-6


def logistic(features: Features, coded: Coded, inverse_penalty: float = INVERSE_PENALTY) -> Model:
    """Logistic regression of one label."""
    if is_rare(coded):
        return _constant(coded)
    model = _regression(inverse_penalty).fit(features, coded)
    return lambda rows: _chance(model, rows)


def logistic_out_of_fold(features: Features, coded: Coded) -> Chance:
    """For every row, the probability by a model that has not seen it."""
    if is_rare(coded):
        return np.full(len(coded), share_of(coded))
    folds = StratifiedKFold(min(FOLDS, _least_class(coded)), shuffle=True, random_state=0)
    found: Float[np.ndarray, "stay 2"] = cross_val_predict(
        _regression(INVERSE_PENALTY), features, coded, cv=folds, method="predict_proba"
    )
    return found[:, 1]


def boosting(
    tables: Sequence[Table], truth: Bool[np.ndarray, "stay label"], workers: int
) -> Callable[[Sequence[Table]], Float[np.ndarray, "row label"]]:
    """Gradient boosting of every label on the first table, and on its own column of the second if given."""
    places = range(truth.shape[1])
    with parallel_config("loky", inner_max_num_threads=1):
        fits = Parallel(n_jobs=workers)(
            delayed(_fit_boosting)(_beside(tables, place), truth[:, place]) for place in places
        )
    return lambda rows: np.stack([_boosted(fits[place], _beside(rows, place)) for place in places], axis=1)


def log_odds(chance: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The logarithm of the odds; certainty is cut at one in a million."""
    bounded = np.clip(chance, _CERTAIN, 1 - _CERTAIN)
    odds: Float[np.ndarray, "*shape"] = np.log(bounded / (1 - bounded))
    return odds


def is_rare(coded: Coded) -> bool:
    """Whether one class has too few rows to learn from."""
    return _least_class(coded) < LEAST_OF_A_CLASS


def share_of(coded: Coded) -> float:
    """How often a label is coded."""
    return float(coded.mean())


def _least_class(coded: Coded) -> int:
    return int(min(coded.sum(), (~coded).sum()))


def _constant(coded: Coded) -> Model:
    return lambda rows: np.full(rows.shape[0], share_of(coded))


def _regression(inverse_penalty: float) -> LogisticRegression:
    return LogisticRegression(C=inverse_penalty, solver="liblinear", max_iter=200, random_state=0)


def _beside(tables: Sequence[Table], place: int) -> Table:
    return np.hstack([tables[0], *(table[:, [place]] for table in tables[1:])])


def _fit_boosting(table: Table, coded: Coded) -> Any:
    """The columns that vary with a model on them, or the share of a label that cannot be learnt.

    One thread each: on shared cores the threads of one small model wait for each other most of the time.
    """
    varying = [place for place, column in enumerate(table.T) if _varies(column)]
    if is_rare(coded) or not varying:
        return share_of(coded)
    with threadpool_limits(1):
        model = HistGradientBoostingClassifier(**BOOSTING, early_stopping=False, random_state=0)
        return varying, model.fit(table[:, varying], coded)


def _boosted(fit: Any, table: Table) -> Chance:
    if isinstance(fit, float):
        return np.full(len(table), fit)
    varying, model = fit
    with threadpool_limits(1):
        return _chance(model, table[:, varying])


def _varies(column: Float[np.ndarray, " stay"]) -> bool:
    """Whether a column holds two values; scikit-learn cannot bin a column that holds none."""
    known = column[~np.isnan(column)]
    return bool(known.size and known.min() < known.max())


def _chance(model: Any, rows: Features) -> Chance:
    found: Float[np.ndarray, "stay 2"] = model.predict_proba(rows)
    return found[:, 1]
