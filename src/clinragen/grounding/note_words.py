"""The words of a note as concepts: abbreviations, synonyms, inflections, numbers and sides made equal."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from clinragen.clinical.phrases import any_phrase

_WORD = re.compile(
    r"(?i:non)-(?=\w)|\d+(?:,\d{3})+|\d+(?:\.\d+)?|[^\W\d_]+(?:['’]s\b)?(?:-[^\W\d_]+)*|[;,:()?]"
)
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
_ABOUT = re.compile(r"\b(?:about|around|roughly|nearly|almost|approximately|some|over|more than|just|close to)\W*$", re.I)
_SUFFIXES = (
    (re.compile(r"(?:'s|’s)$"), ""),
    (re.compile(r"(?<=[a-z]{4})(?:ia|ic|ical|ically)$"), ""),
    (re.compile(r"ies$"), "y"),
    (re.compile(r"(?:(?<=[sxz])|(?<=[cs]h))es$"), ""),
    (re.compile(r"(?<=[^sui])s$"), ""),
    (re.compile(r"([b-df-hj-np-rtv-z])\1(?:ed|ing)$"), r"\1"),
    (re.compile(r"(?<=[a-z]{2}[^e\W])(?:ed|ing)$"), ""),
    (re.compile(r"(?<=[a-z]{3})ly$"), ""),
    (re.compile(r"(?<=[a-z]{3})ness$"), ""),
    (re.compile(r"(?<=[a-z]{3})e$"), ""),
)
_AMERICAN = {"ae": "e", "oe": "e", "our": "or", "isation": "ization", "isa": "iza", "ise": "ize", "isi": "izi"}
_BRITISH = re.compile(r"(?<=\w)(?:ae|oe)(?=\w{2})|oe(?=\w{3})|ae(?=\w{3})|(?<=\w{3})our\b|(?<=\w{4})(?:isation|ise\b|isi(?=ng))")
_PLACES = frozenset({"bodypart", "test"})
_PROCEDURE = re.compile(r"\w(?:ectomy|otomy|ostomy|plasty|scopy|centesis|graphy|ation therapy)$")


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
            found.append(Token(begin, stop, _kinds(concept), weight, segment, chunk, number))
    return _with_units(found)


@cache
def is_place_or_test(concept: str, *kinds: str) -> bool:
    """Whether a word names a part of the body or a test, which nobody denies: "no bleed in the head"."""
    return not set(kinds or _PLACES).isdisjoint(_generals().get(concept, ()))


@cache
def contrasts() -> Mapping[str, Mapping[str, str]]:
    """Concept -> {class: side}: two sides of one class exclude each other, such as left and right."""
    table: dict[str, dict[str, str]] = {}
    for row in _rows("contrasts"):
        for concept in _concepts(row["word"])[-1:]:
            table.setdefault(concept, {}).setdefault(row["class"], row["side"])
    return table


@cache
def classes() -> Mapping[str, str]:
    """Concept -> "drug" or "organism": members are never interchangeable."""
    return {concept: row["class"] for row in _rows("kinds") if row["class"] for concept in _one(row["word"])}


def _one(word: str) -> tuple[str, ...]:
    """The concept of a table's word, if it is one."""
    concepts = _concepts(word)
    return concepts if len(concepts) == 1 else ()


@cache
def stem(word: str) -> str:
    """A word without its inflection, in American spelling; made for comparing only."""
    word = _BRITISH.sub(lambda hit: _AMERICAN[hit[0]], word)
    for pattern, ending in _SUFFIXES:
        if len(word) > 3:
            word = pattern.sub(ending, word)
    return word


@cache
def weight_of(concept: str) -> float:
    """How much a word says: 0 for grammar and reporting, little for general words, else 1."""
    return _weights().get(concept, 0.0 if len(concept) == 1 else 1.0)


def _words(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Words, and phrases of the synonym table as one, with their places."""
    at = start
    lowered = text.lower() if len(text.lower()) == len(text) else text
    for phrase in _phrase_finder().finditer(lowered, start, end):
        yield from ((hit[0], *hit.span()) for hit in _WORD.finditer(text, at, phrase.start()))
        yield " ".join(phrase[0].split()), *phrase.span()
        at = phrase.end()
    yield from ((hit[0], *hit.span()) for hit in _WORD.finditer(text, at, end))


def _meanings(word: str, before: Sequence[Token]) -> tuple[str, ...]:
    """The concepts of a word; a lone capital L is left unless it follows a number (3 L)."""
    if word in _SIDES and not (before and before[-1].number):
        return (_SIDES[word],)
    return _concepts(word.lower())


@cache
def _concepts(word: str) -> tuple[str, ...]:
    if not word[0].isalnum():
        return ()
    means = _synonyms().get(word) or _inflected_synonyms().get(stem(word))
    if means is None and "-" in word and stem(word) not in _single():
        return tuple(concept for part in word.split("-") if part for concept in _concepts(part))
    if means is None:
        return (stem(word),)
    return tuple(concept for part in means.split() for concept in _resolved(part, word))


def _resolved(part: str, word: str) -> tuple[str, ...]:
    """A part of what a word means, which may itself be a synonym (but not of the word)."""
    means = _synonyms().get(part)
    is_final = means is None or part == word or part in means.split() or word in means.split()
    return (stem(part),) if is_final else _concepts(part)


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
def _kinds(concept: str) -> tuple[str, ...]:
    """A concept, then all that it is a kind of or is made of, the nearest first."""
    found = [concept]
    for each in found:
        found += [general for general in _generals_of(each) if general not in found]
    return tuple(found)


def _generals_of(concept: str) -> tuple[str, ...]:
    parts = _parts(concept)
    kind = ("procedur",) if _PROCEDURE.search(concept) else ()
    return (*_generals().get(concept, ()), *parts, *kind)


@cache
def _parts(concept: str) -> tuple[str, ...]:
    """What a Greek or Latin compound is made of: "splenectomy" of the spleen and of removal."""
    roots, endings = _compounds()
    for cut in range(3, len(concept) - 2):
        means = endings.get(concept[cut:])
        root = means and next((roots[form] for form in (concept[:cut], concept[:cut].rstrip("oi")) if form in roots), None)
        if means and root:
            return tuple(stem(part) for part in f"{root} {means}".split())
    return ()


@cache
def _compounds() -> tuple[dict[str, str], dict[str, str]]:
    rows = list(_rows("roots"))
    roots = {row["part"]: row["means"] for row in rows if row["position"] == "begin"}
    endings = {form: row["means"] for row in rows if row["position"] == "end" for form in (stem(row["part"]), row["part"])}
    return roots, endings


@cache
def _number_words() -> dict[str, float]:
    return {stem(word): float(value) for word, value in _NUMBERS.items()}


@cache
def _generals() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows("kinds"):
        for word in _one(row["word"]):
            known = found.get(word, ())
            general = tuple(concept for part in row["general"].split() for concept in _concepts(part))
            found[word] = (*known, *(concept for concept in general if concept not in known and concept != word))
    return found


@cache
def _synonyms() -> dict[str, str]:
    """Phrase -> what it means; the first of the tables that has a phrase decides, and none leads in a circle."""
    found: dict[str, str] = {}
    for row in _rows("synonyms"):
        phrase = row["phrase"].lower()
        if phrase not in found and phrase not in _all_meanings(row["means"], found):
            found[phrase] = row["means"].lower()
    return found


def _all_meanings(means: str, known: Mapping[str, str]) -> set[str]:
    """Every word that a meaning leads to."""
    found: set[str] = set()
    ahead = [means, *means.split()]
    while ahead:
        word = ahead.pop()
        if word not in found:
            found.add(word)
            ahead += [next_word for next_word in known.get(word, "").split()]
    return found


@cache
def _inflected_synonyms() -> dict[str, str]:
    """Stems of entries that are words; abbreviations are not inflected ("uses" is no "US")."""
    return {stem(phrase): means for phrase, means in _synonyms().items() if len(phrase) > 4}


@cache
def _phrase_finder() -> re.Pattern[str]:
    """Entries that `_WORD` would cut into pieces, the longest first."""
    phrases = [phrase for phrase in _synonyms() if not _WORD.fullmatch(phrase)]
    return re.compile(rf"(?<![\w-])(?:{any_phrase(phrases)})(?!\w)")


@cache
def _single() -> frozenset[str]:
    """Hyphenated words that are one concept."""
    words = [row["word"] for name in ("kinds", "contrasts") for row in _rows(name)]
    return frozenset([*(stem(word) for word in words if "-" in word), *_units()])


@cache
def _units() -> dict[str, tuple[str, float]]:
    return {stem(unit): (measures, float(factor)) for unit, (measures, factor) in _UNITS.items()}


@cache
def _weights() -> dict[str, float]:
    return {
        form: float(row["weight"])
        for row in reversed(list(_rows("weights")))
        for word in row["words"].split()
        for form in (word, stem(word))
    }


def _rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of `note_NAME.csv`, then of all tables of `words` that begin with the name."""
    here = files("clinragen.grounding")
    tables = sorted((each for each in (here / "words").iterdir() if each.name.startswith(name)), key=lambda t: t.name)
    for path in (here / f"note_{name}.csv", *tables):
        with path.open(encoding="utf-8") as table:
            yield from csv.DictReader(table)
