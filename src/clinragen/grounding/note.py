"""Does the note support what a clause says? The clause is read like a note, and the two are compared.

A clause is compared with the sentences of the note that share its words (see `note_views`): supported where
one covers it and nothing critical differs, contradicted where one covers it but for something critical (who,
whether, which side, number, drug, organism), unverifiable otherwise. What a clause infers is unverifiable
unless the note infers it too.
"""

import re
from collections.abc import Iterator

from clinragen.grounding.note_compare import Comparison, compare
from clinragen.grounding.note_index import NoteIndex, note_index
from clinragen.grounding.note_views import views
from clinragen.schema import Claim, Verdict

__all__ = ["NoteIndex", "check_note_clause", "note_index"]

COVERED = 0.7
"""The share of a clause's words that the note must hold to support it; `STATED` for an inference."""
TOLD_OTHERWISE = 0.55
STATED = 0.9
TWO_SENTENCES = 0.1
"""What reading two neighbouring sentences together costs against one that says it all."""

_INFERENCE = re.compile(
    r"\b(?:suggest\w*|consistent with|compatible with|in keeping with|indicat(?:e|es|ing|ive)|"
    r"point(?:s|ing)? to\w*|speak(?:s|ing)? for|support(?:s|ing)?|fit(?:s|ting)?|typical (?:of|for)|"
    r"characteristic of|hallmark|diagnostic of|driven by|due to|d/t|owing to|secondary to|"
    r"a (?:clue|sign|feature|picture|marker|result|consequence) (?:of|that)|"
    r"cause[sd]?|causing|because(?: of)?|account(?:s|ed|ing)? for|explain(?:s|ed|ing)?|attribut\w+|"
    r"responsible for|result(?:s|ed|ing)? (?:from|in)|led to|leads to|stem(?:s|med)? from|likely from|source|"
    r"reflect(?:s|ed|ing)?|represent(?:s|ed|ing)?|mean(?:s|ing)? that|impl(?:y|ies)|"
    r"followed (?:a|an|the)|will|would|is expected|prognosis|raises? (?:the )?(?:suspicion|concern)|"
    r"argu(?:es|ing) (?:for|against)|makes? .{0,40} (?:likely|unlikely|probable))\b|^\W*(?:as|so)\b",
    re.I,
)
_ADVICE = re.compile(
    r"\b(?:should|must|recommend\w*|advis\w+|needs? to|may need|remains? (?:central|important|essential))\b",
    re.I,
)
_RANK: dict[Verdict, int] = {"supported": 2, "contradicted": 1, "unverifiable": 0}


def check_note_clause(text: str, start: int, note: NoteIndex) -> Claim | None:
    """What the note says of one clause, which begins at `start` of its rationale; None if it says nothing."""
    clause = note_index(text)
    if _ADVICE.search(text) or not any(token.weight == 1 for token in clause.tokens):
        return None
    is_inferred = _INFERENCE.search(text) is not None
    best = max(_compared(clause, note), key=lambda found: _preference(found, is_inferred), default=None)
    if best is None:
        reason = "an inference" if is_inferred else "the note does not speak of this"
        return _claim(text, start, clause, "unverifiable", (), reason)
    verdict, reason = _verdict(best, is_inferred)
    return _claim(text, start, clause, verdict, (_evidence(note, best),), reason)


def _compared(clause: NoteIndex, note: NoteIndex) -> Iterator[Comparison]:
    for view in views(clause, note):
        yield compare(clause, note, view)


def _preference(found: Comparison, is_inferred: bool) -> tuple[float, int]:
    cost = TWO_SENTENCES * (len(found.view.sentences) - 1)
    return round(found.coverage - cost, 2), _RANK[_verdict(found, is_inferred)[0]]


def _verdict(found: Comparison, is_inferred: bool) -> tuple[Verdict, str]:
    if is_inferred:
        is_stated = not found.differences and found.coverage >= STATED and found.is_inferred_by_note
        return ("supported", "the note states it") if is_stated else ("unverifiable", "an inference")
    if found.differences and found.coverage >= TOLD_OTHERWISE:
        verdict: Verdict = "contradicted" if found.is_firm else "unverifiable"
        return verdict, "; ".join(found.differences)
    if not found.differences and found.coverage >= COVERED and not found.missing:
        return "supported", "the note says so"
    return "unverifiable", "the note does not say this" + (f": {found.missing}" if found.missing else "")


def _evidence(note: NoteIndex, found: Comparison) -> str:
    first, last = found.view.sentences[0], found.view.sentences[-1]
    start, end = note.sentences[first].start, note.sentences[last].end
    return f"note[{start}:{end}]: {' '.join(note.text[start:end].split())}"


def _claim(
    text: str, start: int, clause: NoteIndex, verdict: Verdict, evidence: tuple[str, ...], reason: str
) -> Claim:
    words = [text[token.start : token.end] for token in clause.tokens if token.weight == 1]
    subject = " ".join(dict.fromkeys(words))
    return Claim(text, start, start + len(text), "note", subject, verdict, evidence, reason)
