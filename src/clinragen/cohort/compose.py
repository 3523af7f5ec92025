"""A short note from charted facts, for stays whose source has no prose: marked as composed.

Only what says why the patient came, what was known before, what was seen and what was given goes in,
never a code. An admission reason or a history may still name a label; the leakage audit counts that.
"""

from collections.abc import Iterable
from typing import NamedTuple


class ChartedFact(NamedTuple):
    """One charted fact: its kind is the beginning of its code, `said` its words."""

    kind: str
    said: str


_SENTENCES = (
    ("REASON", "Admitted for {}.", 3),
    ("HISTORY", "History: {}.", 7),
    ("EXAM", "Examination: {}.", 5),
    ("PROCEDURE", "Procedures so far: {}.", 4),
    ("DRUG", "Drugs so far: {}.", 6),
)
"""Kind of fact, the sentence that tells it, and the most items of that kind: 25 items in all."""

COMPOSED_KINDS = tuple(kind for kind, _, _ in _SENTENCES)


def compose_note(facts: Iterable[ChartedFact]) -> str:
    """One short note from facts in the order in which they were charted; "" where there are none."""
    told = list(dict.fromkeys(ChartedFact(kind, _tidy(said)) for kind, said in facts if _tidy(said)))
    sentences = []
    for kind, sentence, most in _SENTENCES:
        items = [fact.said for fact in told if fact.kind == kind][:most]
        if items:
            sentences.append(sentence.format("; ".join(items)))
    return " ".join(sentences)


def _tidy(said: str) -> str:
    return " ".join(said.split()).rstrip(".;, ")
