import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from clinragen.evaluate.answers import Answers
from clinragen.evaluate.bootstrap import bootstrap
from clinragen.evaluate.metrics import METRICS
from evaluate.invented_answers import LABELS, answers, perfect, plain_weights, random_answers

EVERY = pytest.mark.parametrize("name", METRICS)
BY_SKLEARN = {
    **{
        f"{mean}_{name}": (
            lambda a, w, of=of, mean=mean: of(a.truth, a.predicted, average=mean, sample_weight=w)
        )
        for mean in ("micro", "macro")
        for name, of in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score))
    },
    **{
        f"{mean}_{name}": (
            lambda a, w, of=of, mean=mean: of(a.truth, a.probability, average=mean, sample_weight=w)
        )
        for mean in ("micro", "macro")
        for name, of in (("auroc", roc_auc_score), ("auprc", average_precision_score))
    },
    "brier": lambda a, w: brier_score_loss(
        a.truth.ravel(), a.probability.ravel(), sample_weight=np.repeat(w, LABELS)
    ),
}


def ones(scored: Answers) -> np.ndarray:
    return np.ones((1, len(scored.truth)))


@EVERY
@pytest.mark.parametrize("seed", range(3))
def test_perfect_input_scores_best(name, seed):
    metric, scored = METRICS[name], random_answers(seed)
    best = metric.of(perfect(scored), ones(scored))[0]
    assert best == pytest.approx(1.0 if metric.is_high_best else 0.0)
    assert (metric.of(scored, ones(scored))[0] < best) == metric.is_high_best


@EVERY
@given(seed=st.integers(0, 20))
def test_the_order_of_patients_does_not_matter(name, seed):
    scored = random_answers(seed)
    order = np.random.default_rng(seed).permutation(len(scored.truth))
    turned = Answers(scored.truth[order], scored.predicted[order], scored.probability[order])
    weights = np.random.default_rng(seed).integers(0, 3, (4, len(order))).astype(float)
    assert METRICS[name].of(scored, weights) == pytest.approx(METRICS[name].of(turned, weights[:, order]))


@EVERY
def test_no_stay_gives_no_number_but_a_reason(name):
    empty = random_answers(0, stays=0)
    found = bootstrap(lambda rows: METRICS[name].of(empty, rows), plain_weights(0), METRICS[name].undefined)
    assert np.isnan(found.value) and found.n == 0
    assert found.reason == "no stay to score"


@pytest.mark.parametrize("name", BY_SKLEARN)
@pytest.mark.parametrize("seed", range(4))
def test_a_weighted_metric_agrees_with_scikit_learn(name, seed):
    scored = random_answers(seed)
    weights = np.random.default_rng(seed).integers(1, 4, len(scored.truth)).astype(float)
    assert METRICS[name].of(scored, weights[None])[0] == pytest.approx(BY_SKLEARN[name](scored, weights))


@EVERY
def test_a_weight_of_two_is_the_stay_twice(name):
    scored = random_answers(1, stays=12)
    weights = np.arange(12) % 3.0
    places = np.repeat(np.arange(12), weights.astype(int))
    repeated = Answers(scored.truth[places], scored.predicted[places], scored.probability[places])
    found = METRICS[name].of(scored, weights[None])[0]
    assert found == pytest.approx(METRICS[name].of(repeated, ones(repeated))[0], nan_ok=True)


def test_micro_counts_by_hand():
    scored = answers(truth=[[0, 1, 2], [3]], named=[[0, 1], [3, 4, 5]])
    # 3 of the 5 named are coded, 3 of the 4 coded are named, F1 = 2 * 3 / (5 + 4)
    assert METRICS["micro_precision"].of(scored, ones(scored))[0] == pytest.approx(3 / 5)
    assert METRICS["micro_recall"].of(scored, ones(scored))[0] == pytest.approx(3 / 4)
    assert METRICS["micro_f1"].of(scored, ones(scored))[0] == pytest.approx(6 / 9)


def test_macro_leaves_out_labels_that_do_not_occur():
    scored = answers(truth=[[0], [1]], named=[[0], [2]])
    # label 0: F1 1; label 1: F1 0; label 2 is named but never coded and does not count
    assert METRICS["macro_f1"].of(scored, ones(scored))[0] == pytest.approx(1 / 2)


def test_nothing_named_has_no_precision():
    scored = answers(truth=[[0]], named=[[]])
    assert np.isnan(METRICS["micro_precision"].of(scored, ones(scored))[0])
    assert METRICS["micro_f1"].of(scored, ones(scored))[0] == 0


def test_calibration_error_by_hand():
    truth = np.zeros((1, LABELS), bool)
    truth[0, :5] = True
    scored = Answers(truth, truth, np.full((1, LABELS), 0.5))
    # one bin holds all: 0.5 given, 5 of 25 = 0.2 coded
    assert METRICS["ece"].of(scored, ones(scored))[0] == pytest.approx(0.3)
