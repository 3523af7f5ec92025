"""Which way a series of values goes: net change, order of the values, spread and turns."""

from collections.abc import Sequence

import numpy as np

from clinragen.clinical.variables import RELATIVE_TREND_STEP, variables
from clinragen.schema import Trend

SMALLEST_TAU = 0.3
_TOLERANCE = 1e-9
_FEW = 12
_DEGF_PER_DEGC = 1.8


def trend(values: Sequence[float], step: float) -> Trend:
    """The trend of values in order of time; `step` is the least change that counts, in their unit.

    Rising and falling need a net change of a step and an order that agrees (Kendall's tau); stable is a
    whole spread within a step; fluctuating is no net change and two turns. Everything else, and fewer
    than two values, is unknown.
    """
    if len(values) < 2:
        return "unknown"
    net = values[-1] - values[0]
    if abs(net) >= step - _TOLERANCE and net:
        return _direction(values, net)
    if max(values) - min(values) <= step + _TOLERANCE:
        return "stable"
    return "fluctuating" if turns(values, step) >= 2 else "unknown"


def smallest_change(name: str, unit: str, first: float) -> float:
    """The least difference from `first` that counts as a change; 10% for variables that no table holds."""
    known = variables().get(name)
    if known is None:
        return abs(first) * RELATIVE_TREND_STEP
    step = known.smallest_change(first)
    return step / _DEGF_PER_DEGC if (known.unit, unit) == ("degF", "degC") else step


def kendall_tau(values: Sequence[float]) -> float:
    """Kendall's tau-b of values against their order; 0 where all values are equal."""
    n = len(values)
    pairs = n * (n - 1) // 2
    rises, falls = _pairs_few(values) if n <= _FEW else _pairs_many(values)
    untied = rises + falls
    return (rises - falls) / (pairs * untied) ** 0.5 if untied else 0.0


def turns(values: Sequence[float], step: float) -> int:
    """How often the series turns round by at least a step."""
    least = max(step - _TOLERANCE, _TOLERANCE)
    count, way, low, high = 0, 0, values[0], values[0]
    for value in values:
        if way >= 0 and high - value >= least:
            count, way, low = count + (way > 0), -1, value
        elif way <= 0 and value - low >= least:
            count, way, high = count + (way < 0), 1, value
        low, high = min(low, value), max(high, value)
    return count


def _direction(values: Sequence[float], net: float) -> Trend:
    tau = kendall_tau(values)
    if net > 0 and tau >= SMALLEST_TAU:
        return "rising"
    return "falling" if net < 0 and tau <= -SMALLEST_TAU else "unknown"


def _pairs_few(values: Sequence[float]) -> tuple[int, int]:
    rises = falls = 0
    for i, earlier in enumerate(values):
        for later in values[i + 1 :]:
            rises += later > earlier
            falls += later < earlier
    return rises, falls


def _pairs_many(values: Sequence[float]) -> tuple[int, int]:
    """The same, row by row, so that memory stays flat for long series."""
    array = np.asarray(values)
    rises = sum(int(np.count_nonzero(array[i + 1 :] > array[i])) for i in range(len(array) - 1))
    falls = sum(int(np.count_nonzero(array[i + 1 :] < array[i])) for i in range(len(array) - 1))
    return rises, falls
