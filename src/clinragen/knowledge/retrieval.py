"""Which facts bear on a case: what its findings and its note call up first, then what its words resemble.

The resemblance is BM25 (Robertson and Zaragoza, Foundations and Trends in Information Retrieval 2009) of the
facts' sentences to the words of the note that are not denied. Same case and base: same order, same scores.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from clinragen.clinical.findings import findings
from clinragen.clinical.mentions import find_cues, find_mentions, status_at, told_sentences
from clinragen.clinical.notes import Span
from clinragen.knowledge.base import as_said, fits
from clinragen.knowledge.reading import american
from clinragen.knowledge.terms import terms
from clinragen.schema import Fact, Stay

FINDING_WEIGHT = 2.0
SIGN_WEIGHT = 2.0
TEXT_WEIGHT = 1.0
"""A finding or a sign outweighs any resemblance of words, which is at most 1."""

_K1, _B = 1.2, 0.75
_COUNTED = ("present", "uncertain", "past")


class Retrieved(NamedTuple):
    """A fact with its score, and what called it up: "finding", "sign" or "words"."""

    fact: Fact
    score: float
    by: str


@dataclass(frozen=True, slots=True)
class Retriever:
    """A base made ready for retrieval: for every word the facts that hold it, with their BM25 weights."""

    facts: tuple[Fact, ...]
    rows: Mapping[str, Int[np.ndarray, " hit"]]
    weights: Mapping[str, Float[np.ndarray, " hit"]]


def retriever(facts: Sequence[Fact]) -> Retriever:
    """Weigh the words of every fact, its sentence, sign and diagnoses together."""
    held = [Counter(term.word for term in terms(american(_all_said(fact)))) for fact in facts]
    lengths = np.array([words.total() for words in held], dtype=np.float64)
    mean = lengths.mean() if len(held) else 1.0
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, words in enumerate(held):
        for word, count in words.items():
            places[word].append((row, count))
    rows = {word: np.array([row for row, _ in hits]) for word, hits in places.items()}
    weights = {}
    for word, hits in places.items():
        often = np.array([count for _, count in hits], dtype=np.float64)
        rare = np.log(1 + (len(held) - len(hits) + 0.5) / (len(hits) + 0.5))
        weights[word] = rare * often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * lengths[rows[word]] / mean))
    return Retriever(tuple(facts), rows, weights)


def _all_said(fact: Fact) -> str:
    return " ".join((fact.text, fact.sign or "", *fact.diagnoses))


def retrieve(stay: Stay, base: Retriever, top: int = 10) -> tuple[Retrieved, ...]:
    """The facts most relevant to a stay, best first, ties by fact_id; what nothing calls up is left out."""
    shown = findings(stay.measurements)
    signs = {fact.sign: fact.fact_id for fact in base.facts if fact.sign}
    said = {
        as_said(each.text)
        for each in find_mentions(stay.note, signs)
        if each.status in ("present", "uncertain")
    }
    by_words = _resemblance(stay.note, base)
    found = []
    for row, fact in enumerate(base.facts):
        by_finding = any(fits(fact, finding) for finding in shown)
        by_sign = fact.sign is not None and as_said(fact.sign) in said
        score = FINDING_WEIGHT * by_finding + SIGN_WEIGHT * by_sign + TEXT_WEIGHT * float(by_words[row])
        if score > 0:
            by = "finding" if by_finding else "sign" if by_sign else "words"
            found.append(Retrieved(fact, round(score, 4), by))
    found.sort(key=lambda each: (-each.score, each.fact.fact_id))
    return tuple(found[:top])


def _resemblance(note: str, base: Retriever) -> Float[np.ndarray, " fact"]:
    """BM25 of every fact to the note, as a share of the best one; 0 for all where no word is shared."""
    scores = np.zeros(len(base.facts))
    for word in sorted(set(_told_words(note))):
        if word in base.rows:
            scores[base.rows[word]] += base.weights[word]
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else scores


def _told_words(note: str) -> Iterator[str]:
    """The words of a note that are not denied, nor said of another person, nor over."""
    text = american(note)
    for sentence in told_sentences(text):
        cues = find_cues(text, sentence)
        for term in terms(text, sentence.start, sentence.end):
            if not cues or status_at(text, Span(term.start, term.end), cues) in _COUNTED:
                yield term.word
