"""What a concept is a kind of, what it is made of, what excludes it, and how much it says."""

import re
from collections.abc import Mapping
from functools import cache

from clinragen.grounding.note_concepts import concepts_of, rows, stem

_PLACES = frozenset({"bodypart", "test"})
_PROCEDURE = re.compile(r"\w(?:ectomy|otomy|ostomy|plasty|scopy|centesis|graphy|ation therapy)$")


@cache
def kinds_of(concept: str) -> tuple[str, ...]:
    """A concept, then all that it is a kind of or is made of, the nearest first."""
    found = [concept]
    for each in found:
        found += [general for general in _generals_of(each) if general not in found]
    return tuple(found)


@cache
def is_place_or_test(concept: str, *kinds: str) -> bool:
    """Whether a word names a part of the body or a test, which nobody denies: "no bleed in the head"."""
    return not set(kinds or _PLACES).isdisjoint(_generals().get(concept, ()))


@cache
def contrasts() -> Mapping[str, Mapping[str, str]]:
    """Concept -> {class: side}: two sides of one class exclude each other, such as left and right."""
    table: dict[str, dict[str, str]] = {}
    for row in rows("contrasts"):
        for concept in _one(row["word"]):
            table.setdefault(concept, {}).setdefault(row["class"], row["side"])
    return table


@cache
def classes() -> Mapping[str, str]:
    """Concept -> "drug" or "organism": members are never interchangeable."""
    return {concept: row["class"] for row in rows("kinds") if row["class"] for concept in _one(row["word"])}


@cache
def weight_of(concept: str) -> float:
    """How much a word says: 0 for grammar and reporting, little for general words, else 1."""
    return _weights().get(concept, 0.0 if len(concept) == 1 else 1.0)


def _generals_of(concept: str) -> tuple[str, ...]:
    parts = _parts(concept)
    kind = ("procedur",) if _PROCEDURE.search(concept) else ()
    return (*_generals().get(concept, ()), *parts, *kind)


@cache
def _generals() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows("kinds"):
        for word in _one(row["word"]):
            known = found.get(word, ())
            general = tuple(concept for part in row["general"].split() for concept in concepts_of(part))
            found[word] = (
                *known,
                *(concept for concept in general if concept not in known and concept != word),
            )
    return found


@cache
def _parts(concept: str) -> tuple[str, ...]:
    """What a Greek or Latin compound is made of: "splenectomy" of the spleen and of removal."""
    roots, endings = _compounds()
    for cut in range(3, len(concept) - 2):
        means = endings.get(concept[cut:])
        root = means and next(
            (roots[form] for form in (concept[:cut], concept[:cut].rstrip("oi")) if form in roots), None
        )
        if means and root:
            return tuple(stem(part) for part in f"{root} {means}".split())
    return ()


@cache
def _compounds() -> tuple[dict[str, str], dict[str, str]]:
    told = list(rows("roots"))
    roots = {row["part"]: row["means"] for row in told if row["position"] == "begin"}
    endings = {
        form: row["means"]
        for row in told
        if row["position"] == "end"
        for form in (stem(row["part"]), row["part"])
    }
    return roots, endings


def _one(word: str) -> tuple[str, ...]:
    """The concept of a table's word, if it is one."""
    concepts = concepts_of(word)
    return concepts if len(concepts) == 1 else ()


@cache
def _weights() -> dict[str, float]:
    return {
        form: float(row["weight"])
        for row in reversed(list(rows("weights")))
        for word in row["words"].split()
        for form in (word, stem(word))
    }
