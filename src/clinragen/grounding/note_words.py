"""The words of a text as tokens: their concepts, what they weigh, and the numbers with what they count."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from clinragen.grounding.note_concepts import WORD, concepts_of, phrases_in, stem
from clinragen.grounding.note_kinds import kinds_of, weight_of

_CHUNK_ENDS, _SEGMENT_ENDS = frozenset(",()"), frozenset(";")
_SIDES = {"L": "left", "R": "right"}
_NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
}  # fmt: skip
# Unit: what it measures, and how many of the smallest such unit it is.
_UNITS: dict[str, tuple[str, float]] = {
    "mg": ("dose", 1), "milligram": ("dose", 1), "g": ("dose", 1000), "gram": ("dose", 1000),
    "mcg": ("dose", 0.001), "kg": ("weight", 1), "kilogram": ("weight", 1), "kilo": ("weight", 1),
    "lb": ("weight", 0.4536), "pound": ("weight", 0.4536), "ml": ("volume", 1), "cc": ("volume", 1),
    "millilitre": ("volume", 1), "milliliter": ("volume", 1), "l": ("volume", 1000),
    "liter": ("volume", 1000), "litre": ("volume", 1000),
    "mm": ("length", 1), "cm": ("length", 10), "centimetre": ("length", 10),
    "centimeter": ("length", 10), "inch": ("length", 25.4), "hour": ("hour", 1), "day": ("day", 1),
    "week": ("day", 7), "fortnight": ("day", 14), "month": ("month", 1), "year": ("month", 12),
    "decade": ("month", 120), "year-old": ("age", 1),
}  # fmt: skip
_ROUNDING = 0.03
_ROUGHLY = 0.15
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|approximately|some|over|more than|just|close to)\W*$", re.I
)


class Number(NamedTuple):
    """A number of a text: what it measures ("" if nothing known), and its value in the smallest unit."""

    value: float
    measures: str


def agree(said: Number, told: Number, text: str, at: int) -> bool:
    """Whether a number at a place of a clause says what the note tells, "about" a number more loosely."""
    is_rough = _ABOUT.search(text, max(0, at - 25), at) is not None
    share = _ROUGHLY if is_rough else _ROUNDING
    is_same_thing = said.measures == told.measures or not said.measures
    return is_same_thing and abs(said.value - told.value) <= share * abs(told.value)


class Token(NamedTuple):
    """A word as `text[start:end]`: its concept first, then what it is a kind of.

    A segment ends at a semicolon, a chunk at a comma or bracket. `weight` is 0 for words that say nothing.
    """

    start: int
    end: int
    concepts: tuple[str, ...]
    weight: float
    segment: int
    chunk: int
    number: Number | None = None

    @property
    def concept(self) -> str:
        """What the word itself means."""
        return self.concepts[0]


def tokens(text: str, start: int, end: int) -> list[Token]:
    """The words of `text[start:end]`."""
    found: list[Token] = []
    segment = chunk = 0
    for word, begin, stop in _words(text, start, end):
        segment += word in _SEGMENT_ENDS
        chunk += word in _CHUNK_ENDS or word in _SEGMENT_ENDS
        for concept in _meanings(word, found):
            number = _number(concept)
            weight = 1.0 if number else weight_of(concept)
            found.append(Token(begin, stop, kinds_of(concept), weight, segment, chunk, number))
    return _with_units(found)


def _words(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Words, and phrases of the synonym table as one, with their places."""
    at = start
    for begin, stop in phrases_in(text, start, end):
        yield from ((hit[0], *hit.span()) for hit in WORD.finditer(text, at, begin))
        yield " ".join(text[begin:stop].lower().split()), begin, stop
        at = stop
    yield from ((hit[0], *hit.span()) for hit in WORD.finditer(text, at, end))


def _meanings(word: str, before: Sequence[Token]) -> tuple[str, ...]:
    """The concepts of a word; a lone capital L is left unless it follows a number (3 L)."""
    if word in _SIDES and not (before and before[-1].number):
        return (_SIDES[word],)
    return concepts_of(word.lower())


def _number(concept: str) -> Number | None:
    if concept[0].isdigit():
        return Number(float(concept.replace(",", "")), "")
    said = _number_words().get(concept)
    return None if said is None else Number(said, "")


def _with_units(found: list[Token]) -> list[Token]:
    """Give each number what it counts: a unit, or the concept after it."""
    for place, token in enumerate(found):
        # "Two units of red cells" counts red cells.
        counted = (each for each in range(place + 1, len(found)) if found[each].concept not in ("unit", "of"))
        at = next(counted, place)
        after = found[at] if at > place else None
        if token.number and after and after.chunk == token.chunk and not after.number:
            measures, factor = _units().get(after.concept, (after.concept, 1.0))
            found[place] = token._replace(number=Number(token.number.value * factor, measures))
            if after.concept in _units():
                found[at] = after._replace(weight=0.0)
    return found


@cache
def _number_words() -> dict[str, float]:
    return {stem(word): float(value) for word, value in _NUMBERS.items()}


@cache
def _units() -> dict[str, tuple[str, float]]:
    return {stem(unit): (measures, float(factor)) for unit, (measures, factor) in _UNITS.items()}
