"""The codes of the sources -> the variables: laboratory items, charted items, test names, LOINC.

`codes.csv` holds codes without their unit, checked against the dictionaries of MIMIC and, for eICU, its
open demo. Blood only: urine and other fluids have items of their own and are not listed. A code that
`needs_own_range` measures a relative of the variable (NT-proBNP for BNP), so the common range must not
judge it: such a value counts only where its row carries the laboratory's own range. The `unit` of a code is
what its item is charted in by its name or by the range of its values; it stands in where a row has none.
"""

import csv
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from clinragen.clinical.variables import variables

SEPARATOR = "//"
SYNTHETIC = "synthetic"


def variable_of(source: str, code: str) -> str | None:
    """The variable that an event code of a source measures; None where it measures none of ours.

    The code is a whole event code (`LAB//50912//mg/dL`). The simulated hospital writes names in its codes.
    """
    parts = code.split(SEPARATOR)
    if len(parts) < 2:
        return None
    if source == SYNTHETIC:
        return parts[1] if parts[1] in variables() else None
    return mapped_codes(source).get(SEPARATOR.join(parts[:2]))


@cache
def mapped_codes(source: str) -> MappingProxyType[str, str]:
    """The variable of every mapped code of a source, codes without their unit (`LAB//50912`)."""
    return MappingProxyType({row["code"]: row["variable"] for row in _rows() if row["source"] == source})


@cache
def codes_needing_a_range(source: str) -> frozenset[str]:
    """The codes of a source whose values count only with the laboratory's own range beside them."""
    return frozenset(row["code"] for row in _rows() if row["source"] == source and row["needs_own_range"])


@cache
def units_of_codes(source: str) -> MappingProxyType[str, str]:
    """The unit of a code, without its own, for rows that have none; only of codes whose items have one."""
    return MappingProxyType({r["code"]: r["unit"] for r in _rows() if r["source"] == source and r["unit"]})


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with (files("clinragen.clinical") / "codes.csv").open(encoding="utf-8") as table:
        return tuple(csv.DictReader(table))
