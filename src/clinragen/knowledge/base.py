"""The curated knowledge base: cited facts that tie findings and words of notes to diagnoses.

`curated.csv` holds the facts, `sources.csv` what they cite and how that may be used. The facts of one
variable and level stand strongest first: a finding is explained by the first fact that fits. A threshold
narrows a fact to values that reach it, in the variable's unit.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import cast

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.mentions import Mention
from clinragen.clinical.variables import variables
from clinragen.errors import KnowledgeError
from clinragen.labels import per_labels
from clinragen.schema import Fact, Finding, Level

LEVELS = ("low", "high")


@per_labels
def curated_facts() -> tuple[Fact, ...]:
    """The facts that come with the package and speak for a label of the run, in the order of their table."""
    sources = {row["source"]: row for row in _rows("sources.csv")}
    facts = (_fact(row, sources.get(row["source"], {})) for row in _rows("curated.csv"))
    told = (replace(fact, diagnoses=_labels_among(fact.diagnoses)) for fact in facts)
    return tuple(fact for fact in told if fact.diagnoses)


def validate(facts: Sequence[Fact], min_facts: int) -> None:
    """Raise KnowledgeError with every fault: of a fact, of its identity, or of what the labels lack."""
    faults = [fault for fact in facts for fault in _faults(fact)]
    counts = Counter(fact.fact_id for fact in facts)
    faults += [f"{fact_id}: {n} facts have this id" for fact_id, n in counts.items() if n > 1]
    covered = facts_per_diagnosis(facts)
    faults += [f"{name}: {n} facts, {min_facts} are needed" for name, n in covered.items() if n < min_facts]
    if faults:
        raise KnowledgeError(
            "the knowledge base is not sound:\n    " + "\n    ".join(faults),
            fix="mend these facts, or lower knowledge.min_facts; labels of your own need facts of your own "
            "(knowledge.sources), or none at all (knowledge.min_facts=0)",
        )


def facts_per_diagnosis(facts: Iterable[Fact]) -> dict[str, int]:
    """How many facts speak for each diagnosis, in table order."""
    counts = Counter(name for fact in facts for name in fact.diagnoses)
    return {name: counts[name] for name in diagnosis_names()}


def facts_for(
    facts: Iterable[Fact], findings: Sequence[Finding], mentions: Sequence[Mention]
) -> tuple[Fact, ...]:
    """The facts that an abnormal finding or a present mention calls up, in the order of the facts."""
    present = {as_said(mention.text) for mention in mentions if mention.status == "present"}
    return tuple(
        fact
        for fact in facts
        if (fact.sign is not None and as_said(fact.sign) in present)
        or any(fits(fact, finding) for finding in findings)
    )


def fits(fact: Fact, finding: Finding) -> bool:
    """Whether a fact is about this abnormal finding, and its worst value reaches the fact's threshold."""
    if fact.level is None or (fact.variable, fact.level) != (finding.variable, finding.level):
        return False
    if fact.threshold is None:
        return True
    return finding.extreme >= fact.threshold if fact.level == "high" else finding.extreme <= fact.threshold


def as_said(words: str) -> str:
    """Words of a note in the one form by which they are compared: small letters, single blanks."""
    return " ".join(words.lower().split())


def _rows(name: str) -> list[dict[str, str]]:
    with (files("clinragen.knowledge") / name).open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def _fact(row: dict[str, str], source: dict[str, str]) -> Fact:
    return Fact(
        fact_id=row["fact_id"],
        text=row["text"],
        diagnoses=tuple(row["diagnoses"].split("|")),
        citation=source.get("citation", ""),
        variable=row["variable"] or None,
        level=cast(Level, row["level"]) if row["level"] else None,
        threshold=float(row["threshold"]) if row["threshold"] else None,
        sign=row["sign"] or None,
        licence=source.get("licence", ""),
    )


def _labels_among(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in diagnosis_names())


def _faults(fact: Fact) -> Iterator[str]:
    checks = (
        (not fact.text.strip(), "has no text"),
        (not fact.citation.strip(), "has no citation"),
        (not fact.licence.strip(), "has no licence"),
        (not fact.diagnoses, "speaks for no diagnosis"),
        ((fact.variable is None) == (fact.sign is None), "must have either a variable or a sign"),
        (
            (fact.variable is None) != (fact.level is None),
            "must have a level exactly where it has a variable",
        ),
        (fact.level is not None and fact.level not in LEVELS, f"unknown level {fact.level!r}"),
        (fact.threshold is not None and fact.level is None, "has a threshold without a variable"),
        (
            fact.variable is not None and fact.variable not in variables(),
            f"unknown variable {fact.variable!r}",
        ),
        *((name not in diagnosis_names(), f"unknown diagnosis {name!r}") for name in fact.diagnoses),
    )
    yield from (f"{fact.fact_id}: {fault}" for is_wrong, fault in checks if is_wrong)
