"""What differs between a clause and the words of a note that answer it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from clinragen.grounding.note_differences import (
    contrast_differences,
    contrasted,
    denied_opposites,
    member_differences,
    number_differences,
    numbers_found,
)
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import classes, contrasts
from clinragen.grounding.note_status import Difference, status_agreements, status_differences, status_pairs
from clinragen.grounding.note_views import View, distance

_CRITICAL = frozenset({"side", "degree"})
REPLACED = 0.15
"""What a word that differs costs when the best view is chosen."""
FAR, LOOSE = 30, 0.1
"""What answers cost that stand so many words from the anchor, or farther."""
INEXACT = 0.3
NEAR, CLOSE = 4, 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a view covers a clause, what differs and agrees, and which critical words the note lacks.

    `likeness` is the coverage less what far, inexact and differing words cost; `agreements` gives what clause
    and note both say ("negated", "side", "number" ...), with how surely; `told` the statuses of the answers,
    `beside` those of cues in the same list items; `missing` pairs what a word is with the word; `lacking`
    are the places of all words without an answer.
    """

    view: View
    coverage: float
    likeness: float
    differences: tuple[Difference, ...]
    agreements: Mapping[str, float]
    told: Mapping[str, float]
    beside: frozenset[str]
    missing: tuple[tuple[str, str], ...]
    lacking: tuple[int, ...]


def compare(clause: NoteIndex, note: NoteIndex, view: View) -> Comparison:
    """Compare a clause with one view of the note."""
    numbers = numbers_found(clause, note, view)
    sides = list(contrasted(clause, note, view))
    words = [
        *contrast_differences(clause, sides),
        *member_differences(clause, note, view, numbers),
        *number_differences(clause, note, view, numbers),
    ]
    pairs = status_pairs(clause, note, view)
    replaced = {found.place for found in words}
    opposed = denied_opposites(clause, sides)
    apart = _torn_apart(note, view) | set(_sides_apart(clause, note, view))
    matched = (set(view.pairs) | numbers | opposed) - replaced - apart
    counted = [place for place, token in clause.told() if token.weight and place not in replaced]
    total = sum(clause.tokens[place].weight for place in counted)
    covered = sum(
        clause.tokens[place].weight * view.fit.get(place, 1.0) for place in counted if place in matched
    )
    lacking = [place for place in counted if place not in matched]
    return Comparison(
        view=view,
        coverage=covered / total if total else 0.0,
        likeness=covered / max(total + REPLACED * len(replaced), 1e-9)
        - _looseness(note, view)
        - _inexact(clause, note, view),
        differences=(*_but_for(opposed, status_differences(pairs, view)), *words),
        agreements=status_agreements(pairs, view) | _agreements(clause, matched, numbers),
        told=_told(note, view),
        beside=_beside(note, view),
        missing=tuple(_missing(clause, lacking)),
        lacking=tuple(lacking),
    )


def _but_for(opposed: set[int], found: Iterable[Difference]) -> Iterator[Difference]:
    """The differences but for what a denial of the opposite explains: "not enlarged" of a normal heart."""
    return (each for each in found if not (opposed and each.kind.startswith("affirmed")))


def _looseness(note: NoteIndex, view: View) -> float:
    """What answers that stand far from the anchor cost."""
    apart = [min(distance(note, view.anchor, at), FAR) for at in view.pairs.values()]
    return LOOSE * sum(apart) / (FAR * len(apart))


def _inexact(clause: NoteIndex, note: NoteIndex, view: View) -> float:
    """What it costs to pass over the very drug or organism of a clause where the note names it."""
    for place, token in clause.told():
        is_named = token.concept in classes() and token.concept in note.places
        if is_named and (place not in view.pairs or note.tokens[view.pairs[place]].concept != token.concept):
            return INEXACT
    return 0.0


def _told(note: NoteIndex, view: View) -> dict[str, float]:
    """The statuses that the note gives to any answer."""
    found: dict[str, float] = {}
    for place, at in view.pairs.items():
        for status in note.statuses(at):
            found[status] = max(found.get(status, 0.0), view.fit[place])
    return found


def _beside(note: NoteIndex, view: View) -> frozenset[str]:
    """The statuses of cues in the parts of the note that hold answers, whether or not they reach these."""
    found = set()
    for at in view.pairs.values():
        if cues := note.cues[note.sentence_of[at]]:
            start, end = note.item(at)
            found |= {cue.status for cue in cues if cue.status and start <= cue.start < end}
    return frozenset(found)


def _agreements(clause: NoteIndex, matched: set[int], numbers: set[int]) -> dict[str, float]:
    concepts = [clause.tokens[place].concept for place in matched]
    return {
        "number": float(bool(numbers)),
        "member": float(any(concept in classes() for concept in concepts)),
        "side": float(not matched.isdisjoint(clause.sides.get("side", ()))),
        "relative": float(not matched.isdisjoint(clause.sides.get("relative", ()))),
    }


def _sides_apart(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[int]:
    """Sides that the note gives to something else than the clause does."""
    sided = view.pairs.keys() & set(clause.sides.get("side", ()))
    if not sided:
        return
    others = [at for place, at in view.pairs.items() if place not in sided]
    for place in sided:
        if not any(distance(note, at, view.pairs[place]) <= CLOSE for at in others):
            yield place


def _torn_apart(note: NoteIndex, view: View) -> set[int]:
    """Words that stand side by side in the clause but in different parts of the note ("lung cancer")."""
    return {
        place
        for place, at in view.pairs.items()
        if (before := view.pairs.get(place - 1)) is not None
        and note.tokens[before].weight == note.tokens[at].weight == 1
        and not {note.tokens[before].concept, note.tokens[at].concept} & contrasts().keys()
        and note.tokens[before].chunk != note.tokens[at].chunk
        and distance(note, before, at) > NEAR
    }


def _missing(clause: NoteIndex, places: list[int]) -> Iterator[tuple[str, str]]:
    """The critical words of a clause that the note does not hold at all, each with what it is."""
    for place in places:
        token = clause.tokens[place]
        word = clause.text[token.start : token.end]
        if token.number:
            yield "number", word
        elif token.concept in classes():
            yield "member", word
        elif contrasts().get(token.concept, {}).keys() & _CRITICAL:
            yield "side", word
