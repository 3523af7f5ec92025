"""The closed set of diagnoses: 25 phenotypes, each a group of the AHRQ Clinical Classifications Software.

The groups are those of the MIMIC-III benchmark (Harutyunyan et al., Scientific Data 2019, table 2). Names
are short, because a small model has to write them; `title` is the official one.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from clinragen.errors import UnknownTermError


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One label: its short name, the official title of its CCS group, and how notes call it."""

    name: str
    title: str
    ccs: int
    synonyms: tuple[str, ...]


@cache
def diagnoses() -> tuple[Diagnosis, ...]:
    """All labels in their fixed order."""
    with (files("clinragen.clinical") / "diagnoses.csv").open(encoding="utf-8") as table:
        return tuple(
            Diagnosis(row["name"], row["title"], int(row["ccs"]), tuple(row["synonyms"].split("|")))
            for row in csv.DictReader(table)
        )


@cache
def diagnosis_names() -> tuple[str, ...]:
    """The short names in their fixed order: the order of every probability vector."""
    return tuple(label.name for label in diagnoses())


def diagnosis(name: str) -> Diagnosis:
    """The label of this short name, or an error that lists what there is."""
    for label in diagnoses():
        if label.name == name:
            return label
    raise UnknownTermError(f"unknown diagnosis {name!r}", expected=", ".join(diagnosis_names()))


@cache
def signs() -> tuple[tuple[str, str], ...]:
    """(diagnosis, sign) pairs: words with which admission notes show a diagnosis without naming it."""
    with (files("clinragen.clinical") / "signs.csv").open(encoding="utf-8") as table:
        return tuple((row["diagnosis"], row["sign"]) for row in csv.DictReader(table))
