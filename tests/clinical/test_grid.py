"""The hourly grid: last value of each hour, nothing invented, nothing from the future."""

from datetime import datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.grid import grid
from clinragen.schema import Measurement

START = datetime(2130, 1, 1, 6, 30)
NAMES = ("creatinine", "heart rate")


def at(minutes: float, variable: str, value: float) -> Measurement:
    return Measurement(START + timedelta(minutes=minutes), variable, value, "", None, None)


rows = st.lists(
    st.builds(at, st.integers(-120, 600), st.sampled_from([*NAMES, "BUN"]), st.integers(1, 99)), max_size=30
)


def test_an_hour_holds_its_last_value():
    series = grid([at(5, "creatinine", 1.0), at(59, "creatinine", 2.0)], START, 2, NAMES)
    assert series.variables == NAMES
    assert series.values[0, 0] == 2.0


def test_the_full_hour_belongs_to_the_next_row():
    series = grid([at(60, "creatinine", 3.0)], START, 2, NAMES)
    assert np.isnan(series.values[0, 0])
    assert series.values[1, 0] == 3.0


def test_an_hour_without_a_value_is_not_a_number_and_never_filled():
    series = grid([at(0, "creatinine", 1.0)], START, 3, NAMES)
    assert np.isnan(series.values[1:, 0]).all()
    assert np.isnan(series.values[:, 1]).all()


def test_values_before_the_start_or_past_the_grid_are_left_out():
    series = grid([at(-1, "creatinine", 1.0), at(121, "creatinine", 2.0)], START, 2, NAMES)
    assert np.isnan(series.values).all()


def test_a_stay_without_measurements_is_all_missing():
    assert grid([], START, 4, NAMES).values.shape == (4, 2)
    assert np.isnan(grid([], START, 4, NAMES).values).all()


@given(rows, st.integers(0, 9))
def test_a_later_value_never_changes_an_earlier_hour(measurements, hour):
    earlier = [row for row in measurements if row.time < START + timedelta(hours=hour)]
    everything = grid(measurements, START, 10, NAMES).values
    assert np.array_equal(everything[:hour], grid(earlier, START, 10, NAMES).values[:hour], equal_nan=True)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(measurements, random):
    shuffled = list(measurements)
    random.shuffle(shuffled)
    one, other = (grid(some, START, 10, NAMES).values for some in (measurements, shuffled))
    assert np.array_equal(one, other, equal_nan=True)


@given(rows)
def test_every_cell_is_a_value_that_was_charted_in_that_hour(measurements):
    series = grid(measurements, START, 10, NAMES)
    for hour, column in np.argwhere(~np.isnan(series.values)):
        charted = {
            row.value
            for row in measurements
            if row.variable == NAMES[column] and (row.time - START) // timedelta(hours=1) == hour
        }
        assert series.values[hour, column] in charted
