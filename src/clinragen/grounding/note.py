"""Does the note support what a clause says? The clause is read like a note, and the two are compared.

A clause is compared with the sentences of the note that share its words (see `note_views`); what is covered,
what differs (who, whether, which side, number, drug, organism) and what kind of statement it is are weighed
together (see `note_features`, `note_decision`).
"""

from clinragen.grounding.note_compare import Comparison, compare
from clinragen.grounding.note_decision import decide, strongest
from clinragen.grounding.note_features import features
from clinragen.grounding.note_forms import forms_of
from clinragen.grounding.note_index import NoteIndex, clause_index, note_index
from clinragen.grounding.note_views import views
from clinragen.schema import Claim, Verdict

__all__ = ["NoteIndex", "check_note_clause", "note_index"]

TWO_SENTENCES = 0.1
"""What reading two neighbouring sentences together costs against one that says it all."""


def check_note_clause(text: str, start: int, note: NoteIndex, before: str = "") -> Claim | None:
    """What the note says of one clause, which begins at `start` of its rationale; None if it says nothing.

    `before` is the clause before it, for what a pronoun stands for.
    """
    clause = clause_index(text, before)
    if not any(token.weight == 1 for _, token in clause.told()):
        return None
    found = best_comparison(clause, note)
    told = features(text, clause, found)
    if told["form: advice"] and (found is None or found.coverage < 0.5):
        return None
    verdict, _ = decide(told)
    return _claim(text, start, clause, verdict, note, found, _reason(verdict, told, found))


def best_comparison(clause: NoteIndex, note: NoteIndex) -> Comparison | None:
    """The place of the note that answers a clause best, if any shares a word with it."""
    found = [compare(clause, note, view) for view in views(clause, note)]
    return max(found, key=_preference, default=None)


def _preference(found: Comparison) -> tuple[float, int]:
    cost = TWO_SENTENCES * (len(found.view.sentences) - 1)
    return round(found.likeness - cost, 2), -len(found.differences)


def _reason(verdict: Verdict, told: dict[str, float], found: Comparison | None) -> str:
    if verdict == "supported":
        return "the note says so"
    if found is None and verdict == "unverifiable":
        return "the note does not speak of this"
    if verdict == "contradicted" and found and found.differences:
        return "; ".join(dict.fromkeys(difference.reason for difference in found.differences))
    return f"decided by {strongest(told, verdict)}"


def _evidence(note: NoteIndex, found: Comparison) -> str:
    first, last = found.view.sentences[0], found.view.sentences[-1]
    start, end = note.sentences[first].start, note.sentences[last].end
    return f"note[{start}:{end}]: {' '.join(note.text[start:end].split())}"


def _claim(
    text: str,
    start: int,
    clause: NoteIndex,
    verdict: Verdict,
    note: NoteIndex,
    found: Comparison | None,
    reason: str,
) -> Claim:
    words = [clause.text[token.start : token.end] for _, token in clause.told() if token.weight == 1]
    subject = " ".join(dict.fromkeys(words))
    evidence = (_evidence(note, found),) if found else ()
    return Claim(text, start, start + len(text), "note", subject, verdict, evidence, reason)
