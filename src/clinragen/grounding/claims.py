"""The claims of a text and whether the chart of a stay supports them."""

import re
from dataclasses import dataclass, field
from functools import lru_cache, partial

from clinragen.clinical.words import mentions
from clinragen.grounding.backing import curated_index, with_fact
from clinragen.grounding.denial import with_denial_judged
from clinragen.grounding.entailment import Entailment, with_entailment
from clinragen.grounding.note import NoteIndex, check_note_clause, note_index
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
from clinragen.knowledge.inference import FactIndex
from clinragen.schema import Claim, Stay

_AWAITED = re.compile(
    r"\b(?:await(?:ed|ing|s)|pending|sent|outstanding|to follow|not (?:yet )?back|requested|planned)\b", re.I
)
_SENTENCE = re.compile(r"[^.;\n]+")


def check(
    text: str, stay: Stay, facts: FactIndex | None = None, entailment: Entailment | None = None
) -> tuple[Claim, ...]:
    """Check every clause of a rationale against the stay; claims are ordered and never overlap.

    A clause that reads as a statement about a variable is decided by the measurements, every other one
    by the note; a clause that states nothing checkable gives no claim. A model of entailment,
    if one is given, is asked about what the rules leave open of the note. What no chart can decide gets the
    fact that backs it, of `facts` or else of the curated base.
    """
    facts = facts or curated_index()
    chart = _Chart(series_index(stay), _note_index(stay.note))
    found: list[Claim] = []
    told, begins = _Told(), dict[int, int]()
    for clause in clauses(text):
        begin = begins.setdefault(clause.sentence, clause.start)
        claim, then = chart.judge(clause, told)
        claim = with_denial_judged(claim, clause, partial(chart.claim, told=told))
        if claim is not None:
            claim = with_entailment(claim, chart.note, entailment)
            found.append(with_fact(claim, text[begin : clause.end], facts))
        told = then
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Told:
    """What came before a clause: the variables spoken of, and the clause before it that was no remark."""

    spoken_of: Context = field(default_factory=Context)
    before: str = ""


@dataclass(frozen=True, slots=True)
class _Chart:
    """The two parts of a chart, read for checking."""

    series: SeriesIndex
    note: NoteIndex

    def judge(self, clause: Clause, told: _Told) -> tuple[Claim | None, _Told]:
        """What the chart says of a clause, and what has been told after it."""
        claim, spoken_of = check_series_clause(clause, self.series, told.spoken_of)
        if is_remark(clause.text) or is_heading(clause.text, claim is not None):
            return None, _Told(spoken_of, told.before)
        claim = claim or check_unmeasured(clause, self.series, self.note.text)
        if claim is None or (claim.reason.endswith(UNMEASURED) and self._is_awaited(clause)):
            claim = check_note_clause(clause.text, clause.start, self.note, told.before)
        return claim, _Told(spoken_of, clause.text)

    def claim(self, clause: Clause, told: _Told) -> Claim | None:
        """What the chart says of a clause."""
        return self.judge(clause, told)[0]

    def _is_awaited(self, clause: Clause) -> bool:
        """Whether the note waits for the value of a variable without measurements, so that it decides."""
        missing = {name for mention in mentions(clause.text) for name in mention.word.variables}
        if any(self.series.of(name) for name in missing):
            return False
        waiting = [hit[0] for hit in _SENTENCE.finditer(self.note.text) if _AWAITED.search(hit[0])]
        return any(missing.intersection(m.word.variables) for part in waiting for m in mentions(part))


# The two rationales of a stay are checked one after the other: its note is indexed once.
_note_index = lru_cache(maxsize=8)(note_index)
