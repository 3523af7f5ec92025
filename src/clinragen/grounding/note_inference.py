"""Inferences: "suggesting sepsis", "due to the fall".

A note supports one only where it draws that very link.
"""

import csv
import re
from functools import cache
from importlib.resources import files

from clinragen.clinical.phrases import any_phrase
from clinragen.grounding.note_compare import Comparison
from clinragen.grounding.note_forms import forms_of
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_views import sentences_of
from clinragen.grounding.note_words import tokens

SURELY = 0.8
"""How well each word of what is inferred must be answered."""
_OPEN = frozenset({"open", "not open"})
"""An inference may be told more or less surely than in the note."""
_LEAD = (
    r"(?:(?:and|but|so|all|both|together|which|that|this|these|those|it|they|the|a|an|findings?|picture|pattern|"
    r"is|are|was|were|be|been|has|have|may|might|could|would|must|can|most|more|strongly|highly|clearly|also|again|"
    r"therefore|thus|hence|thereby|likely|probably|possibly|presumably|perhaps|seems?|to)\s+)*"
)


def opens_inference(text: str) -> bool:
    """Whether a clause only tells what the one before means, or where that comes from."""
    return _opener().match(text) is not None


def is_drawn(clause: NoteIndex, before: str, note: NoteIndex, found: Comparison | None) -> bool:
    """Whether the place of the note that answers an inference draws it too, and from the same finding."""
    if found is None or {difference.kind for difference in found.differences} - _OPEN:
        return False
    inferred = [place for place, token in clause.told() if token.weight == 1]
    is_said = all(found.view.fit.get(place, 0.0) >= SURELY for place in inferred)
    is_link = bool(forms_of(sentences_of(note, found.view))["cause"])
    return is_said and is_link and _starts(before, note, found)


def _starts(before: str, note: NoteIndex, found: Comparison) -> bool:
    """Whether the place speaks of what the inference is drawn from."""
    told = {token.concept for token in tokens(before, 0, len(before)) if token.weight == 1}
    there = (at for number in found.view.sentences for at in note.tokens_of[number])
    return any(note.tokens[at].concept in told for at in there)


@cache
def _opener() -> re.Pattern[str]:
    with (files("clinragen.grounding") / "note_inferences.csv").open(encoding="utf-8") as table:
        phrases = [row["phrase"] for row in csv.DictReader(table)]
    return re.compile(rf"\W*{_LEAD}(?:{any_phrase(phrases)})(?![\w-])", re.I)
