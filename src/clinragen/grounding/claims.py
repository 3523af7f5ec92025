"""The claims of a text and whether the chart of a stay supports them."""

import re
from functools import lru_cache

from clinragen.clinical.words import mentions
from clinragen.grounding.note import check_note_clause, note_index
from clinragen.grounding.remarks import is_heading, is_remark
from clinragen.grounding.sentences import Clause, clauses
from clinragen.grounding.series import (
    UNMEASURED,
    Context,
    SeriesIndex,
    check_series_clause,
    check_unmeasured,
    series_index,
)
from clinragen.schema import Claim, Stay

_AWAITED = re.compile(
    r"\b(?:await(?:ed|ing|s)|pending|sent|outstanding|to follow|not (?:yet )?back|requested|planned)\b", re.I
)
_SENTENCE = re.compile(r"[^.;\n]+")


def check(text: str, stay: Stay) -> tuple[Claim, ...]:
    """Check every clause of a rationale against the stay; claims are ordered and never overlap.

    A clause that reads as a statement about a variable is decided by the measurements, every other one
    by the note; a clause that states nothing checkable gives no claim.
    """
    series, note = series_index(stay), _note_index(stay.note)
    found: list[Claim] = []
    spoken_of, before = Context(), ""
    for clause in clauses(text):
        claim, spoken_of = check_series_clause(clause, series, spoken_of)
        if is_remark(clause.text) or is_heading(clause.text, claim is not None):
            continue
        if claim is None:
            claim = check_unmeasured(clause, series, stay.note)
        if claim is None or (claim.reason.endswith(UNMEASURED) and _is_awaited(clause, series, stay.note)):
            claim = check_note_clause(clause.text, clause.start, note, before)
        before = clause.text
        if claim is not None:
            found.append(claim)
    return tuple(found)


def _is_awaited(clause: Clause, series: SeriesIndex, note: str) -> bool:
    """Whether the note still waits for the value of a variable without measurements, so that it decides."""
    missing = {name for mention in mentions(clause.text) for name in mention.word.variables}
    if any(series.of(name) for name in missing):
        return False
    waiting = [hit[0] for hit in _SENTENCE.finditer(note) if _AWAITED.search(hit[0])]
    return any(missing.intersection(mention.word.variables) for part in waiting for mention in mentions(part))


# The two rationales of a stay are checked one after the other: its note is indexed once.
_note_index = lru_cache(maxsize=8)(note_index)
