"""The closed set of lab and vital variables: units, reference and plausible ranges, with their sources."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from clinragen.errors import UnknownTermError

RELATIVE_TREND_STEP = 0.10


@dataclass(frozen=True, slots=True)
class Variable:
    """One lab test or vital sign; a bound of None means the range has no such side.

    `trend_step` is the least change, in the variable's unit, that counts as a change; None means 10% of
    the first value. `decimals` is how precisely a laboratory prints it.
    """

    name: str
    unit: str
    kind: Literal["lab", "vital"]
    low: float | None
    high: float | None
    low_female: float | None
    high_female: float | None
    plausible_low: float
    plausible_high: float
    trend_step: float | None
    decimals: int
    range_source: str

    @property
    def has_range(self) -> bool:
        """Whether a value can be found high, low or normal at all."""
        return self.low is not None or self.high is not None

    def reference_range(self, sex: str | None) -> tuple[float | None, float | None]:
        """The range for this sex; where the sexes differ and sex is unknown, the widest of both."""
        if self.low_female is None and self.high_female is None:
            return self.low, self.high
        if sex == "female":
            return self.low_female, self.high_female
        if sex == "male":
            return self.low, self.high
        return _widest(min, self.low, self.low_female), _widest(max, self.high, self.high_female)

    def is_plausible(self, value: float) -> bool:
        """Whether a living adult could have this value; others are quarantined, never clipped."""
        return self.plausible_low <= value <= self.plausible_high

    def smallest_change(self, first: float) -> float:
        """The least difference from `first` that counts as rising or falling."""
        return abs(first) * RELATIVE_TREND_STEP if self.trend_step is None else self.trend_step


def _widest(pick: Callable[[float, float], float], a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else pick(a, b)


def _number(text: str) -> float | None:
    return float(text) if text else None


@cache
def variables() -> MappingProxyType[str, Variable]:
    """Every variable by name, in the fixed order in which findings are told."""
    with (files("clinragen.clinical") / "variables.csv").open(encoding="utf-8") as table:
        rows = [
            Variable(
                name=row["name"],
                unit=row["unit"],
                kind="lab" if row["kind"] == "lab" else "vital",
                low=_number(row["low"]),
                high=_number(row["high"]),
                low_female=_number(row["low_female"]),
                high_female=_number(row["high_female"]),
                plausible_low=float(row["plausible_low"]),
                plausible_high=float(row["plausible_high"]),
                trend_step=_number(row["trend_step"]),
                decimals=int(row["decimals"]),
                range_source=row["range_source"],
            )
            for row in csv.DictReader(table)
        ]
    return MappingProxyType({row.name: row for row in rows})


@cache
def judged_variables() -> MappingProxyType[str, Variable]:
    """The variables with a reference range: of these, and no others, there are findings."""
    return MappingProxyType({name: row for name, row in variables().items() if row.has_range})


def variable(name: str) -> Variable:
    """The variable of this name, or an error that lists what there is."""
    try:
        return variables()[name]
    except KeyError:
        raise UnknownTermError(
            f"unknown variable {name!r}", expected=", ".join(variables()), fix="use one of these names"
        ) from None
