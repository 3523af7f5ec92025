"""The sections and sentences of a clinical note, with exact character spans."""

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

OTHER = "other"
FAMILY = "family history"

# A known heading with its colon at the start of a line or after a sentence, or "Exam - " at the start of a
# line; or a line that is in capitals or ends in a colon, known or not.
_INLINE = re.compile(
    r"(?:^[ \t]*|(?<=[.;] ))(?P<name>[A-Za-z][A-Za-z /&-]{1,39}?)[ \t]*(?::|(?<= )-(?= ))", re.M
)
_ALONE = re.compile(r"^[ \t]*(?P<name>[A-Z][A-Za-z /&-]{2,39}:|[A-Z][A-Z /&-]{3,39})[ \t]*$", re.M)

_END = re.compile(r"[.!?]+[\"')\]]*(?=\s|$)|\n+")
_LAST_WORD = re.compile(r"[\w./]+$")
_ABBREVIATIONS = frozenset(
    {"dr", "mr", "mrs", "ms", "st", "vs", "approx", "ca", "e.g", "i.e", "pt", "pts", "dx", "hx", "tx", "fig"}
    | {"resp", "temp", "vit", "inc", "et", "al", "d", "jr", "sr"}
)
_SPECIES = re.compile(
    r"\s+(?:diff|coli|pylori|aureus|pneumoniae|faecalis|faecium|albicans|glabrata|marcescens|cloacae|pyogenes|"
    r"aeruginosa|maltophilia|baumannii|fragilis)",
    re.I,
)


class Span(NamedTuple):
    """`text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a note: from its heading at `start` over its text from `body` to `end`.

    `title` is of the closed set of `section_titles`; "other" is what stands before any
    heading or below an unknown one.
    """

    title: str
    start: int
    body: int
    end: int


@cache
def section_titles() -> tuple[str, ...]:
    """The closed set of titles that headings are normalised to."""
    return (*dict.fromkeys(_titles().values()), OTHER)


def sections(note: str) -> tuple[Section, ...]:
    """The sections of a note in order; together they cover it all."""
    headings = sorted(_with_closed_families(note, _headings(note)))
    if not headings or headings[0][0] > 0:
        headings = [(0, 0, OTHER), *headings]
    ends = [*(start for start, _, _ in headings[1:]), len(note)]
    return tuple(
        Section(title, start, body, end) for (start, body, title), end in zip(headings, ends, strict=True)
    )


def sentences(text: str) -> tuple[Span, ...]:
    """The sentences of a text in order, without the blanks around them.

    A line break ends a sentence unless the next line goes on in lower case.
    """
    edges = [0, *(end.end() for end in _END.finditer(text) if _is_end(text, end)), len(text)]
    trimmed = (_trim(text, start, end) for start, end in pairwise(edges))
    return tuple(span for span in trimmed if span.start < span.end)


def _headings(note: str) -> list[tuple[int, int, str]]:
    """(start, end of the heading, title), in order."""
    found: dict[int, tuple[int, str]] = {}
    for hit in _ALONE.finditer(note):
        found[hit.start("name")] = hit.end(), _titles().get(_key(hit["name"]), OTHER)
    for hit in _INLINE.finditer(note):
        if title := _titles().get(_key(hit["name"])):
            found[hit.start("name")] = hit.end(), title
    return [(start, end, title) for start, (end, title) in sorted(found.items())]


def _with_closed_families(note: str, headings: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """A family history told in the line of its heading ends there: what follows is the patient's again."""
    closed = list(headings)
    for _, body, title in headings:
        line_end = note.find("\n", body)
        if title == FAMILY and note[body:line_end].strip() and line_end > 0:
            next_line = line_end + 1
            if next_line < len(note) and not any(begin == next_line for begin, _, _ in headings):
                closed.append((next_line, next_line, OTHER))
    return closed


def _key(heading: str) -> str:
    return " ".join(heading.lower().rstrip(": \t").split())


@cache
def _titles() -> dict[str, str]:
    with (files("clinragen.clinical") / "headings.csv").open(encoding="utf-8") as table:
        return {row["heading"]: row["title"] for row in csv.DictReader(table)}


def _is_end(text: str, mark: re.Match[str]) -> bool:
    after = text[mark.end() :].lstrip()[:1] if mark.end() < len(text) else ""
    if mark[0].startswith("\n"):
        return len(mark[0]) > 1 or not after.islower()
    if mark[0][0] == "?" and (after.islower() or text[: mark.start()][-1:].isspace()):
        return False
    return mark[0][0] != "." or not _is_abbreviated(text, mark, after)


def _is_abbreviated(text: str, mark: re.Match[str], after: str) -> bool:
    """Whether a full stop belongs to the word before it: Dr., C. difficile, the 1. of a list; not 3 L."""
    word_match = _LAST_WORD.search(text, max(0, mark.start() - 20), mark.start())
    if word_match is None:
        return after.islower()
    word, before = word_match[0], text[max(0, word_match.start() - 4) : word_match.start()]
    if word.isdigit():
        return not before.strip(" ") or before.endswith("\n")
    if len(word) == 1 and word.isupper() and not before.rstrip()[-1:].isdigit():
        return after.islower() or _SPECIES.match(text, mark.end()) is not None
    if word.lower() == "no":
        return after.isdigit()
    return word.lower() in _ABBREVIATIONS and (after.islower() or word[0].isupper())


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), max(start, start + len(piece.rstrip())))
