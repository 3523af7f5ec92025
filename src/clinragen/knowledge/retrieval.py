"""Which facts bear on a case: what its findings and its note call up first, then what its words resemble.

A fact scores more the more the other facts called up speak for the same diagnosis. The resemblance is BM25
(Robertson and Zaragoza, Foundations and Trends in Information Retrieval 2009) of the facts' sentences to the
words of the note that are not denied. Same case and base: same order, same scores.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from clinragen.clinical.findings import findings
from clinragen.clinical.mentions import find_cues, find_mentions, status_at, told_sentences
from clinragen.clinical.notes import Span
from clinragen.knowledge.base import as_said, fits
from clinragen.knowledge.reading import american
from clinragen.knowledge.terms import terms
from clinragen.schema import Fact, Stay

FINDING_WEIGHT = SIGN_WEIGHT = 3.0
AGREEMENT_WEIGHT = RESEMBLANCE_WEIGHT = 1.0
"""What calls a fact up outweighs agreement and resemblance, which are at most 1 each."""

_K1, _B = 1.2, 0.75
_COUNTED = ("present", "uncertain", "past")


class Retrieved(NamedTuple):
    """A fact with its score, and what called it up: "finding", "sign" or "words"."""

    fact: Fact
    score: float
    by: str


@dataclass(frozen=True, slots=True)
class Retriever:
    """A base made ready for retrieval: for every word the facts that hold it, with their BM25 weights.

    `shares` is what each fact counts for its diagnoses when it is called up.
    """

    facts: tuple[Fact, ...]
    shares: Float[np.ndarray, " fact"]
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
    return Retriever(tuple(facts), _shares(facts), rows, weights)


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
    by_finding = np.array([any(fits(fact, one) for one in shown) for fact in base.facts], dtype=bool)
    by_sign = np.array([as_said(fact.sign or "") in said for fact in base.facts], dtype=bool)
    called = by_finding | by_sign
    agreement, resemblance = _agreement(called, base), _resemblance(stay.note, base)
    scores = (
        FINDING_WEIGHT * by_finding
        + SIGN_WEIGHT * by_sign
        + AGREEMENT_WEIGHT * agreement * (called | (resemblance > 0))
        + RESEMBLANCE_WEIGHT * resemblance
    )
    found = [
        Retrieved(fact, round(float(score), 4), "finding" if finding else "sign" if sign else "words")
        for fact, score, finding, sign in zip(base.facts, scores, by_finding, by_sign, strict=True)
        if score > 0
    ]
    found.sort(key=lambda each: (-each.score, each.fact.fact_id))
    return tuple(found[:top])


def _agreement(called: Bool[np.ndarray, " fact"], base: Retriever) -> Float[np.ndarray, " fact"]:
    """How much the facts called up speak for a fact's diagnosis, against the one they speak for most."""
    spoken: dict[str, float] = defaultdict(float)
    for row in np.flatnonzero(called):
        for name in base.facts[row].diagnoses:
            spoken[name] += float(base.shares[row])
    most = max(spoken.values(), default=1.0)
    return np.array([max(spoken[name] for name in fact.diagnoses) / most for fact in base.facts])


def _shares(facts: Sequence[Fact]) -> Float[np.ndarray, " fact"]:
    """What each fact counts for its diagnoses: less the more of them its finding or sign may mean."""
    meanings: dict[object, set[str]] = defaultdict(set)
    for fact in facts:
        meanings[fact.variable, fact.level, fact.sign].update(fact.diagnoses)
    return np.array([1 / len(meanings[fact.variable, fact.level, fact.sign]) for fact in facts])


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
