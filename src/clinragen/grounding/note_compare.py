"""What differs between a clause and the words of a note that answer it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from clinragen.clinical.mentions import Status
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_views import View, distance
from clinragen.grounding.note_words import Token, classes, contrasts

_PAST_TENSE = re.compile(
    r"\b(?:had|(?:was|were)(?! (?:documented|noted|reported|recorded|mentioned|described|listed))|did|ago|"
    r"history|prior|previous(?:ly)?|former(?:ly)?|past|underwent|received|once|earlier|remote|resolved|"
    r"stopped|held|used to)\b",
    re.I,
)
_CURRENT = re.compile(r"\b(?:continu\w+|current\w*|still|now|ongoing|running|remains|resumed|active)\b", re.I)
_CONDITION = re.compile(r"\b(?:if|unless|in case|should (?:he|she|the)|consider(?:ing)?)\b", re.I)
_CAUSE = re.compile(
    r"\b(?:due to|d/t|because|secondary to|from|caus\w+|suggest\w*|consistent with|likely|attribut\w+|"
    r"reflect\w*|result\w* (?:of|from|in)|led to|after)\b",
    re.I,
)
_CRITICAL = frozenset({"side", "degree"})
NEAR = 4
_OVER: frozenset[Status] = frozenset({"past", "resolved"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a view covers a clause, what critical words differ, and which are missing.

    Differences are firm if the note says otherwise, and not if it only leaves the matter open.
    """

    view: View
    coverage: float
    differences: tuple[str, ...]
    is_firm: bool
    missing: str
    is_inferred_by_note: bool


@dataclass(frozen=True, slots=True)
class _Difference:
    place: int
    reason: str
    is_firm: bool = True
    is_word: bool = True
    """Whether the word itself differs; a status differs around a word that is matched."""


def compare(clause: NoteIndex, note: NoteIndex, view: View) -> Comparison:
    """Compare a clause with one view of the note."""
    numbers = _numbers_found(clause, note, view)
    words = [
        *_contrasts(clause, note, view),
        *_members(clause, note, view, numbers),
        *_numbers(clause, note, view, numbers),
    ]
    differences = [*_statuses(clause, note, view), *words]
    replaced = {found.place for found in words}
    matched = (set(view.pairs) | numbers) - replaced - _torn_apart(note, view)
    left = [place for place, token in enumerate(clause.tokens) if token.weight and place not in replaced]
    total = sum(clause.tokens[place].weight for place in left)
    covered = sum(clause.tokens[place].weight for place in left if place in matched)
    return Comparison(
        view=view,
        coverage=covered / total if total else 0.0,
        differences=tuple(dict.fromkeys(found.reason for found in differences)),
        is_firm=all(found.is_firm for found in differences),
        missing=", ".join(_missing(clause, [place for place in left if place not in matched])),
        is_inferred_by_note=_CAUSE.search(_text(note, view)) is not None,
    )


def _torn_apart(note: NoteIndex, view: View) -> set[int]:
    """Words that stand side by side in the clause but in different parts of the note ("lung cancer")."""
    return {
        place
        for place, at in view.pairs.items()
        if (before := view.pairs.get(place - 1)) is not None
        and note.tokens[before].weight == note.tokens[at].weight == 1
        and not {note.tokens[before].concept, note.tokens[at].concept} & contrasts().keys()
        and note.tokens[before].chunk != note.tokens[at].chunk
        and distance(note, before, at) > NEAR
    }


def _missing(clause: NoteIndex, places: list[int]) -> Iterator[str]:
    """The critical words of a clause that the note does not hold at all."""
    for place in places:
        token = clause.tokens[place]
        if (
            token.number
            or token.concept in classes()
            or _CRITICAL & contrasts().get(token.concept, {}).keys()
        ):
            yield clause.text[token.start : token.end]


def _contrasts(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[_Difference]:
    """Left for right, superficial for deep, mother for sister."""
    for place, token in enumerate(clause.tokens):
        for name, side in contrasts().get(token.concept, {}).items():
            told = _told_side(clause, note, view, place, name)
            if told and side not in told and "any" not in {side, *told}:
                yield _Difference(place, f"{' and '.join(sorted(told))}, not {side}")


def _told_side(clause: NoteIndex, note: NoteIndex, view: View, place: int, name: str) -> set[str]:
    """The sides that the note gives, of this class, to what the clause gives one; joined ones count both."""
    anchor = _answer(clause, view, place)
    nearby = [
        at
        for at in _in_view(note, view)
        if name in contrasts().get(note.tokens[at].concept, {}) and distance(note, anchor, at) < 1000
    ]
    if not nearby:
        return set()
    nearest = note.tokens[min(nearby, key=lambda at: _closeness(note, anchor, at))]
    told = {
        contrasts()[note.tokens[at].concept][name]
        for at in nearby
        if (note.tokens[at].segment, note.tokens[at].chunk) == (nearest.segment, nearest.chunk)
    }
    return told - {"any"} or told


def _closeness(note: NoteIndex, anchor: int, at: int) -> tuple[bool, int]:
    return note.tokens[anchor].chunk != note.tokens[at].chunk, distance(note, anchor, at)


def _answer(clause: NoteIndex, view: View, place: int) -> int:
    """The note's word for what stands nearest to a word of the clause."""
    others = [at for at in view.pairs if at != place and clause.tokens[at].concept not in contrasts()]
    nearest = min(others, key=lambda at: (at != place + 1, abs(at - place), at), default=None)
    return view.anchor if nearest is None else view.pairs[nearest]


def _members(clause: NoteIndex, note: NoteIndex, view: View, numbers: set[int]) -> Iterator[_Difference]:
    """Another drug or organism where the rest agrees."""
    said = {token.concept for token in clause.tokens}
    for place, token in enumerate(clause.tokens):
        kind = classes().get(token.concept)
        if kind is None or place in view.pairs:
            continue
        anchor = _answer(clause, view, place)
        others = [
            note.tokens[at]
            for at in _in_view(note, view)
            if classes().get(note.tokens[at].concept) == kind and distance(note, anchor, at) < 1000
        ]
        is_about_it = numbers or _strong_pairs(clause, view) or _is_only_one_of_its_kind(token, others)
        if others and is_about_it and not any(other.concept in said for other in others):
            yield _Difference(place, f"{note.text[others[0].start : others[0].end]}, not {token.concept}")


def _is_only_one_of_its_kind(token: Token, others: list[Token]) -> bool:
    """Whether the note gives one drug of this very kind: "given ertapenem" answers "given meropenem"."""
    return len(others) == 1 and others[0].concepts[1:] == token.concepts[1:]


def _strong_pairs(clause: NoteIndex, view: View) -> bool:
    return any(clause.tokens[place].weight == 1 for place in view.pairs)


def _numbers_found(clause: NoteIndex, note: NoteIndex, view: View) -> set[int]:
    told = [token.number for token in _tokens(note, view) if token.number]
    return {
        place
        for place, token in enumerate(clause.tokens)
        if token.number and any(token.number.agrees(number) for number in told)
    }


def _numbers(clause: NoteIndex, note: NoteIndex, view: View, found: set[int]) -> Iterator[_Difference]:
    """Another number of the same thing."""
    for place, token in enumerate(clause.tokens):
        if token.number and place not in found:
            for other in _tokens(note, view):
                if other.number and other.number.measures == token.number.measures:
                    said = note.text[other.start : other.end]
                    yield _Difference(place, f"{said}, not {clause.text[token.start : token.end]}")
                    break


def _statuses(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[_Difference]:
    """The same thing told of another person, denied, left open, not yet done or over."""
    for place, at in view.pairs.items():
        if clause.tokens[place].weight == 1 and "relative" not in contrasts().get(
            clause.tokens[place].concept, {}
        ):
            said, told = clause.statuses(place), note.statuses(at)
            for differs, reason, is_firm in _DIFFERENCES:
                if differs(said, told, _Context(clause, note, place, at)):
                    yield _Difference(place, reason, is_firm)
                    break


@dataclass(frozen=True, slots=True)
class _Context:
    clause: NoteIndex
    note: NoteIndex
    place: int
    at: int

    @property
    def is_past_tense(self) -> bool:
        said = self.clause.text
        return _PAST_TENSE.search(said) is not None and _CURRENT.search(said) is None

    @property
    def is_procedure(self) -> bool:
        return "procedur" in self.note.tokens[self.at].concepts

    @property
    def is_history(self) -> bool:
        return self.note.sentence_of[self.at] in self.note.histories or "history" in self._sentence

    @property
    def is_conditional(self) -> bool:
        return _CONDITION.search(self._sentence) is not None

    @property
    def _sentence(self) -> str:
        span = self.note.sentences[self.note.sentence_of[self.at]]
        return self.note.text[span.start : span.end]


_Statuses = frozenset[Status]


def _is_denied_or_over(said: _Statuses, told: _Statuses) -> bool:
    """Whether "no X" may be said of what the note tells: denied there, or over and not spoken of as past."""
    return "negated" in told or bool(told & _OVER and not said & _OVER)


_Test = Callable[[_Statuses, _Statuses, _Context], bool]
# The first that holds decides: (test of what the clause says and the note tells, reason, whether it is firm).
_DIFFERENCES: tuple[tuple[_Test, str, bool], ...] = (
    (lambda said, told, _: "family" in told and "family" not in said, "told of a relative", True),
    (lambda said, told, _: "family" in said and "family" not in told, "told of the patient", True),
    (
        lambda said, told, at: "planned" in told and not said and at.is_conditional,
        "conditional in the note",
        False,
    ),
    (lambda said, told, _: "planned" in told and not said & {"planned", "negated"}, "not done yet", True),
    (lambda said, told, _: "planned" in said and "planned" not in told, "not told as planned", True),
    (lambda said, told, _: "uncertain" in told and not said & {"uncertain"}, "left open in the note", True),
    (lambda said, told, _: "negated" in told and not said & {"negated"}, "the note denies it", True),
    (
        lambda said, told, _: "negated" in said and not _is_denied_or_over(said, told),
        "the note affirms it",
        True,
    ),
    (
        lambda said, told, _: "uncertain" in said and "uncertain" not in told,
        "not left open in the note",
        False,
    ),
    (
        lambda said, told, at: (
            bool(told & _OVER) and not said & _OVER and not at.is_past_tense and not at.is_procedure
        ),
        "over, according to the note",
        True,
    ),
    (
        lambda said, told, at: (
            bool(said & _OVER) and not told & _OVER and not at.is_history and not at.is_procedure
        ),
        "current, according to the note",
        True,
    ),
)


def _in_view(note: NoteIndex, view: View) -> Iterator[int]:
    return chain.from_iterable(note.tokens_of[number] for number in view.sentences)


def _tokens(note: NoteIndex, view: View) -> list[Token]:
    return [note.tokens[at] for at in _in_view(note, view)]


def _text(note: NoteIndex, view: View) -> str:
    return note.text[note.sentences[view.sentences[0]].start : note.sentences[view.sentences[-1]].end]
