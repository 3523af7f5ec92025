"""Does the note support what a clause says? The clause is read like a note, and the two are compared.

A clause is compared with the sentences of the note that share its words (see `note_views`); what is covered,
what differs (who, whether, which side, number, drug, organism) and what kind of statement it is are weighed
together (see `note_features`, `note_decision`).
"""

from clinragen.grounding.note_compare import Comparison, compare
from clinragen.grounding.note_decision import decide
from clinragen.grounding.note_features import FIRM, features
from clinragen.grounding.note_index import NoteIndex, clause_index, note_index
from clinragen.grounding.note_inference import is_drawn, opens_inference
from clinragen.grounding.note_last_words import denied_kind, missing_number, other_organism, other_side
from clinragen.grounding.note_status import OF_A_PLACE
from clinragen.grounding.note_views import views
from clinragen.grounding.remarks import is_likely_remark
from clinragen.schema import Claim, Verdict

__all__ = ["NoteIndex", "check_note_clause", "note_index"]

PLAIN = 0.9
"""The share of a clause that the note must say for it to be supported whatever else may speak against it."""
AGAINST = frozenset({"negated", "planned", "past", "family"})
"""Without a difference, or one of these beside an answer, the note contradicts nothing."""
NOT_DENIED = "affirmed" + OF_A_PLACE
"""Nobody denies a place: "no blood in the head" is not against a note that names the head."""
QUOTED = 0.5
MOST_WORDS = 3
_OF_A_FORM = {
    "form: cause, not told": "a cause that the note does not state",
    "form: outcome": "a forecast, which no chart tells",
    "form: in general": "general knowledge, not of this patient",
}
"""Why what is told in such a form is unverifiable."""
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
    if opens_inference(text):
        verdict: Verdict = "supported" if is_drawn(clause, before, note, found) else "unverifiable"
        reason = "the note says so" if verdict == "supported" else "an inference that the note does not draw"
        return _claim(text, start, clause, verdict, note, found, reason)
    told = features(text, clause, note, found)
    is_quoted = found is not None and found.coverage >= QUOTED
    is_remark = told["form: advice"] or (
        not told["form: quotation"] and is_likely_remark(text, clinical_words(clause))
    )
    if is_remark and not is_quoted:
        return None
    verdict = verdict_on(note, found, told)
    reason = _reason(verdict, told, clause, found)
    if verdict == "supported" and (otherwise := other_side(clause, note)):
        verdict, reason = "contradicted", f"another side: {otherwise}"
    elif verdict != "contradicted" and (denied := denied_kind(clause, note)):
        verdict, reason = "contradicted", denied
    elif verdict != "contradicted" and (other := other_organism(clause, note)):
        verdict, reason = "contradicted", other
    elif verdict == "supported" and (number := missing_number(clause, note)):
        verdict, reason = "unverifiable", f"the note does not tell {number}"
    return _claim(text, start, clause, verdict, note, found, reason)


def clinical_words(clause: NoteIndex) -> int:
    """How many words of a clause name something that the tables know the kind of."""
    return sum(len(token.concepts) > 1 for _, token in clause.told())


def verdict_on(note: NoteIndex, found: Comparison | None, told: dict[str, float]) -> Verdict:
    """The verdict on a clause, given the place of the note that answers it and the features of both."""
    kinds = {difference.kind for difference in found.differences} if found else set()
    speaks_against = bool(kinds - {NOT_DENIED} or (found and found.beside & AGAINST))
    verdict = _plainly(note, found, told) or decide(told, speaks_against)[0]
    awaited = found is not None and any(each.kind.startswith("not done") for each in found.differences)
    return "contradicted" if awaited and verdict == "supported" else verdict


def _plainly(note: NoteIndex, found: Comparison | None, told: dict[str, float]) -> Verdict | None:
    """The verdict where there is nothing to weigh, or None.

    Unverifiable is what shares no word with the note, or hardly one although it claims to quote it, and what
    the note makes conditional; supported is what the note says in full, and its cause too where the clause
    tells one; contradicted is what it says in full but for a difference.
    """
    if found is None or (told["form: quotation"] and found.coverage < QUOTED and not told["differs"]):
        return "unverifiable"
    kinds = {difference.kind.removesuffix(OF_A_PLACE) for difference in found.differences}
    if kinds == {"conditional"} or (kinds == {"open"} and told["form: cause"]):
        return "unverifiable"
    if found.coverage < PLAIN:
        return None
    if told["form: cause, not told"] and not found.differences:
        return None
    if not kinds:
        return "supported"
    return "contradicted" if kinds <= FIRM | {"affirmed"} else None


def best_comparison(clause: NoteIndex, note: NoteIndex) -> Comparison | None:
    """The place of the note that answers a clause best, if any shares a word with it."""
    found = [compare(clause, note, view) for view in views(clause, note)]
    return max(found, key=_preference, default=None)


def _preference(found: Comparison) -> tuple[float, int]:
    cost = TWO_SENTENCES * (len(found.view.sentences) - 1)
    return round(found.likeness - cost, 2), -len(found.differences)


def _reason(verdict: Verdict, told: dict[str, float], clause: NoteIndex, found: Comparison | None) -> str:
    """Why, in words for a reader of the chart."""
    if verdict == "supported":
        return "the note says so"
    if found is None:
        return "the note does not speak of this"
    if verdict == "contradicted" and found.differences:
        return "; ".join(dict.fromkeys(difference.reason for difference in found.differences))
    form = next((reason for name, reason in _OF_A_FORM.items() if told.get(name)), None)
    if form and verdict == "unverifiable":
        return form
    words = dict.fromkeys(_word(clause, place) for place in found.lacking if clause.tokens[place].weight == 1)
    lacking = ", ".join(list(words)[:MOST_WORDS])
    if lacking:
        return f"the note does not tell {lacking}"
    return (
        "the note tells it otherwise" if verdict == "contradicted" else "the note tells only a part of this"
    )


def _word(clause: NoteIndex, place: int) -> str:
    token = clause.tokens[place]
    return clause.text[token.start : token.end]


def _evidence(note: NoteIndex, found: Comparison) -> str:
    start, end = note.sentences[found.view.sentences[0]].start, note.sentences[found.view.sentences[-1]].end
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
    words = [_word(clause, place) for place, token in clause.told() if token.weight == 1]
    subject = " ".join(dict.fromkeys(words))
    evidence = (_evidence(note, found),) if found else ()
    return Claim(text, start, start + len(text), "note", subject, verdict, evidence, reason)
