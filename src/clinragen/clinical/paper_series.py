"""The series as the paper has it: eleven variables, hour by hour, judged by fences (Niu et al., ACL 2025).

Paper mode only. The fences, in the units of its research code, look like those of a box plot and are no
clinical ranges, and a variable that was never measured counts as normal there: the fault is reproduced here
and nowhere else.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float

from clinragen.clinical.grid import grid
from clinragen.schema import Stay

HOURS = 1000
"""Hourly rows of every stay; after its last one that one is repeated."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """A variable of the paper: its name there, ours, value * scale + offset in its unit, and its fences."""

    name: str
    variable: str
    scale: float
    offset: float
    low: float
    high: float


@cache
def fenced_variables() -> tuple[Fenced, ...]:
    """The eleven variables in the order of the research code."""
    with (files("clinragen.clinical") / "paper_series.csv").open(encoding="utf-8") as table:
        return tuple(
            Fenced(row["name"], row["variable"], *(float(row[key]) for key in _NUMBERS))
            for row in csv.DictReader(table)
        )


_NUMBERS = ("scale", "offset", "low", "high")


def fenced_grid(stay: Stay, hours: int = HOURS) -> Float[np.ndarray, "hour variable"]:
    """The stay hour by hour, each value scaled so that -1 and 1 are its fences; NaN = not measured."""
    rows = fenced_variables()
    values = grid(stay.measurements, stay.start, hours, tuple(row.variable for row in rows)).values
    scale, offset, low, high = (np.array([getattr(row, key) for row in rows]) for key in _NUMBERS)
    scaled: Float[np.ndarray, "hour variable"] = values * scale + offset
    between: Float[np.ndarray, "hour variable"] = (scaled - (low + high) / 2) / ((high - low) / 2)
    return between


def anomalies(stay: Stay) -> str:
    """What the paper tells its teacher of the series: the hours of each variable outside its fences."""
    columns = fenced_grid(stay).T
    return "; ".join(_told(row.name, column) for row, column in zip(fenced_variables(), columns, strict=True))


def _told(name: str, column: Float[np.ndarray, " hour"]) -> str:
    counts = {"lower": int((column < -1).sum()), "higher": int((column > 1).sum())}
    told = [f"{name} is {side} than normal {count} times" for side, count in counts.items() if count]
    return "; ".join(told) or f"{name} is normal all the time"
