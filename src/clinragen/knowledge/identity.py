"""When two facts are the same, what they become together, and the version of all of them."""

import re
from collections.abc import Iterable
from dataclasses import asdict, replace

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.knowledge.reading import american
from clinragen.schema import Fact
from clinragen.store import fingerprint


def merged(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Each fact once, in the order of their first coming: the first gives words and licence.

    Citations and quotes of all are kept. Same are facts of the same diagnoses with the same variable, level
    and threshold, or with the same sign.
    """
    kept: dict[str, Fact] = {}
    for fact in facts:
        same = kept.get(identity(fact))
        kept[identity(fact)] = fact if same is None else _together(same, fact)
    return tuple(kept.values())


def identity(fact: Fact) -> str:
    """What makes a fact this fact, whatever its words, as a readable name: an imported fact is called so."""
    diagnoses = "+".join(_slug(name) for name in diagnosis_names() if name in fact.diagnoses)
    bound = "" if fact.threshold is None else f"-{fact.threshold:g}"
    shown = _slug(fact.sign) if fact.sign is not None else f"{_slug(str(fact.variable))}-{fact.level}{bound}"
    return f"imported/{diagnoses}/{shown}"


def version(facts: Iterable[Fact]) -> str:
    """The version of a base: the hash of all that its facts say and cite."""
    return fingerprint([asdict(fact) for fact in facts])


def _together(first: Fact, second: Fact) -> Fact:
    citations = first.citation.split(_BETWEEN)
    further = [each for each in second.citation.split(_BETWEEN) if each not in citations]
    licences = first.licence.split(_BETWEEN)
    more = [each for each in second.licence.split(_BETWEEN) if each not in licences]
    return replace(
        first,
        citation=_BETWEEN.join([*citations, *further]),
        licence=_BETWEEN.join([*licences, *more]),
        quotes=tuple(dict.fromkeys((*first.quotes, *second.quotes))),
    )


_BETWEEN = " | "


def _slug(words: str) -> str:
    return re.sub(r"[^\w.]+", "-", american(words).lower()).strip("-")
