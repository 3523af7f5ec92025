"""Judging what a text says of the course of a series."""

from collections.abc import Callable, Sequence

from clinragen.clinical.findings import level_of
from clinragen.clinical.trends import smallest_change, trend, turns
from clinragen.grounding.lexicon import SaidTrend
from clinragen.schema import Measurement, Verdict

HALF = 0.5

Answer = tuple[Verdict, str]
Rows = Sequence[Measurement]


def judge_trend_of(said: SaidTrend, rows: Rows) -> Answer:
    """The verdict on a course claimed for at least two measurements, and why."""
    return _COURSES[said](rows)


def _rising(rows: Rows) -> Answer:
    return _moving(rows, 1)


def _falling(rows: Rows) -> Answer:
    return _moving(rows, -1)


def _moving(rows: Rows, sign: int) -> Answer:
    values, step = _series(rows)
    net = (values[-1] - values[0]) * sign
    way = trend(values, step)
    reason = f"{values[0]:g} to {values[-1]:g}: {way if way != 'unknown' else 'no clear trend'}"
    if way == ("rising" if sign > 0 else "falling"):
        return "supported", reason
    return ("unverifiable" if way == "unknown" and net >= step else "contradicted"), reason


def _stable(rows: Rows) -> Answer:
    values, step = _series(rows)
    spread = max(values) - min(values)
    reason = f"spread {spread:g}"
    if spread <= step + 1e-9:
        return "supported", reason
    is_moving = trend(values, step) in ("rising", "falling", "fluctuating")
    return ("contradicted" if is_moving or spread > 2 * step else "unverifiable"), reason


def _fluctuating(rows: Rows) -> Answer:
    values, step = _series(rows)
    count = turns(values, step)
    if count >= 2:
        return "supported", f"{count} turns"
    is_steady = trend(values, step) in ("stable", "rising", "falling")
    return ("contradicted" if is_steady else "unverifiable"), f"{count} turns"


def _normalised(rows: Rows) -> Answer:
    was, now = level_of(rows[0]), level_of(rows[-1])
    is_so = was != "normal" and now == "normal"
    return ("supported" if is_so else "contradicted"), f"first {was}, last {now}"


def _improved(rows: Rows) -> Answer:
    return _compared(rows, lambda before, after, step: before - after >= step or (before > 0 and after == 0))


def _recovered(rows: Rows) -> Answer:
    """Improved, or come back by half from the worst value."""
    verdict, reason = _improved(rows)
    deepest = max(rows, key=_distance)
    lost = _distance(deepest) - min(_distance(row) for row in rows[: rows.index(deepest) + 1])
    regained = _distance(deepest) - _distance(rows[-1])
    is_so = regained >= max(lost * HALF, 1e-9)
    return ("supported", f"{deepest.value:g} to {rows[-1].value:g}") if is_so else (verdict, reason)


def _worsened(rows: Rows) -> Answer:
    return _compared(rows, lambda before, after, step: after - before >= step or (before == 0 and after > 0))


def _compared(rows: Rows, test: Callable[[float, float, float], bool]) -> Answer:
    before, after = _distance(rows[0]), _distance(rows[-1])
    _, step = _series(rows)
    reason = f"{rows[0].value:g} to {rows[-1].value:g}"
    return ("supported" if test(before, after, step - 1e-9) else "contradicted"), reason


def _series(rows: Rows) -> tuple[list[float], float]:
    values = [row.value for row in rows]
    return values, smallest_change(rows[0].variable, rows[0].unit, values[0])


def _distance(row: Measurement) -> float:
    """How far outside its range a value lies."""
    over = row.value - row.high if row.high is not None else 0.0
    under = row.low - row.value if row.low is not None else 0.0
    return max(over, under, 0.0)


_COURSES: dict[SaidTrend, Callable[[Rows], Answer]] = {
    "rising": _rising,
    "falling": _falling,
    "stable": _stable,
    "fluctuating": _fluctuating,
    "normalised": _normalised,
    "improved": _improved,
    "recovered": _recovered,
    "worsened": _worsened,
}
