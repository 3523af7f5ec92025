import numpy as np
import pytest

from clinragen.evaluate.bootstrap import bootstrap, difference, resamples, share
from evaluate.invented_answers import plain_weights


def mean_of(values):
    numbers = np.array(values, float)
    return lambda weights: weights @ numbers / weights.sum(1)


def test_the_first_row_is_the_data_as_it_is():
    assert (plain_weights(5)[0] == 1).all()


def test_all_stays_of_a_patient_are_drawn_together():
    weights = resamples([7, 7, 3, 7], 100, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 0] == weights[:, 3]).all()
    assert (weights[1:, 0] + weights[1:, 2] == 2).all()  # two patients are drawn each time


def test_the_same_seed_draws_the_same_patients():
    first, second = (resamples(range(9), 20, np.random.default_rng(4)) for _ in range(2))
    assert (first == second).all()


def test_an_interval_is_about_as_wide_as_the_normal_one():
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(mean_of(values), plain_weights(400, samples=2000), "")
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_a_constant_gap_has_an_interval_without_width():
    """Both models get worse on the same resamples, so what they share cancels out."""
    values = np.random.default_rng(1).normal(size=50)
    found = difference(mean_of(values + 0.25), mean_of(values), plain_weights(50), "")
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_share_counts_things_not_stays():
    found = share(np.array([1, 0]), np.array([3, 1]), plain_weights(2), "")
    assert found.value == pytest.approx(1 / 4) and found.n == 4


def test_a_share_of_nothing_says_why():
    found = share(np.zeros(3), np.zeros(3), plain_weights(3), "no claim")
    assert np.isnan(found.value) and found.reason == "no claim"


def test_rows_at_a_time_give_the_same_as_all_at_once():
    values = np.random.default_rng(2).normal(size=5000)
    weights = plain_weights(5000, samples=60)  # 20 rows at a time
    whole = mean_of(values)(weights)[1:]
    found = bootstrap(mean_of(values), weights, "")
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(whole, [0.025, 0.975])))


def test_one_patient_has_no_interval():
    found = bootstrap(mean_of([0.2, 0.4]), resamples([5, 5], 100, np.random.default_rng(0)), "")
    assert found.value == pytest.approx(0.3) and np.isnan(found.low)
    assert found.reason == "too few patients for an interval"
