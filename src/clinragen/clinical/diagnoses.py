"""The closed set of diagnoses; where a run has no labels of its own, 25 phenotypes, each a group of the CCS.

The groups are those of the MIMIC-III benchmark (Harutyunyan et al., Scientific Data 2019, table 2). Names
are short, because a small model has to write them; `title` is the official one of the AHRQ's group.
"""

import csv
from functools import cache
from importlib.resources import files

from clinragen.errors import UnknownTermError
from clinragen.labels import Diagnosis, LabelSet, holding, per_labels


def diagnoses() -> LabelSet:
    """All labels in their fixed order."""
    return holding() or standard()


@cache
def standard() -> LabelSet:
    """The labels that come with the package."""
    with (files("clinragen.clinical") / "diagnoses.csv").open(encoding="utf-8") as table:
        return tuple(
            Diagnosis(row["name"], row["title"], tuple(row["synonyms"].split("|")), (int(row["ccs"]),))
            for row in csv.DictReader(table)
        )


@per_labels
def diagnosis_names() -> tuple[str, ...]:
    """The short names in their fixed order: the order of every probability vector."""
    return tuple(label.name for label in diagnoses())


def diagnosis(name: str) -> Diagnosis:
    """The label of this short name, or an error that lists what there is."""
    for label in diagnoses():
        if label.name == name:
            return label
    raise UnknownTermError(f"unknown diagnosis {name!r}", expected=", ".join(diagnosis_names()))


@per_labels
def signs() -> tuple[tuple[str, str], ...]:
    """(diagnosis, sign) pairs: words with which admission notes show a diagnosis without naming it."""
    with (files("clinragen.clinical") / "signs.csv").open(encoding="utf-8") as table:
        rows = csv.DictReader(table)
        return tuple((row["diagnosis"], row["sign"]) for row in rows if row["diagnosis"] in diagnosis_names())
