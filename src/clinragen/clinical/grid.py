"""A stay on the hourly grid: the last value of each hour, NaN where nothing was measured."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from clinragen.schema import Measurement, TimeSeries

_HOUR = timedelta(hours=1)


def grid(
    measurements: Sequence[Measurement], start: datetime, hours: int, variables: Sequence[str]
) -> TimeSeries:
    """Put measurements on `hours` hourly rows from `start`, one column a variable, in its own unit.

    Row h holds the last value charted in [start + h, start + h + 1) hours; of values charted at the same
    moment, the largest. Values outside the grid and other variables are left out, and no value is ever
    carried to another hour.
    """
    column_of = {name: column for column, name in enumerate(variables)}
    values = np.full((hours, len(variables)), np.nan)
    cells = [
        (row.time, row.value, (row.time - start) // _HOUR, column_of[row.variable])
        for row in measurements
        if row.variable in column_of
    ]
    for _, value, hour, column in sorted(cells):
        if 0 <= hour < hours:
            values[hour, column] = value
    return TimeSeries(variables=tuple(variables), values=values)
