"""Judging the ratio of one value of a series to another: "halved", "ended higher than it began"."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from clinragen.grounding.comparing import Comparison, Place
from clinragen.grounding.quantities import badness
from clinragen.schema import Measurement, Verdict

WEAK_SIDE, STRONG_SIDE = 0.18, 0.30
"""How far a ratio may fall short of what is said of it, and how far it may go beyond."""


def judge_ratio(said: Comparison, rows: Sequence[Measurement]) -> tuple[Verdict, str]:
    """Whether some pair of values that the comparison can mean has the claimed ratio."""
    if said.days:
        after, before = (_mean_of_day(rows, day) for day in said.days)
        if after is None or not before:
            return "unverifiable", "not measured on both days"
        return (
            "supported" if _holds(said, after / before) else "contradicted"
        ), f"{before:.3g} and {after:.3g}"
    pairs = _pairs(said, rows)
    if said.is_of_badness:
        return _judge_badness(said, pairs)
    ratios = [after.value / before.value for before, after in pairs if before.value]
    if not ratios:
        return "unverifiable", "there is no such pair of values"
    if said.is_stepwise:
        is_so = all(_holds(said, ratio) for ratio in ratios)
    else:
        is_so = any(_holds(said, ratio) for ratio in ratios)
    return ("supported" if is_so else "contradicted"), f"the ratio is {ratios[-1]:.2f}"


def _judge_badness(said: Comparison, pairs: list[tuple[Measurement, Measurement]]) -> tuple[Verdict, str]:
    """Whether the later value lies farther from its range, or nearer, than the earlier one."""
    if not pairs:
        return "unverifiable", "there is no such pair of values"
    sign = 1 if said.relation == "above" else -1
    held = [(badness(after) - badness(before)) * sign > 0 for before, after in pairs]
    is_so = all(held) if said.is_stepwise else any(held)
    return ("supported" if is_so else "contradicted"), "which of the values is the worse one"


def _mean_of_day(rows: Sequence[Measurement], day: int) -> float | None:
    values = [row.value for row in rows if (row.time - rows[0].time) // timedelta(days=1) == day - 1]
    return sum(values) / len(values) if values else None


def _holds(said: Comparison, ratio: float) -> bool:
    if said.relation == "above":
        return ratio > said.factor
    if said.relation == "below":
        return ratio < said.factor
    off = ratio / said.factor - 1
    weak = off if said.factor < 1 else -off
    return -STRONG_SIDE <= weak <= WEAK_SIDE


def _pairs(said: Comparison, rows: Sequence[Measurement]) -> list[tuple[Measurement, Measurement]]:
    if said.is_stepwise or said.is_to_next:
        return list(pairwise(rows))
    is_up = said.factor > 1 or (said.factor == 1 and said.relation == "above")
    befores = _at(said.reference, rows) or ([rows[0], _peak(rows)] if said.factor < 1 else [rows[0]])
    afters = _at(said.target, rows) or (
        [rows[-1]] if said.factor == 1 else [_peak(rows) if is_up else _nadir(rows), rows[-1]]
    )
    return [(before, after) for before in befores for after in afters if before is not after]


def _at(place: Place | None, rows: Sequence[Measurement]) -> list[Measurement]:
    if place in ("peak", "nadir"):
        return [_peak(rows) if place == "peak" else _nadir(rows)]
    at = {"first": 0, "second": 1, "third": 2, "penultimate": -2, "last": -1}.get(place or "")
    return [rows[at]] if at is not None and -len(rows) <= at < len(rows) else []


def _peak(rows: Sequence[Measurement]) -> Measurement:
    return max(rows, key=lambda row: row.value)


def _nadir(rows: Sequence[Measurement]) -> Measurement:
    return min(rows, key=lambda row: row.value)
