"""What every measured variable does in a stay: normal, low or high, throughout or at times, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from numpy.random import Generator

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.ehr.simulation.tables import SeriesSign, measures, signatures

EXPRESSED = 0.7
USUAL_TREND = 0.75
BACKGROUND = 0.05
BACKGROUND_AT_TIMES = 0.25
BACKGROUND_TREND = 0.2
LEAST_FOR_AT_TIMES = 3
LEAST_FOR_TREND = 3
WORKED_UP = 0.2
ABSENT_WORKED_UP = 2

_PRESSURES = {1: ("systolic BP", "mean BP", "diastolic BP"), -1: ("diastolic BP", "mean BP", "systolic BP")}


@dataclass(frozen=True, slots=True)
class State:
    """How a variable leaves its reference range, and the diseases behind it (none: background)."""

    side: int
    at_times: bool
    trend: int
    causes: tuple[str, ...]


def draw_states(
    rng: Generator, present: Iterable[str], shown: Iterable[str]
) -> tuple[dict[str, State], frozenset[str], frozenset[str]]:
    """Draw the abnormal states, what is measured, and which of `shown` really show in the series.

    Diseases claim variables in random order; a claim against an earlier one is lost.
    """
    states: dict[str, State] = {}
    order = rng.permutation(sorted(shown))
    visible = frozenset([str(name) for name in order if _express(rng, states, str(name))])
    measured = _draw_measured(rng, present, states)
    _add_background(rng, states, measured)
    return states, measured, visible


def _express(rng: Generator, states: dict[str, State], name: str) -> bool:
    """Claim each sign of the disease by chance, but at least one; whether any claim stood."""
    draws = rng.random((len(signatures()[name]), 2))
    chosen = max(EXPRESSED, draws[:, 0].min())
    claims = [
        _claim(states, _usual(sign, trend), (name,))
        for sign, (draw, trend) in zip(signatures()[name], draws, strict=True)
        if draw <= chosen
    ]
    return any(claims)


def _usual(sign: SeriesSign, draw: float) -> SeriesSign:
    """The sign with the trend that is typical of the disease, or now and then with another one."""
    if draw < USUAL_TREND or not _can_trend(sign.variable) or sign.at_times:
        return sign
    others = [trend for trend in (-1, 0, 1) if trend != sign.trend]
    return replace(sign, trend=others[int(draw > (1 + USUAL_TREND) / 2)])


def _claim(states: dict[str, State], sign: SeriesSign, causes: tuple[str, ...]) -> bool:
    """Whether the variable now does just what the sign says."""
    chain = _PRESSURES[sign.side]
    if sign.variable not in chain:
        return _claim_one(states, sign, causes)
    linked = next((states[name] for name in chain if name in states), None)
    if linked and linked.side != sign.side:
        return False
    if linked:
        sign = replace(sign, at_times=linked.at_times, trend=linked.trend)
    upto = chain[: chain.index(sign.variable) + 1]
    claims = [_claim_one(states, replace(sign, variable=name), causes) for name in upto]
    return all(claims)


def _claim_one(states: dict[str, State], sign: SeriesSign, causes: tuple[str, ...]) -> bool:
    wanted = State(sign.side, sign.at_times, sign.trend, causes)
    state = states.get(sign.variable)
    if state is None:
        states[sign.variable] = wanted
        return True
    if (state.side, state.at_times, state.trend) != (sign.side, sign.at_times, sign.trend):
        return False
    added = tuple(cause for cause in causes if cause not in state.causes)
    states[sign.variable] = replace(state, causes=state.causes + added)
    return True


def _draw_measured(rng: Generator, present: Iterable[str], states: dict[str, State]) -> frozenset[str]:
    """Panels are ordered by chance, for a suspected disease, and always where a disease shows."""
    absent = [name for name in diagnosis_names() if name not in set(present)]
    suspected = [*present, *(absent[i] for i in rng.integers(0, len(absent), ABSENT_WORKED_UP))]
    panels = {panel for panel, share in _panels().items() if rng.random() < share}
    for name in suspected:
        for sign in signatures()[name]:
            if rng.random() < WORKED_UP:
                panels.add(_panel_of()[sign.variable])
    panels.update(_panel_of()[name] for name in states)
    return frozenset(row.variable for row in measures() if row.panel in panels)


def _add_background(rng: Generator, states: dict[str, State], measured: frozenset[str]) -> None:
    draws = rng.random((len(measures()), 4))
    for row, (occurs, side, at_times, trend) in zip(measures(), draws, strict=True):
        if row.variable not in measured or row.variable in states or occurs >= BACKGROUND:
            continue
        sides = [choice for choice in row.bands if choice]
        only_at_times = bool(row.least >= LEAST_FOR_AT_TIMES and at_times < BACKGROUND_AT_TIMES)
        has_trend = _can_trend(row.variable) and not only_at_times
        step = int(trend < BACKGROUND_TREND) - int(trend > 1 - BACKGROUND_TREND) if has_trend else 0
        sign = SeriesSign(row.variable, sides[int(side * len(sides))], only_at_times, step)
        _claim(states, sign, ())


@cache
def _can_trend(name: str) -> bool:
    """Whether the variable is measured often enough to show a trend."""
    return any(row.variable == name and row.least >= LEAST_FOR_TREND for row in measures())


@cache
def _panels() -> dict[str, float]:
    return {row.panel: row.ordered for row in measures()}


@cache
def _panel_of() -> dict[str, str]:
    return {row.variable: row.panel for row in measures()}
