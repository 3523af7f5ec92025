"""Masking: what of a note states the coded answer is left out on request, and counted."""

from collections.abc import Callable
from itertools import pairwise

from clinragen.clinical.mentions import Mention, find_mentions, label_phrases
from clinragen.clinical.notes import sections, sentences

Masked = tuple[str, int]
"""A note after masking, and how many of its parts were left out."""

ANSWER_SECTIONS = frozenset({"hospital course", "discharge diagnosis"})
"""Sections that state, or sum up, what the stay was coded with; titles of `clinical.notes`."""


def mask_note(note: str, how: str) -> Masked:
    """The note without what `how` (a value of cohort.mask) leaves out."""
    return _MASKS[how](note)


def label_mentions(note: str) -> tuple[Mention, ...]:
    """Where the note names a label, by its own name or a synonym; `concept` is the label."""
    return find_mentions(note, label_phrases())


def without_answer_sections(note: str) -> Masked:
    """The note without the sections that state the answer, their headings included."""
    answers = [(part.start, part.end) for part in sections(note) if part.title in ANSWER_SECTIONS]
    return _without(note, answers)


def without_naming_sentences(note: str) -> Masked:
    """The note without every sentence that names a label, in whatever status."""
    mentions = label_mentions(note)
    starts = [*(sentence.start for sentence in sentences(note)), len(note)]
    naming = [
        (start, end)
        for start, end in pairwise(starts)
        if any(mention.start < end and start < mention.end for mention in mentions)
    ]
    return _without(note, naming)


def _without(note: str, spans: list[tuple[int, int]]) -> Masked:
    kept, at = [], 0
    for start, end in spans:
        kept.append(note[at:start])
        at = end
    return "".join([*kept, note[at:]]).strip(), len(spans)


_MASKS: dict[str, Callable[[str], Masked]] = {
    "none": lambda note: (note, 0),
    "sections": without_answer_sections,
    "mentions": without_naming_sentences,
}
