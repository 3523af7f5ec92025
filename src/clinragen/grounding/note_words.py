"""The words of a text as tokens: their concepts, what they weigh, and the numbers with what they count."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise, takewhile
from typing import NamedTuple

from clinragen.grounding.note_concepts import WORD, concepts_of, phrases_in, stem
from clinragen.grounding.note_kinds import classes, kinds_of, weight_of

_CHUNK_ENDS, _SEGMENT_ENDS = frozenset(",()"), frozenset(";")
_SIDES = {"L": "left", "R": "right"}
_SUSCEPTIBILITY = {"R": "resistant", "S": "susceptible"}
_NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100,
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
    "decade": ("month", 120), "year-old": ("age", 1), "percent": ("percent", 1),
}  # fmt: skip
_LABELS = ("grade", "stage", "type", "class", "degree")
"""What a number follows that it is the number of: "grade 2"."""
_TIMES = ("times", "x")
_COUNTED = 3
"""So many words after a number may be what it counts: "four appropriate ICD shocks"."""
_ROUNDING = 0.03
_ROUGHLY = 0.15
_ABOUT = re.compile(r"\b(?:about|around|roughly|nearly|almost|approximately|some|just|close to)\W*$", re.I)
_BOUND = re.compile(r"\b(?:(?P<above>over|more than|at least|above)|less than|under|below|at most)\W*$", re.I)


class Number(NamedTuple):
    """A number of a text: what it measures ("" if nothing known), and its value in the smallest unit.

    `counts` are the words after it, any of which it may count.
    """

    value: float
    measures: str
    counts: frozenset[str] = frozenset()

    def is_like(self, other: "Number") -> bool:
        """Whether both measure or count the same thing."""
        is_counted = self.measures in other.counts or other.measures in self.counts
        return is_counted or self.measures == other.measures


def agree(said: Number, told: Number, text: str, at: int) -> bool:
    """Whether a number at a place of a clause says what the note tells, "about" a number more loosely."""
    if bound := _BOUND.search(text, max(0, at - 25), at):
        is_kept = told.value >= said.value if bound["above"] else told.value <= said.value
        return is_kept and (not said.measures or said.is_like(told))
    is_rough = _ABOUT.search(text, max(0, at - 25), at) is not None
    share = _ROUGHLY if is_rough else _ROUNDING
    is_same_thing = not said.measures or said.is_like(told)
    return is_same_thing and abs(said.value - told.value) <= share * abs(told.value)


class Token(NamedTuple):
    """A word as `text[start:end]`: its concept, and with it what that is a kind of (`concepts`).

    A segment ends at a semicolon, a chunk at a comma or bracket. `weight` is 0 for words that say nothing.
    """

    start: int
    end: int
    concept: str
    concepts: tuple[str, ...]
    weight: float
    segment: int
    chunk: int
    number: Number | None = None


_Meaning = tuple[str, tuple[str, ...], float, Number | None]


def tokens(text: str, start: int, end: int) -> list[Token]:
    """The words of `text[start:end]`."""
    found: list[Token] = []
    segment = chunk = 0
    for word, begin, stop in _words(text, start, end):
        segment += word in _SEGMENT_ENDS
        chunk += word in _CHUNK_ENDS or word in _SEGMENT_ENDS
        for concept, kinds, weight, number in _meanings(word, found):
            found.append(Token(begin, stop, concept, kinds, weight, segment, chunk, number))
    return _with_units(_with_susceptibility(text, found))


def _words(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Words, and phrases of the synonym table as one, with their places."""
    at = start
    for begin, stop in phrases_in(text, start, end):
        yield from ((hit[0], *hit.span()) for hit in WORD.finditer(text, at, begin))
        yield " ".join(text[begin:stop].lower().split()), begin, stop
        at = stop
    yield from ((hit[0], *hit.span()) for hit in WORD.finditer(text, at, end))


def _meanings(word: str, before: Sequence[Token]) -> tuple[_Meaning, ...]:
    """What a word means; a lone capital L is left unless it follows a number (3 L)."""
    is_side = word in _SIDES and not (before and before[-1].number)
    return _known(_SIDES[word] if is_side else word.lower())


@lru_cache(maxsize=1 << 15)
def _known(word: str) -> tuple[_Meaning, ...]:
    """The concepts of a word, each with what it is a kind of, its weight, and its number if it is one."""
    found = []
    for concept in concepts_of(word):
        number = _number(concept)
        found.append((concept, kinds_of(concept), 1.0 if number else weight_of(concept), number))
    return tuple(found)


def _number(concept: str) -> Number | None:
    if concept[0].isdigit():
        return Number(float(concept.replace(",", "")), "")
    said = _number_words().get(concept)
    return None if said is None else Number(said, "")


def _with_susceptibility(text: str, found: list[Token]) -> list[Token]:
    """A lone R or S before a drug says what the organism is: "R pip-tazo, S meropenem"."""
    for place, (token, after) in enumerate(pairwise(found)):
        means = _SUSCEPTIBILITY.get(text[token.start : token.end])
        if means and classes().get(after.concept) == "drug":
            concept = concepts_of(means)[0]
            found[place] = token._replace(concept=concept, concepts=kinds_of(concept), weight=1.0)
    return found


def _with_units(found: list[Token]) -> list[Token]:
    """Give each number what it counts: a unit, the concept after it, or what happened so many times."""
    for place, token in enumerate(found):
        if token.number is None:
            continue
        # "Two units of red cells" counts red cells.
        counted = (each for each in range(place + 1, len(found)) if found[each].concept not in ("unit", "of"))
        at = next(counted, place)
        after = found[at] if at > place else None
        told = _label(found, place, after)
        if told:
            found[place] = token._replace(number=Number(token.number.value, told))
        elif after and after.chunk == token.chunk and not after.number:
            measures, factor = _units().get(after.concept, (after.concept, 1.0))
            counts = frozenset() if after.concept in _units() else _counts(found, at)
            found[place] = token._replace(number=Number(token.number.value * factor, measures, counts))
            if after.concept in _units():
                found[at] = after._replace(weight=0.0)
    return found


def _label(found: Sequence[Token], place: int, after: Token | None) -> str:
    """What stands before a number that it belongs to: "grade 2", "dialysed three times", "HD x1"."""
    before = found[place - 1].concept if place else ""
    if before in _labels():
        return before
    if before in _times():
        return found[place - 2].concept if place > 1 else ""
    return before if after and after.concept in _times() else ""


def _counts(found: Sequence[Token], at: int) -> frozenset[str]:
    """The words from a place on that one number may count."""
    ahead = takewhile(
        lambda each: each.chunk == found[at].chunk and not each.number, found[at : at + _COUNTED]
    )
    return frozenset(each.concept for each in ahead if each.weight)


@cache
def _labels() -> frozenset[str]:
    return frozenset(stem(word) for word in _LABELS)


@cache
def _times() -> frozenset[str]:
    return frozenset(stem(word) for word in _TIMES)


@cache
def _number_words() -> dict[str, float]:
    return {stem(word): float(value) for word, value in _NUMBERS.items()}


@cache
def _units() -> dict[str, tuple[str, float]]:
    return {stem(unit): (measures, float(factor)) for unit, (measures, factor) in _UNITS.items()}
