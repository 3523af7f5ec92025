"""Words as concepts: abbreviations, synonyms and inflections made equal, by tables that anyone can read."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain

WORD = re.compile(
    r"(?i:non)-(?=\w)|\d+(?:,\d{3})+|\d+(?:\.\d+)?|[^\W\d_]+(?:['’]s\b)?(?:-[^\W\d_]+)*|[;,:()?%]"
)
SHORTEST = 3
"""Words up to so long are abbreviations, which nothing is inflected to ("HIV" is no "hives")."""
_BEGINNING = re.compile(r"(?<![\w-])(?:\w+|\S)")
_BLANKS = {ord(blank): " " for blank in "\n\r\t\f\v\u00a0"}
_HYPHENATED = ("year-old",)
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
_AMERICAN = {
    "ae": "e",
    "oe": "e",
    "our": "or",
    "isation": "ization",
    "isa": "iza",
    "ise": "ize",
    "isi": "izi",
}
_BRITISH = re.compile(
    r"(?<=\w)(?:ae|oe)(?=\w{2})|oe(?=\w{3})|ae(?=\w{3})|(?<=\w{3})our\b|(?<=\w{4})(?:isation|ise\b|isi(?=ng))"
)


@cache
def concepts_of(word: str) -> tuple[str, ...]:
    """What a word or phrase in lower case means, as one concept or several.

    What it means is read as any text is, so that a phrase and its meaning are the same concepts.
    """
    return _meaning(word, ())


def _meaning(word: str, through: tuple[str, ...]) -> tuple[str, ...]:
    """The concepts of a word that entries led to; where they lead in a circle, all are one concept."""
    if word == "%":
        return (stem("percent"),)
    if not word[0].isalnum():
        return ()
    entry = _entry(word)
    if entry is None and "-" in word and stem(word) not in _single():
        return tuple(concept for part in word.split("-") if part for concept in concepts_of(part))
    if entry is None:
        return (stem(word),)
    if entry in through:
        return (stem(min(through[through.index(entry) :])),)
    means = _synonyms()[entry]
    return tuple(concept for part in pieces(means) for concept in _meaning(part, (*through, entry)))


def _entry(word: str) -> str | None:
    """The entry of the synonym table for a word, as it is or inflected."""
    if word in _synonyms():
        return word
    if len(word) <= SHORTEST or stem(word) in _general():
        return None
    return next(
        (entry for entry in _inflected_entries().get(stem(word), ()) if _is_inflection(word, entry)), None
    )


def _is_inflection(word: str, entry: str) -> bool:
    """Whether a word is an entry with an ending, not the other way round ("alcohol" is not "alcoholic")."""
    return len(word) >= len(entry) or word[-1:] in "ey"


@cache
def stem(word: str) -> str:
    """A word without its inflection, in American spelling; made for comparing only."""
    word = _BRITISH.sub(lambda hit: _AMERICAN[hit[0]], word)
    for pattern, ending in _SUFFIXES:
        if len(word) > 3:
            word = pattern.sub(ending, word)
    return word


def pieces(text: str) -> Iterator[str]:
    """The words of a text in lower case, and the phrases of the synonym table as one."""
    at = 0
    for begin, stop in phrases_in(text, 0, len(text)):
        yield from (hit[0] for hit in WORD.finditer(text, at, begin))
        yield text[begin:stop]
        at = stop
    yield from (hit[0] for hit in WORD.finditer(text, at))


def phrases_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The places of entries that `WORD` would cut into pieces, from left to right, the longest first."""
    told = text.lower().translate(_BLANKS)
    if len(told) != len(text):
        return
    at = start
    for begin in _BEGINNING.finditer(told, start, end):
        if begin.start() >= at:
            stop = next(_phrases_from(told, begin[0], begin.start(), end), at)
            if stop > at:
                yield begin.start(), stop
                at = stop


def _phrases_from(told: str, first: str, begin: int, end: int) -> Iterator[int]:
    for phrase in _phrases().get(first, ()):
        stop = begin + len(phrase)
        is_whole = stop >= len(told) or not (told[stop].isalnum() or told[stop] == "_")
        if stop <= end and is_whole and told.startswith(phrase, begin):
            yield stop


@cache
def _phrases() -> Mapping[str, Sequence[str]]:
    """By its first word, every entry that `WORD` would cut into pieces, the longest first."""
    found: dict[str, list[str]] = {}
    for phrase in sorted(_synonyms(), key=lambda phrase: (-len(phrase), phrase)):
        first = _BEGINNING.match(phrase)
        if first and len(phrase) > 1 and not WORD.fullmatch(phrase):
            found.setdefault(first[0], []).append(phrase)
    return found


@cache
def _synonyms() -> dict[str, str]:
    """Phrase -> what it means; the first table that has a phrase decides, and none leads in a circle."""
    found: dict[str, str] = {}
    for row in chain(rows("denials"), rows("synonyms")):
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
            ahead += known.get(word, "").split()
    return found


@cache
def denials() -> frozenset[str]:
    """Words that deny what they mean: "afebrile" is no fever."""
    return frozenset(row["phrase"] for row in rows("denials"))


@cache
def _inflected_entries() -> Mapping[str, Sequence[str]]:
    """Entries by their stems, the shortest first; abbreviations are not inflected ("uses" is no "US")."""
    found: dict[str, list[str]] = {}
    for phrase in sorted(_synonyms(), key=len):
        if len(phrase) > 4:
            found.setdefault(stem(phrase), []).append(phrase)
    return found


@cache
def _general() -> frozenset[str]:
    """Stems of words that say little, which no entry may claim by its own stem ("states" is not "static")."""
    return frozenset(stem(word) for row in rows("weights") for word in row["words"].split())


@cache
def _single() -> frozenset[str]:
    """Hyphenated words that are one concept."""
    words = [row["word"] for name in ("kinds", "contrasts") for row in rows(name)]
    return frozenset(stem(word) for word in (*words, *_HYPHENATED) if "-" in word)


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of `note_NAME.csv`, then of all tables of `words` that begin with the name."""
    here = files("clinragen.grounding")
    tables = sorted(
        (each for each in (here / "words").iterdir() if each.name.startswith(name)), key=lambda t: t.name
    )
    for path in (here / f"note_{name}.csv", *tables):
        with path.open(encoding="utf-8") as table:
            yield from csv.DictReader(table)
