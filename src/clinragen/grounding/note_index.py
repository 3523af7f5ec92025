"""A note read once: its sentences, words and cues, and where each concept stands."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import islice, pairwise

from clinragen.clinical.mentions import (
    Cue,
    CueTable,
    Sentence,
    Status,
    cue_table,
    find_cues,
    statuses_at,
    told_sentences,
)
from clinragen.clinical.notes import Span, sections, sentences
from clinragen.grounding.note_concepts import denials
from clinragen.grounding.note_kinds import contrasts
from clinragen.grounding.note_words import Token, tokens

CONTEXT = 0.3
"""What a word of the clause before counts, beside 1 for the clause's own."""
_PRONOUN = re.compile(
    r"\W*(?:and |but |while |although |though |which|that|who|whose)?\s*"
    r"(?:it|its|they|their|them|these|those|this|that|which|another|there|both|neither|one|"
    r"the (?:left|right|other|latter|former|second|first|same)|a second|a strain|on that|\w+ing)\b",
    re.I,
)
_SOURCE = re.compile(
    r"\b(?:according to|per|reports?|reported|says?|said|states?|noticed|brought|tells?|told|witnessed|saw|"
    r"lives? with|decides?|called|by (?:his|her|the))\b",
    re.I,
)
_FREE, _DENIED = ("-free", " free"), frozenset[Status]({"negated"})
"""Words such as "seizure-free" deny themselves."""
SHORT = 3
_RELATIVE = re.compile(
    r"\b(?:mothers?|fathers?|mom|mum|dad|bro|sis|(?:half-)?(?:brother|sister)s?|siblings?|parents?|"
    r"aunts?|uncles?|cousins?|"
    r"(?:grand)?(?:mother|father|son|daughter|parent)s?|[mp]g[mf]|niece|nephew|twin|relatives?|family|"
    r"child(?:ren)?)\b",
    re.I,
)
BEGINNING = 3
"""So many letters must two words share to be taken for akin."""


@dataclass(frozen=True, slots=True)
class NoteIndex:
    """A note, or a clause read like one.

    `sentence_of` gives the sentence of each token, `tokens_of` the reverse, and `places` the tokens of each
    concept; `by_beginning` lists the concepts by their first letters, `sides` the tokens that are a
    side of each class of `contrasts`, `numbers` those that are one; `histories` are the sentences in the
    past history, where "prior" goes without saying. In a clause, the tokens before `own` are of the clause
    before, which a pronoun may stand for, and `throughout` is what it says of all its words.
    """

    text: str
    sentences: tuple[Sentence, ...]
    cues: tuple[tuple[Cue, ...], ...]
    tokens: tuple[Token, ...]
    sentence_of: tuple[int, ...]
    tokens_of: tuple[range, ...]
    places: Mapping[str, tuple[int, ...]]
    by_beginning: Mapping[str, tuple[str, ...]]
    sides: Mapping[str, tuple[int, ...]]
    histories: frozenset[int]
    numbers: tuple[int, ...] = ()
    own: int = 0
    throughout: frozenset[Status] = frozenset()
    _known: dict[int, frozenset[Status]] = field(default_factory=dict, compare=False, repr=False)

    def told(self) -> Iterator[tuple[int, Token]]:
        """The tokens of a clause itself, with their places; before them stand those of its context."""
        return islice(enumerate(self.tokens), self.own, None)

    @property
    def begins(self) -> int:
        """Where in the text the clause itself begins, after its context."""
        return self.tokens[self.own].start if 0 < self.own < len(self.tokens) else 0

    def item(self, at: int) -> tuple[int, int]:
        """From where to where the list item of a token goes."""
        token, sentence = self.tokens[at], self.tokens_of[self.sentence_of[at]]
        first = last = at
        while first - 1 in sentence and self.tokens[first - 1].chunk == token.chunk:
            first -= 1
        while last + 1 in sentence and self.tokens[last + 1].chunk == token.chunk:
            last += 1
        return self.tokens[first].start, self.tokens[last].end

    def statuses(self, place: int) -> frozenset[Status]:
        """All statuses that the cues of its sentence give to a token; empty means present."""
        if place not in self._known:
            token, cues = self.tokens[place], self.cues[self.sentence_of[place]]
            found = statuses_at(self.text, Span(token.start, token.end), cues)
            word = self.text[token.start : token.end].lower()
            is_free = word.endswith(_FREE) or word in denials()
            self._known[place] = found | self.throughout | (_DENIED if is_free else frozenset())
        return self._known[place]


@lru_cache(maxsize=1 << 13)
def clause_index(text: str, before: str = "") -> NoteIndex:
    """Read a clause; where a pronoun is its subject, the words of the clause before count a little."""
    if not before or not _PRONOUN.match(text):
        read = _read(text, _sentences_of_a_clause(text))
        return replace(read, throughout=_said_throughout(read))
    both = f"{before}.\n\n{text}"
    read = _read(both, _sentences_of_a_clause(both))
    own = next(
        (place for place, token in enumerate(read.tokens) if token.start > len(before)), len(read.tokens)
    )
    context = (token._replace(weight=CONTEXT * token.weight) for token in read.tokens[:own])
    read = replace(read, tokens=(*context, *read.tokens[own:]), own=own)
    return replace(read, throughout=_said_throughout(read))


def _said_throughout(clause: NoteIndex) -> frozenset[Status]:
    """What a clause says of all its words: a clause is short enough for one subject and one mood."""
    said: set[Status] = {"family"} if _is_of_family(clause) else set()
    cues = (cue for cues in clause.cues for cue in cues if cue.start >= clause.begins)
    return frozenset(said | {cue.status for cue in cues if cue.status in ("uncertain", "planned")})


def _is_of_family(clause: NoteIndex) -> bool:
    return not _SOURCE.search(clause.text, clause.begins) and any(
        "relative" in contrasts().get(token.concept, {}) for _, token in clause.told()
    )


def note_index(note: str) -> NoteIndex:
    """Read a note once, for checking any number of clauses against it."""
    spans = _told_sentences(note)
    read = _read(note, spans)
    beginnings: dict[str, list[str]] = {}
    for concept in read.places:
        beginnings.setdefault(concept[:BEGINNING], []).append(concept)
    return replace(
        read,
        by_beginning={first: tuple(found) for first, found in beginnings.items()},
        histories=_histories(note, spans),
    )


def _read(note: str, spans: tuple[Sentence, ...]) -> NoteIndex:
    """The words and cues of a text; what only a note is asked for is left out."""
    read = [
        (token, number) for number, span in enumerate(spans) for token in tokens(note, span.start, span.end)
    ]
    places: dict[str, list[int]] = {}
    for place, (token, _) in enumerate(read):
        for concept in token.concepts:
            places.setdefault(concept, []).append(place)
    sides: dict[str, list[int]] = {}
    for place, (token, _) in enumerate(read):
        for name in contrasts().get(token.concept, ()):
            sides.setdefault(name, []).append(place)
    return NoteIndex(
        text=note,
        sentences=spans,
        cues=tuple(tuple(find_cues(note, span, _cues())) for span in spans),
        tokens=tuple(token for token, _ in read),
        sentence_of=tuple(number for _, number in read),
        tokens_of=_ranges([number for _, number in read], len(spans)),
        places={concept: tuple(found) for concept, found in places.items()},
        by_beginning={},
        sides={name: tuple(found) for name, found in sides.items()},
        histories=frozenset(),
        numbers=tuple(place for place, (token, _) in enumerate(read) if token.number),
    )


def _sentences_of_a_clause(text: str) -> tuple[Sentence, ...]:
    """The sentences of a clause and the one before it, which hold no section unless they name it."""
    if ":" in text:
        return _told_sentences(text)
    return tuple(Sentence(*span, False) for span in sentences(text))


def _told_sentences(note: str) -> tuple[Sentence, ...]:
    """The sentences; a family history ends in its line with the first longer one without a relative."""
    spans = list(told_sentences(note))
    for number, (before, span) in enumerate(pairwise(spans), 1):
        is_same_line = before.is_family and span.is_family and "\n" not in note[before.end : span.start]
        words = note[span.start : span.end]
        if (is_same_line and len(words.split()) > SHORT and not _RELATIVE.search(words)) or (
            is_same_line and not spans[number - 1].is_family and not _RELATIVE.search(words)
        ):
            spans[number] = span._replace(is_family=False)
    return tuple(spans)


@cache
def _cues() -> CueTable:
    return cue_table("clinragen.grounding", "note_cues.csv")


def _ranges(sentence_of: list[int], count: int) -> tuple[range, ...]:
    starts = [bisect_left(sentence_of, number) for number in range(count + 1)]
    return tuple(range(*pair) for pair in pairwise(starts))


def _histories(note: str, spans: tuple[Sentence, ...]) -> frozenset[int]:
    pasts = [part for part in sections(note) if part.title == "past history"]
    return frozenset(
        number
        for number, span in enumerate(spans)
        if any(part.start <= span.start < part.end for part in pasts)
    )
