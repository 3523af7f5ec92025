"""The codes of the sources -> the variables: laboratory items, charted items, test names, LOINC.

`codes.csv` holds codes without their unit, checked against the dictionaries of MIMIC and, for eICU, its
open demo; those of LOINC against MIMIC's dictionary, the list of laboratory tests of the US Department of
Veterans Affairs (VistA, DSS extracts) and the value sets of public FHIR guides. Blood only: urine and other
fluids have items of their own and are not listed. A code that `needs_own_range` measures a relative of the
variable (NT-proBNP for BNP, troponin of high sensitivity), so the common range must not judge it: such a
value counts only where its row carries the laboratory's own range. The `unit` of a code is what its item is
charted in by its name or by the range of its values; it stands in where a row has none.
A user's own file has the same columns, without `source`, and goes before the tables.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from clinragen.clinical.units import conversions, plain_unit
from clinragen.clinical.variables import variables
from clinragen.errors import SourceError

SEPARATOR = "//"
SYNTHETIC = "synthetic"
KINDS = ("LAB", "VITAL", "CHART")
"""What codes of measurements begin with, where the source has no code system of its own."""
TABLES: Mapping[str, tuple[str, ...]] = {
    "omop": ("loinc",),
    "fhir": ("loinc",),
    "meds": ("eicu", "mimic3", "mimic4", "loinc", SYNTHETIC),
    "tables": ("loinc", SYNTHETIC),
}
"""Which tables of codes a source is read with, where it is not the one of its own name."""
OWN_COLUMNS = ("code", "variable", "unit", "needs_own_range")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a code measures; `unit` is that of rows that have none, None where nobody knows it."""

    variable: str
    unit: str | None = None
    needs_own_range: bool = False


@dataclass(frozen=True, slots=True)
class CodeBook:
    """The codes of a source, as a rule without their unit (`LAB//50912`), and what they measure."""

    entries: Mapping[str, Entry]

    def entry_of(self, code: str) -> Entry | None:
        """What an event code measures: as it stands, or without what comes after its second part."""
        whole = self.entries.get(code)
        return whole or self.entries.get(SEPARATOR.join(code.split(SEPARATOR)[:2]))

    def items(self, kind: str) -> dict[str, str]:
        """The items of a kind (`LAB`) and the variable of each."""
        beginning = kind + SEPARATOR
        return {
            code.removeprefix(beginning): entry.variable
            for code, entry in self.entries.items()
            if code.startswith(beginning)
        }


@cache
def code_book(source: str, own: Path | None = None) -> CodeBook:
    """The codes of a source, with those of the user's own file where there is one."""
    known = {code: entry for table in TABLES.get(source, (source,)) for code, entry in _table(table)}
    return CodeBook(MappingProxyType(known | (read_own_codes(own) if own else {})))


def variable_of(source: str, code: str) -> str | None:
    """The variable that an event code of a source measures; None where it measures none of ours.

    The code is a whole event code (`LAB//50912//mg/dL`). The simulated hospital writes names in its codes.
    """
    entry = code_book(source).entry_of(code)
    return None if entry is None else entry.variable


def mapped_codes(source: str) -> dict[str, str]:
    """The variable of every mapped code of a source, codes without their unit (`LAB//50912`)."""
    return {code: entry.variable for code, entry in code_book(source).entries.items()}


def codes_needing_a_range(source: str) -> frozenset[str]:
    """The codes of a source whose values count only with the laboratory's own range beside them."""
    entries = code_book(source).entries.items()
    return frozenset(code for code, entry in entries if entry.needs_own_range)


def read_own_codes(path: Path) -> dict[str, Entry]:
    """A user's own codes; SourceError with every fault of the file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            columns, rows = set(table.fieldnames or ()), list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise SourceError(f"cannot read {path}", found=str(fault), fix="check source.codes") from None
    if not {"code", "variable"} <= columns <= set(OWN_COLUMNS):
        raise SourceError(
            f"{path} is no table of codes",
            expected="the columns code and variable, and perhaps unit and needs_own_range",
            found=", ".join(sorted(columns)) or "no columns",
        )
    faults = [f"line {line}: {why}" for line, row in enumerate(rows, start=2) if (why := _fault(row))]
    if faults:
        raise SourceError(
            f"{path} cannot be used:\n  - " + "\n  - ".join(faults),
            fix="names of variables are: " + ", ".join(variables()),
        )
    return {row["code"].strip(): _entry(row) for row in rows}


def _fault(row: Mapping[str, str]) -> str | None:
    """What is wrong with a line of a user's file."""
    name, unit = (row["variable"] or "").strip(), (row.get("unit") or "").strip()
    if not (row["code"] or "").strip():
        return "no code"
    if name not in variables():
        return f"unknown variable {name!r}"
    if unit and plain_unit(unit) not in {known for of, known, *_ in conversions().iter_rows() if of == name}:
        return f"unknown unit {unit!r} of {name}"
    if (row.get("needs_own_range") or "").strip() not in ("", "yes"):
        return 'needs_own_range is "yes" or empty'
    return None


def _entry(row: Mapping[str, str]) -> Entry:
    return Entry(
        row["variable"].strip(),
        (row.get("unit") or "").strip() or None,
        bool((row.get("needs_own_range") or "").strip()),
    )


def _table(name: str) -> Iterator[tuple[str, Entry]]:
    """The codes of one table; the simulated hospital has its variables' names for codes."""
    if name == SYNTHETIC:
        yield from ((f"{kind}{SEPARATOR}{row}", Entry(row)) for kind in KINDS for row in variables())
    yield from ((row["code"], _entry(row)) for row in _rows() if row["source"] == name)


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with (files("clinragen.clinical") / "codes.csv").open(encoding="utf-8") as table:
        return tuple(csv.DictReader(table))
