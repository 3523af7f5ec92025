"""From states to values: irregular times over 48 hours, trends, noise, rounding."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator

from clinragen.clinical.variables import Variable, variable
from clinragen.ehr.simulation.states import State
from clinragen.ehr.simulation.tables import Measure, measures

HOURS = 48.0
NOISE_STEPS = 0.35
CLEAR_STEPS = 2.5
MILD_END = 0.1
SEVERITY_POWER = 1.5
OUTSIDE_AT_TIMES = (0.15, 0.35)
BACK_IN_RANGE = 0.15
FEWEST_FOR_BACK_IN_RANGE = 6

_PRESSURES = ("systolic BP", "mean BP", "diastolic BP")


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The values of one variable: `minutes` after the start of the stay, and `values` in its unit."""

    variable: str
    minutes: Int[np.ndarray, " value"]
    values: Float[np.ndarray, " value"]


def draw_trajectories(rng: Generator, states: dict[str, State], measured: frozenset[str]) -> list[Trajectory]:
    """Draw the values of every measured variable; a normal one never leaves its reference range."""
    chosen = [row for row in measures() if row.variable in measured]
    clocks = {panel: _draw_clock(rng, chosen, panel) for panel in dict.fromkeys(row.panel for row in chosen)}
    pressure = _draw_course(rng, clocks["vitals"].size)
    found = []
    for row in chosen:
        minutes = _thin(rng, clocks[row.panel], row)
        course = pressure if row.variable in _PRESSURES else _draw_course(rng, minutes.size)
        values = _values(rng, row, states.get(row.variable), minutes, course)
        found.append(Trajectory(row.variable, minutes, values))
    return found


@dataclass(frozen=True, slots=True)
class _Course:
    """The draws that shape one trajectory; the three blood pressures share one, so that they agree."""

    severity: float
    mild_end: float
    severe_end: float
    share_outside: float
    is_interrupted: bool
    order: Int[np.ndarray, " value"]


def _draw_course(rng: Generator, count: int) -> _Course:
    u = rng.random(5)
    low, high = OUTSIDE_AT_TIMES
    return _Course(
        float(u[0] ** SEVERITY_POWER),
        float(u[1] * MILD_END),
        float(u[2]),
        float(low + u[3] * (high - low)),
        bool(u[4] < BACK_IN_RANGE),
        rng.permutation(np.arange(1, max(count - 1, 1))),
    )


def _draw_clock(rng: Generator, rows: list[Measure], panel: str) -> Int[np.ndarray, " value"]:
    members = [row for row in rows if row.panel == panel]
    least, most = max(row.least for row in members), max(row.most for row in members)
    count = int(rng.integers(least, most + 1))
    slots = np.arange(count) + 0.1 + 0.8 * rng.random(count)
    return (slots * (HOURS * 60 / count)).astype(np.int64)


def _thin(rng: Generator, clock: Int[np.ndarray, " all"], row: Measure) -> Int[np.ndarray, " value"]:
    """A rarely repeated test is taken with some of the others of its panel; vitals are never thinned."""
    if row.panel == "vitals":
        return clock
    count = int(rng.integers(row.least, row.most + 1))
    return np.asarray(clock[_spread(clock.size, count)])


@cache
def _spread(size: int, count: int) -> Int[np.ndarray, " value"]:
    """At most `count` of `size` places, evenly apart, the first always among them."""
    return np.unique(np.linspace(0, size - 1, count).round().astype(np.int64))


def _values(
    rng: Generator,
    row: Measure,
    state: State | None,
    minutes: Int[np.ndarray, " value"],
    course: _Course,
) -> Float[np.ndarray, " value"]:
    noise = rng.uniform(-1, 1, minutes.size)
    if state is None:
        return _in_band(row, 0, np.full(minutes.size, course.severity), noise)
    inside, outside = np.full(minutes.size, 0.5), _fractions(row, state, minutes, course)
    abnormal = _in_band(row, state.side, outside, noise)
    away = _is_outside(state, minutes.size, course)
    return np.where(away, abnormal, _in_band(row, 0, inside, noise))


def _fractions(
    row: Measure, state: State, minutes: Int[np.ndarray, " value"], course: _Course
) -> Float[np.ndarray, " value"]:
    """Where in the abnormal band (0 mild, 1 severe) the variable is at each time."""
    if state.trend == 0 or minutes.size == 1:
        return np.full(minutes.size, course.severity)
    least = _least_severe_end(row.variable, state.side)
    severe_end = least + (1 - least) * course.severe_end
    ends = (course.mild_end, severe_end) if state.trend == state.side else (severe_end, course.mild_end)
    elapsed = (minutes - minutes[0]) / (minutes[-1] - minutes[0])
    return np.asarray(ends[0] + (ends[1] - ends[0]) * elapsed)


@cache
def _least_severe_end(name: str, side: int) -> float:
    """The mildest end of a trend whose change is still clear: CLEAR_STEPS times what counts as a change."""
    row = next(row for row in measures() if row.variable == name)
    start, end = row.bands[side]
    mild = start + MILD_END * (end - start)
    for share in np.linspace(0.3, 0.9, 61):
        severe = start + share * (end - start)
        step = max(variable(name).smallest_change(mild), variable(name).smallest_change(severe))
        if abs(severe - mild) >= CLEAR_STEPS * step:
            return float(share)
    return 0.9


def _is_outside(state: State, count: int, course: _Course) -> np.ndarray:
    """Which values leave the range: never the first or last where it is only at times."""
    if state.at_times:
        chosen = course.order[: max(1, int(course.share_outside * count))]
        return np.isin(np.arange(count), chosen)
    away = np.ones(count, dtype=bool)
    if course.is_interrupted and state.trend == 0 and count >= FEWEST_FOR_BACK_IN_RANGE:
        away[course.order[0]] = False
    return away


def _in_band(
    row: Measure, side: int, fraction: Float[np.ndarray, " value"], noise: Float[np.ndarray, " value"]
) -> Float[np.ndarray, " value"]:
    """Values on the printing grid, inside the band, whose noise stays below what counts as a change."""
    about, (start, end) = variable(row.variable), row.bands[side]
    unit = 10.0**-about.decimals
    levels = np.round((start + (end - start) * fraction) / unit)
    jitter = np.trunc(noise * _noise_units(about, float(levels[0]) * unit, unit))
    least, most = sorted((round(start / unit), round(end / unit)))
    return np.asarray(np.round(np.clip(levels + jitter, least, most) * unit, about.decimals))


def _noise_units(about: Variable, level: float, unit: float) -> float:
    return NOISE_STEPS * about.smallest_change(level) / unit
