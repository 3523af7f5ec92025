"""The claims of a text and whether the chart of a stay supports them."""

from functools import lru_cache

from clinragen.grounding.note import check_note_clause, note_index
from clinragen.grounding.sentences import clauses
from clinragen.grounding.series import Context, check_series_clause, series_index
from clinragen.schema import Claim, Stay


def check(text: str, stay: Stay) -> tuple[Claim, ...]:
    """Check every clause of a rationale against the stay; claims are ordered and never overlap.

    A clause that reads as a statement about a variable is decided by the measurements, every other one
    by the note; a clause that states nothing checkable gives no claim.
    """
    series, note = series_index(stay), _note_index(stay.note)
    found: list[Claim] = []
    spoken_of = Context()
    for clause in clauses(text):
        claim, spoken_of = check_series_clause(clause, series, spoken_of)
        if claim is None:
            claim = check_note_clause(clause.text, clause.start, note)
        if claim is not None:
            found.append(claim)
    return tuple(found)


# The two rationales of a stay are checked one after the other: its note is indexed once.
_note_index = lru_cache(maxsize=8)(note_index)
