"""Cutting a document into passages that a model can read at once, at the ends of paragraphs or sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clinragen.knowledge.reading import diagnoses
from clinragen.schema import Document

LONGEST = 4000
"""Characters of a passage: about a thousand tokens."""

_BREAKS = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?])\s+", r"\s+"))


@dataclass(frozen=True, slots=True)
class Passage:
    """`text` is `document.text[start:]` up to the passage's end."""

    document: Document
    start: int
    text: str


def passages(document: Document) -> Iterator[Passage]:
    """The passages of a document, in order; together they are its text."""
    start = 0
    while start < len(document.text):
        end = _end(document.text, start)
        yield Passage(document, start, document.text[start:end])
        start = end


def can_yield(passage: Passage) -> bool:
    """Whether a fact may stand here: it would have to name one of our diagnoses."""
    return bool(diagnoses(passage.text))


def _end(text: str, start: int) -> int:
    """The last good place to cut before the passage grows too long."""
    limit = start + LONGEST
    if len(text) <= limit:
        return len(text)
    for pattern in _BREAKS:
        ends = [hit.end() for hit in pattern.finditer(text, start, limit)]
        if ends and ends[-1] > start + LONGEST // 4:
            return ends[-1]
    return limit
