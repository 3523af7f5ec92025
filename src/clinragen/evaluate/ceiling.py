"""How well could anyone do? A plain model that is given the true findings and the true mentions.

Known of the simulated hospital only. What this model misses does not show in the record, or speaks for
another diagnosis as well.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from clinragen.ehr.synthetic import Truth
from clinragen.evaluate.answers import Answers, coded_sets
from clinragen.evaluate.baselines import Fitted, at_best_threshold, best_on
from clinragen.evaluate.plain_models import logistic
from clinragen.schema import Stay

INVERSE_PENALTIES = (0.1, 0.3, 1.0)


def ceiling_answers(
    train: Sequence[Stay], tuning: Sequence[Stay], held_out: Sequence[Stay], truth: Truth
) -> Answers:
    """What logistic regression on the truth says of the held_out stays; penalty chosen on tuning stays."""
    models = [fit_on_truth(train, truth, penalty) for penalty in INVERSE_PENALTIES]
    return at_best_threshold(best_on(tuning, models), tuning, held_out)


def fit_on_truth(train: Sequence[Stay], truth: Truth, inverse_penalty: float) -> Fitted:
    """One column for every true state with its trend, and for every mention by diagnosis and status.

    A variable that was not measured has no column set: missing is not normal. What cannot be seen, the
    cause of a state and where the evidence lies, is not given.
    """
    known = true_findings(truth)
    columns = CountVectorizer(analyzer=tuple, binary=True, dtype=np.float64)
    columns.fit([known[stay.stay_id] for stay in train])

    def read(stays: Sequence[Stay]) -> csr_matrix:
        return columns.transform([known[stay.stay_id] for stay in stays])

    models = [logistic(read(train), coded, inverse_penalty) for coded in coded_sets(train).T]
    return lambda stays: np.stack([model(read(stays)) for model in models], axis=1)


def true_findings(truth: Truth) -> dict[str, list[str]]:
    """For every stay its states and mentions as names, such as "sodium low falling"; none for others."""
    found: dict[str, list[str]] = defaultdict(list)
    for stay_id, variable, state, trend in truth.states.select(
        "stay_id", "variable", "state", "trend"
    ).iter_rows():
        found[stay_id].append(f"{variable} {state} {trend}")
    for stay_id, name, status in truth.mentions.select("stay_id", "diagnosis", "status").iter_rows():
        found[stay_id].append(f"{name} mentioned as {status}")
    return found
