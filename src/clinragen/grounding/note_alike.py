"""Which words of a note answer a word of a clause, and how well: the same, a kind of it, or akin in form.

Never its sibling, and never what it is a kind of: a note that speaks of a pain supports no chest pain.
"""

from collections.abc import Mapping
from functools import lru_cache

from clinragen.grounding.note_index import BEGINNING, NoteIndex
from clinragen.grounding.note_kinds import classes, contrasts
from clinragen.grounding.note_words import Token

SAME, KIND, AKIN = 1.0, 0.9, 0.8
"""A word or its synonym; a kind of what the clause names; alike in form."""

VAGUE = frozenset({"bodypart", "test", "procedur", "medication", "operation", "imag"})
"""Kinds too wide for "a test" to tell of an echocardiogram."""
_SHORTEST_ROOT = 4
_LEAST_SHARED = 0.6
_ENDINGS = (
    "ization", "isation", "ication", "ations", "ation", "ition", "ically", "ional", "ions", "ion", "ities",
    "ity", "ments", "ment", "ances", "ance", "ences", "ence", "ating", "ated", "ate", "ative", "ive", "ular",
    "ical", "ial", "al", "ary", "ar", "ous", "ic", "ia", "is", "ish", "ing", "ed", "er", "or", "ent", "ant",
    "able", "ible", "age", "ure", "en", "ness", "ful", "um", "us", "a", "y", "e", "s",
)  # fmt: skip


def alike(token: Token, note: NoteIndex) -> Mapping[int, float]:
    """The places of the note that answer a word, each with how well (at most 1)."""
    found: dict[int, float] = {}
    _add(found, note, token.concept, SAME)
    if not token.number and token.concept not in classes() and token.concept not in contrasts():
        for concept in _akin(token.concept, note):
            _add(found, note, concept, AKIN)
    return found


def _add(found: dict[int, float], note: NoteIndex, concept: str, weight: float) -> None:
    for place in note.places.get(concept, ()):
        is_itself = note.tokens[place].concept == concept
        found.setdefault(place, weight if is_itself else min(weight, KIND))


def _akin(concept: str, note: NoteIndex) -> list[str]:
    others = note.by_beginning.get(concept[:BEGINNING], ())
    return [other for other in others if other != concept and is_akin(concept, other)]


@lru_cache(maxsize=1 << 16)
def is_akin(said: str, told: str) -> bool:
    """Whether words share their root ("cavity", "cavitation") or one is short for the other ("periph")."""
    if said[:BEGINNING] != told[:BEGINNING] or min(len(said), len(told)) < _SHORTEST_ROOT:
        return False
    if root(said) == root(told) or (said.startswith(told) and len(told) > _SHORTEST_ROOT):
        return True
    shared = next((n for n, pair in enumerate(zip(said, told, strict=False)) if pair[0] != pair[1]), 99)
    shared = min(shared, len(said), len(told))
    return shared > _SHORTEST_ROOT and shared / max(len(said), len(told)) >= _LEAST_SHARED


@lru_cache(maxsize=1 << 14)
def root(word: str) -> str:
    """A word without the ending that makes it a noun, an adjective or a verb."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_ROOT:
            return word[: -len(ending)]
    return word
