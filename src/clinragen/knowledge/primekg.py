"""PrimeKG (Chandak et al., Scientific Data 2023): which phenotypes its diseases have, straight from kg.csv.

Only what our tables know by its whole name is taken: a disease that is a label, a phenotype that is a
variable at a level or a sign. All else is counted. The rows that are used become a document, so that every
fact has its quote.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from clinragen.clinical.diagnoses import signs
from clinragen.clinical.mentions import label_phrases
from clinragen.errors import KnowledgeError
from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.identity import identity
from clinragen.knowledge.imported import Imported, Importing
from clinragen.knowledge.reading import FactLevel, american, states
from clinragen.labels import per_labels
from clinragen.schema import Document, Fact, Quote

COLUMNS = (
    *("relation", "display_relation"),
    *(f"x_{part}" for part in ("index", "id", "type", "name", "source")),
    *(f"y_{part}" for part in ("index", "id", "type", "name", "source")),
)
HAS_PHENOTYPE, DISEASE, PHENOTYPE = "disease_phenotype_positive", "disease", "effect/phenotype"
DOCUMENT_ID = "primekg/disease-phenotype"
LICENCE = "PrimeKG: MIT; its HPO and MONDO terms under the licences of those ontologies"

_CITED = (
    "Chandak P et al. Building a knowledge graph to enable precision medicine. Sci Data 2023;10:67 (PrimeKG"
)
_URL = "https://doi.org/10.7910/DVN/IXA7BM"
_LINE = "{disease} ({disease_id}): phenotype present: {phenotype} ({phenotype_id})"
_SUFFIX = re.compile(r"\s*\((?:disease|disorder|disease, disorder)\)$")
_FILLER = re.compile(
    r"\b(?:abnormal|circulating|serum|plasma|blood|arterial|hepatic|total|concentrations?|levels?|counts?|activity|"
    r"increased|elevated|raised|high|decreased|reduced|low|of|in|the|in blood)\b|[\s,()-]+",
    re.I,
)


class Shown(NamedTuple):
    """What a phenotype is in a record: a variable at a level, or a sign."""

    variable: str | None
    level: FactLevel | None
    sign: str | None


def read(importing: Importing) -> Imported:
    """The facts of the disease-phenotype rows of kg.csv whose both names our tables know."""
    counts: Counter[str] = Counter()
    edges = _edges(Path(importing.settings.primekg_file))
    importing.progress("PrimeKG rows", 0, len(edges))
    labels, lines, facts = _labels(), list[str](), list[Fact]()
    end = 0
    for edge in edges:
        label, shown = labels.get(_name(edge["disease"])), _shown(edge["phenotype"])
        counts["disease-phenotype rows"] += 1
        counts["rows of an unmapped disease"] += label is None
        counts["rows of an unmapped phenotype"] += not shown
        if label is not None and shown:
            counts["rows mapped"] += 1
            line = _LINE.format_map(edge)
            quote = Quote(DOCUMENT_ID, end, end + len(line), line)
            facts += [_fact(edge, label, each, quote) for each in shown]
            lines.append(line)
            end = quote.end + 1
    text = "\n".join(lines)
    document = Document(DOCUMENT_ID, "primekg", "PrimeKG, rows used", text, f"{_CITED})", _URL, LICENCE, None)
    return Imported(quoted=(document,) if lines else (), facts=tuple(facts), counts=counts)


def _edges(path: Path) -> list[dict[str, str]]:
    """The rows wanted, once each: the file holds every edge in both directions."""
    if not path.is_file():
        raise KnowledgeError(f"no file {path}", fix="set knowledge.primekg_file to PrimeKG's kg.csv")
    table = pl.scan_csv(path, infer_schema=False)
    lacking = [name for name in COLUMNS if name not in table.collect_schema().names()]
    if lacking:
        raise KnowledgeError(
            f"{path} is not PrimeKG's kg.csv",
            expected="columns " + ", ".join(COLUMNS),
            found="none of " + ", ".join(lacking),
            fix="give the file kg.csv of PrimeKG's dataverse (doi 10.7910/DVN/IXA7BM)",
        )
    rows = table.filter(pl.col("relation") == HAS_PHENOTYPE)
    ways = [
        rows.filter(pl.col(f"{x}_type") == DISEASE, pl.col(f"{y}_type") == PHENOTYPE).select(
            disease=pl.col(f"{x}_name"),
            disease_id=pl.col(f"{x}_source") + ":" + pl.col(f"{x}_id"),
            phenotype=pl.col(f"{y}_name"),
            phenotype_id=pl.col(f"{y}_source") + ":" + pl.col(f"{y}_id"),
        )
        for x, y in ("xy", "yx")
    ]
    edges = pl.concat(ways).drop_nulls().unique().sort(pl.all())
    return edges.collect(engine="streaming").to_dicts()


@per_labels
def _labels() -> Mapping[str, str]:
    return MappingProxyType({_name(phrase): label for phrase, label in label_phrases().items()})


@per_labels
def _signs() -> Mapping[str, str]:
    known = [*(sign for _, sign in signs()), *(fact.sign for fact in curated_facts() if fact.sign)]
    return MappingProxyType({_name(sign): sign for sign in known})


def _name(words: str) -> str:
    return " ".join(american(_SUFFIX.sub("", words)).lower().split())


def _shown(phenotype: str) -> tuple[Shown, ...]:
    """A sign of this very name, or variables at a level where the name says nothing else."""
    if sign := _signs().get(_name(phenotype)):
        return (Shown(None, None, sign),)
    name = american(phenotype)
    said = states(name)
    if len(said) != 1 or _FILLER.sub("", name[: said[0].start] + name[said[0].end :]):
        return ()
    return tuple(Shown(variable, said[0].level, None) for variable in said[0].variables)


def _fact(edge: Mapping[str, str], label: str, shown: Shown, quote: Quote) -> Fact:
    fact = Fact(
        fact_id="",
        text=f"{edge['phenotype']} is a phenotype of {_SUFFIX.sub('', edge['disease'])}.",
        diagnoses=(label,),
        citation=f"{_CITED}, {edge['disease_id']} and {edge['phenotype_id']})",
        variable=shown.variable,
        level=shown.level,
        sign=shown.sign,
        licence=LICENCE,
        quotes=(quote,),
    )
    return replace(fact, fact_id=identity(fact))
