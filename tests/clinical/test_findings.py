"""Findings are arithmetic on measurements: level, count, extreme, trend, and one canonical sentence."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.findings import STATES, findings, sentence, state
from clinragen.clinical.trends import kendall_tau, smallest_change, trend, turns
from clinragen.clinical.variables import variables
from clinragen.schema import Measurement

START = datetime(2130, 1, 1)


def series(
    name: str, *values: float, low: float | None = None, high: float | None = None
) -> list[Measurement]:
    known = variables().get(name)
    unit = known.unit if known else "U"
    bounds = (low, high) if low is not None or high is not None or known is None else (known.low, known.high)
    return [
        Measurement(START + timedelta(hours=hour), name, float(value), unit, *bounds)
        for hour, value in enumerate(values)
    ]


def only(rows: list[Measurement]):
    (finding,) = findings(rows)
    return finding


def test_a_value_on_the_bound_is_normal():
    assert only(series("creatinine", 1.2)).level == "normal"  # range 0.5 to 1.2
    assert only(series("creatinine", 0.5)).level == "normal"
    assert only(series("creatinine", 1.21)).level == "high"
    assert only(series("creatinine", 0.49)).level == "low"


def test_the_range_is_the_one_the_measurement_carries_not_the_table():
    assert only(series("creatinine", 1.4, low=0.5, high=1.5)).level == "normal"


def test_an_unmeasured_variable_has_no_finding():
    assert findings([]) == ()
    assert {finding.variable for finding in findings(series("BUN", 10))} == {"BUN"}


def test_a_value_without_any_range_has_no_level():
    assert findings(series("osmolality", 300)) == ()


def test_a_missing_bound_means_no_such_side():
    assert only(series("SpO2", 100, 99)).level == "normal"  # low 92, no high bound


def test_a_variable_may_be_high_and_low_but_then_is_never_normal():
    high, low = findings(series("potassium", 5.5, 4.0, 3.0))
    assert (high.level, high.count, high.extreme) == ("high", 1, 5.5)
    assert (low.level, low.count, low.extreme, low.measured) == ("low", 1, 3.0, 3)


def test_the_extreme_is_the_worst_value_and_its_time():
    finding = only(series("creatinine", 2.0, 4.1, 3.0))
    assert (finding.extreme, finding.when) == (4.1, START + timedelta(hours=1))


def test_persistent_means_at_least_half_of_the_values():
    assert sentence(only(series("potassium", 5.2, 5.0))) == "potassium is high"  # 1 of 2
    assert sentence(only(series("potassium", 4.0, 4.2, 5.3))) == "potassium is high at times"  # 1 of 3


def test_only_a_persistent_abnormal_level_tells_its_trend():
    assert sentence(only(series("creatinine", 2.0, 3.0, 4.0))) == "creatinine is high and rising"
    assert sentence(only(series("sodium", 130, 128, 125))) == "sodium is low and falling"
    assert sentence(only(series("heart rate", 70, 80, 90))) == "heart rate is normal"


def test_findings_come_in_table_order_and_unknown_variables_last_by_name():
    rows = series("zinc", 1, high=2.0) + series("heart rate", 70) + series("amylase", 9, high=5.0)
    rows += series("creatinine", 1)
    assert [f.variable for f in findings(rows)] == ["creatinine", "heart rate", "amylase", "zinc"]


def test_one_state_for_a_variable_with_two_findings():
    assert state(findings(series("potassium", 5.5, 3.0, 3.1, 4.0))) == "low"  # 2 of 4 low, 1 of 4 high
    assert state(findings(series("potassium", 3.0, 4.0, 5.5))) == "high at times"  # a tie is told as high


def test_one_value_has_no_trend():
    assert only(series("creatinine", 4.0)).trend == "unknown"


@pytest.mark.parametrize(
    ("values", "step", "expected"),
    [
        ([10, 11], 1.0, "rising"),  # net 1 = step, tau 1
        ([11, 10], 1.0, "falling"),
        ([10, 10.9], 1.0, "stable"),  # spread 0.9
        ([10, 12, 9, 10.5], 1.0, "fluctuating"),  # net 0.5; turns at 12 and at 9
        ([10, 12, 10.5], 1.0, "unknown"),  # net 0.5, one turn only
        ([10, 14, 13, 12, 11], 1.0, "unknown"),  # net 1, tau (4 - 6) / 10
        ([0, 0], 0.0, "stable"),
    ],
)
def test_trends_follow_net_change_order_spread_and_turns(values, step, expected):
    assert trend([float(value) for value in values], float(step)) == expected


def test_the_least_change_is_told_in_the_unit_of_the_values():
    assert smallest_change("temperature", "degF", 98.0) == pytest.approx(0.9)
    assert smallest_change("temperature", "degC", 37.0) == pytest.approx(0.5)  # 0.9 / 1.8
    assert smallest_change("creatinine", "mg/dL", 2.0) == pytest.approx(0.2)
    assert smallest_change("ferritin", "ng/mL", 50.0) == pytest.approx(5.0)


def test_tau_counts_ties_as_tau_b_does():
    assert kendall_tau([1.0, 2.0, 3.0]) == 1
    assert kendall_tau([1.0, 1.0]) == 0
    assert kendall_tau([1.0, 1.0, 2.0]) == pytest.approx(2 / (3 * 2) ** 0.5)
    many = [float(value % 7) for value in range(40)]
    rises = sum(b > a for i, a in enumerate(many) for b in many[i + 1 :])
    falls = sum(b < a for i, a in enumerate(many) for b in many[i + 1 :])
    assert kendall_tau(many) == pytest.approx((rises - falls) / (780 * (rises + falls)) ** 0.5)  # 40*39/2


def test_turns_need_the_size_of_a_step():
    assert turns([0.0, 5.0, 0.0, 5.0], 2.0) == 2
    assert turns([0.0, 5.0, 4.0, 5.0, 9.0], 2.0) == 0


@given(st.lists(st.floats(0.2, 9, allow_nan=False).map(lambda x: round(x, 1)), min_size=1, max_size=30))
def test_counts_add_up_and_states_are_a_closed_set(values):
    found = findings(series("potassium", *values))
    outside = sum(value < 3.5 or value > 5.1 for value in values)
    abnormal = [finding for finding in found if finding.level != "normal"]
    assert sum(finding.count for finding in abnormal) == outside
    assert bool(abnormal) == bool(outside)
    assert state(found) in STATES


@given(st.lists(st.integers(0, 50).map(float), min_size=2, max_size=30), st.integers(1, 9).map(float))
def test_the_mirror_of_a_rise_is_a_fall(values, step):
    mirror = {"rising": "falling", "falling": "rising"}
    assert trend([-value for value in values], step) == mirror.get(trend(values, step), trend(values, step))
