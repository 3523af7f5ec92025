"""ICD-9-CM and ICD-10-CM codes -> the closed set of diagnoses, by AHRQ's CCS groups or beginnings of codes.

The tables are AHRQ's Clinical Classifications Software, single level (public domain), made by
`scripts/make_icd_tables.py`; ICD-9 of 2015, ICD-10 of 2019. Codes are written without dots.
"""

import csv
import gzip
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from clinragen.clinical.diagnoses import diagnoses
from clinragen.labels import per_labels

System = Literal["icd9", "icd10"]

_CATEGORY_LENGTH = 3
_PAST_EVERY_CODE = "~"


@dataclass(frozen=True, slots=True)
class Grouping:
    """The CCS group of a code, and how it is known; None where it is not.

    `listed`: the table has the code. `inherited`: it has not, but every code it lists under the same
    beginning is of one group (category headings, and ICD-10 codes newer than the table).
    """

    ccs: int | None
    origin: Literal["listed", "inherited", "unknown"]


def labels_of(codes: Iterable[tuple[System, str]]) -> frozenset[str]:
    """The diagnoses a stay was coded with; codes of other groups, and unknown codes, give none."""
    return frozenset(name for system, code in codes for name in _labels_of(system, plain_code(code)))


@per_labels
def labels_of_event(code: str) -> frozenset[str]:
    """The labels that an event code means: one of theirs, or what one of theirs begins up to a `//`."""
    return frozenset(
        label.name
        for label in diagnoses()
        if any(code == whole or code.startswith(f"{whole}//") for whole in label.meds)
    )


def plain_code(code: str) -> str:
    """A code as the tables write it: in capitals, without dots and blanks."""
    return code.replace(".", "").strip().upper()


@cache
def table_groups() -> frozenset[int]:
    """Every group of either table."""
    return frozenset(_table("icd9").values()) | frozenset(_table("icd10").values())


@cache
def grouping(system: System, code: str) -> Grouping:
    """The CCS group of one code; an ICD-10 code newer than the table inherits where that is unambiguous."""
    plain = plain_code(code)
    if (ccs := _table(system).get(plain)) is not None:
        return Grouping(ccs, "listed")
    shortest = len(plain) if system == "icd9" else _CATEGORY_LENGTH
    for length in range(len(plain), max(shortest, _CATEGORY_LENGTH) - 1, -1):
        groups = _groups_under(system, plain[:length])
        if groups:
            return Grouping(groups.pop(), "inherited") if len(groups) == 1 else Grouping(None, "unknown")
    return Grouping(None, "unknown")


def _groups_under(system: System, beginning: str) -> set[int]:
    known, table = _sorted_codes(system), _table(system)
    first = bisect_left(known, beginning)
    last = bisect_left(known, beginning + _PAST_EVERY_CODE)
    return {table[code] for code in known[first:last]}


@per_labels
def _labels_of(system: System, plain: str) -> tuple[str, ...]:
    """The labels of one code: by its group, or by its beginning."""
    group = grouping(system, plain).ccs
    return tuple(
        label.name
        for label in diagnoses()
        if group in label.ccs or plain.startswith(label.icd9 if system == "icd9" else label.icd10)
    )


@cache
def _sorted_codes(system: System) -> tuple[str, ...]:
    return tuple(sorted(_table(system)))


@cache
def _table(system: System) -> dict[str, int]:
    packed = (files("clinragen.clinical") / f"{system}_ccs.csv.gz").read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return {row["code"]: int(row["ccs"]) for row in rows}
