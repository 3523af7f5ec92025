"""How sources write units, and what they are in the unit of a variable.

Every conversion is a straight line, value * scale + offset, and stands in `units.csv` with its source.
Spellings there are plain: lower case, no blanks, u for the micro sign. A unit that is not in the table is
unknown, never guessed; only INR and pH may come without one, for they have none, and FiO2, as MetaVision
charts it.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from clinragen.clinical.variables import variable as variable_named
from clinragen.errors import UnknownTermError

NO_UNIT = "UNK"
"""Stands in a code for the unit of a row that has none."""

_MICRO_SIGNS = {"\u00b5": "u", "\u03bc": "u"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """value * scale + offset is in the variable's own unit; `source` says where the numbers are from."""

    scale: float
    offset: float
    source: str


def convert(variable: str, value: float, unit: str | None) -> float:
    """A value in the unit of its variable; UnknownTermError where the variable or unit is not known."""
    line = conversion(variable, unit)
    return value * line.scale + line.offset


def conversion(variable: str, unit: str | None) -> Conversion:
    """How a unit becomes the variable's own; UnknownTermError where the variable or unit is not known."""
    own = plain_unit(variable_named(variable).unit)
    known = _table()[variable]
    try:
        return known[plain_unit(unit)]
    except KeyError:
        raise UnknownTermError(
            f"unknown unit {unit!r} of {variable}", expected=", ".join({own: None} | dict.fromkeys(known))
        ) from None


def conversions() -> pl.DataFrame:
    """Every known (variable, unit) with its scale and offset; join on `plain_units` of a column of units."""
    rows = [
        (name, unit, line.scale, line.offset)
        for name, lines in _table().items()
        for unit, line in lines.items()
    ]
    schema = {"variable": pl.String, "unit": pl.String, "scale": pl.Float64, "offset": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def plain_unit(unit: str | None) -> str:
    """The spelling of a unit as the table has it: "K / uL" is "k/ul"; no unit is "unk"."""
    text = "".join((unit or "").lower().split())
    for sign, letter in _MICRO_SIGNS.items():
        text = text.replace(sign, letter)
    return text or NO_UNIT.lower()


def plain_units(unit: pl.Expr) -> pl.Expr:
    """`plain_unit` for a column."""
    text = unit.fill_null("").str.to_lowercase().str.replace_all(r"\s+", "")
    text = text.str.replace_many(list(_MICRO_SIGNS), list(_MICRO_SIGNS.values()))
    return pl.when(text != "").then(text).otherwise(pl.lit(NO_UNIT.lower()))


@cache
def _table() -> dict[str, dict[str, Conversion]]:
    table: dict[str, dict[str, Conversion]] = {}
    with (files("clinragen.clinical") / "units.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            line = Conversion(float(row["scale"]), float(row["offset"]), row["source"])
            table.setdefault(row["variable"], {})[row["unit"]] = line
    return table
