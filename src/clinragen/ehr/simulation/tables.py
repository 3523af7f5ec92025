"""The tables of the simulated hospital, read once: diseases, signatures, measures, codes, words."""

import csv
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from math import prod
from typing import Any

from clinragen.clinical.diagnoses import diagnosis_names, signs

PREVALENCE_SCALE = 0.9


@dataclass(frozen=True, slots=True)
class Disease:
    """How often a diagnosis occurs, and which earlier diagnoses make it more (or less) likely.

    `base` is its probability where none of `factors` applies; its overall probability is the table's
    prevalence times PREVALENCE_SCALE.
    """

    name: str
    base: float
    factors: tuple[tuple[str, float], ...]
    is_chronic: bool
    can_resolve: bool


@dataclass(frozen=True, slots=True)
class SeriesSign:
    """One abnormality a disease may show: which variable, to which side, only at times, and its trend.

    `side` and `trend` are -1, 0 or 1 (low/high, falling/stable/rising).
    """

    variable: str
    side: int
    at_times: bool
    trend: int


@dataclass(frozen=True, slots=True)
class Measure:
    """How often a variable is measured, and between which values it is normal, low or high.

    `bands[side]` runs from the mild to the severe end, in the variable's unit; a side that does not occur
    is missing. `bands[0]` is the normal band.
    """

    variable: str
    panel: str
    ordered: float
    least: int
    most: int
    bands: dict[int, tuple[float, float]]


@cache
def diseases() -> tuple[Disease, ...]:
    """Every disease, after all the diseases that influence it."""
    rows = {row["diagnosis"]: row for row in _rows("diseases.csv")}
    factors: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in _rows("comorbidity.csv"):
        factors[row["diagnosis"]].append((row["given"], float(row["factor"])))
    wanted = {name: PREVALENCE_SCALE * float(row["prevalence"]) for name, row in rows.items()}
    order = TopologicalSorter({name: [given for given, _ in factors[name]] for name in diagnosis_names()})
    return tuple(
        Disease(
            name,
            wanted[name] / prod(1 + wanted[given] * (factor - 1) for given, factor in factors[name]),
            tuple(factors[name]),
            rows[name]["is_chronic"] == "yes",
            rows[name]["can_resolve"] == "yes",
        )
        for name in order.static_order()
    )


@cache
def signatures() -> dict[str, tuple[SeriesSign, ...]]:
    """What each disease shows in the series; a disease without a specific sign there has an empty tuple."""
    sides, trends = {"low": -1, "high": 1}, {"falling": -1, "stable": 0, "rising": 1}
    found: dict[str, list[SeriesSign]] = {name: [] for name in diagnosis_names()}
    for row in _rows("signatures.csv"):
        side, _, at_times = row["state"].partition(" ")
        sign = SeriesSign(row["variable"], sides[side], at_times == "at times", trends[row["trend"]])
        found[row["diagnosis"]].append(sign)
    return {name: tuple(rows) for name, rows in found.items()}


@cache
def measures() -> tuple[Measure, ...]:
    """One row per variable, in the order in which findings are told."""
    return tuple(
        Measure(
            row["variable"],
            row["panel"],
            float(row["ordered"]),
            int(row["least"]),
            int(row["most"]),
            {
                side: (float(row[start]), float(row[end]))
                for side, (start, end) in _BAND_COLUMNS.items()
                if row[start]
            },
        )
        for row in _rows("measures.csv")
    )


_BAND_COLUMNS = {
    0: ("normal_low", "normal_high"),
    -1: ("low_mild", "low_severe"),
    1: ("high_mild", "high_severe"),
}


@cache
def codes() -> dict[str, dict[str, tuple[str, ...]]]:
    """ICD codes by system ("ICD9", "ICD10") and diagnosis; "" holds codes of none of the labels."""
    return {
        system: {row["diagnosis"]: tuple(row[system.lower()].split("|")) for row in _rows("codes.csv")}
        for system in ("ICD9", "ICD10")
    }


@cache
def signs_of() -> dict[str, tuple[tuple[str, str], ...]]:
    """(sign, kind) pairs of each diagnosis; the kind says in which section a note tells it."""
    kinds = {row["sign"]: row["kind"] for row in _rows("sign_kinds.csv")}
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, sign in signs():
        found[name].append((sign, kinds[sign]))
    return {name: tuple(pairs) for name, pairs in found.items()}


@cache
def words() -> dict[str, Any]:
    """The sentences of the notes."""
    return tomllib.loads((files(__package__) / "notes.toml").read_text("utf-8"))


def _rows(name: str) -> list[dict[str, str]]:
    with (files(__package__) / name).open(encoding="utf-8") as table:
        return list(csv.DictReader(table))
