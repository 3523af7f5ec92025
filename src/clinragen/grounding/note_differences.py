"""Words of a clause for which the note has another: another side, drug, organism, number, opposite."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

from clinragen.grounding.note_alike import VAGUE
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import classes, contrasts
from clinragen.grounding.note_status import Difference
from clinragen.grounding.note_views import View, distance
from clinragen.grounding.note_words import Number, agree

_FAR_REACHING = frozenset({"side", "relative", "height", "depth"})
_OF_A_DRUG = frozenset({"susceptibility", "drug-sensitivity"})
NEARBY, SAME_PART, BOTH = 5, 999, 2
"""So many words from a word may its opposite stand, what a side is told of, the other of "R and L arm"."""


class Contrasted(NamedTuple):
    """A word of a clause that is a side of a class, and the sides that the note tells of the same thing."""

    place: int
    name: str
    side: str
    told: frozenset[str]


def _kind_of(contrast: str) -> str:
    return {"side": "another side", "relative": "another relative"}.get(contrast, "opposite")


def contrast_differences(clause: NoteIndex, told: Sequence[Contrasted]) -> Iterator[Difference]:
    """Left for right, superficial for deep, mother for sister; "not enlarged" differs from no "normal"."""
    for place, name, side, others in told:
        if side not in others and not _is_denied(clause, place, name):
            yield Difference(place, _kind_of(name), f"{' and '.join(sorted(others))}, not {side}")


def denied_opposites(clause: NoteIndex, told: Sequence[Contrasted]) -> set[int]:
    """The words that a clause denies where the note tells their opposite: "not enlarged", "normal"."""
    return {
        place for place, name, side, others in told if side not in others and _is_denied(clause, place, name)
    }


def _is_denied(clause: NoteIndex, place: int, name: str) -> bool:
    return name not in _FAR_REACHING and "negated" in clause.statuses(place)


def contrasted(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[Contrasted]:
    """Each side of a class that a clause tells, for which the note tells any.

    Where the note has the thing twice ("right foot cool, left foot warm"), the one counts for which the other
    sides that the clause tells are right.
    """
    found = list(_all_told(clause, note, view))
    for place, name, side, told in found:
        others = [each for each in found if each.name != name]
        fitting = [at for at in told if all(each.side in each.told.get(at, {each.side}) for each in others)]
        sides = [told[at] for at in fitting or told]
        agrees = any(side in each for each in sides)
        yield Contrasted(place, name, side, frozenset({side}) if agrees else sides[0])


class _Told(NamedTuple):
    place: int
    name: str
    side: str
    told: Mapping[int, frozenset[str]]


def _all_told(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[_Told]:
    """What the note tells of each class of which a clause tells one side, by the place it tells it of."""
    for name in (each for each in clause.sides if each in note.sides):
        sides: dict[str, int] = {}
        for place in clause.sides[name]:
            if place >= clause.own:
                sides.setdefault(contrasts()[clause.tokens[place].concept][name], place)
        if len(sides) == 1:
            ((side, place),) = sides.items()
            told = _told_sides(clause, note, view, place, name)
            if told and side != "any" and not any("any" in each for each in told.values()):
                yield _Told(place, name, side, told)


def _told_sides(
    clause: NoteIndex, note: NoteIndex, view: View, place: int, name: str
) -> dict[int, frozenset[str]]:
    """The sides that the note gives, of this class, to each place that answers what the clause gives one."""
    answer = answer_to(clause, view, place)
    if name in _OF_A_DRUG:
        drugs = (at for at in view.pairs.values() if classes().get(note.tokens[at].concept) == "drug")
        answer = next(drugs, answer)
    concept = note.tokens[answer].concept
    anchors = [at for at in note.places.get(concept, ()) if note.sentence_of[at] in view.sentences]
    telling = (at for at in view.pairs.values() if note.tokens[at].concept != concept and _tells(note, at))
    parts = {_part(note, at) for at in telling}
    beside = [at for at in anchors if _part(note, at) in parts]
    found = {at: _told_side(note, at, name) for at in beside or anchors or [answer]}
    return {at: told for at, told in found.items() if told}


def _tells(note: NoteIndex, at: int) -> bool:
    return note.tokens[at].weight == 1 and not _is_far_reaching(note.tokens[at].concept)


def _told_side(note: NoteIndex, anchor: int, name: str) -> frozenset[str]:
    """The sides of a class nearest to a word of the note; those of one list item count together."""
    reach = SAME_PART if name in _FAR_REACHING else NEARBY
    nearby = [
        at
        for at in _in_sentence(note.sides[name], note.tokens_of[note.sentence_of[anchor]])
        if distance(note, anchor, at) <= reach and not _is_denied(note, at, name)
    ]
    if not nearby:
        return frozenset()
    nearest = min(nearby, key=lambda at: _closeness(note, anchor, at))
    reach = BOTH if abs(nearest - anchor) <= BOTH else SAME_PART
    told = frozenset(
        contrasts()[note.tokens[at].concept][name]
        for at in nearby
        if _part(note, at) == _part(note, nearest) and abs(at - nearest) <= reach
    )
    return told - {"any"} or told


def _in_sentence(places: Sequence[int], sentence: range) -> Sequence[int]:
    """Those of the places, which are in order, that stand in a sentence."""
    return places[bisect_left(places, sentence.start) : bisect_left(places, sentence.stop)]


def _closeness(note: NoteIndex, anchor: int, at: int) -> tuple[bool, int]:
    return note.tokens[anchor].chunk != note.tokens[at].chunk, distance(note, anchor, at)


def answer_to(clause: NoteIndex, view: View, place: int) -> int:
    """The note's word for what stands nearest to a word of the clause."""
    if place + 1 in view.pairs and not _is_far_reaching(clause.tokens[place + 1].concept):
        return view.pairs[place + 1]
    others = [at for at in view.pairs if at != place and clause.tokens[at].concept not in contrasts()] or [
        at for at in view.pairs if at != place and not _is_far_reaching(clause.tokens[at].concept)
    ]
    nearest = min(others, key=lambda at: (abs(at - place), at), default=None)
    return view.anchor if nearest is None else view.pairs[nearest]


@cache
def _is_far_reaching(concept: str) -> bool:
    return not _FAR_REACHING.isdisjoint(contrasts().get(concept, {}))


def member_differences(
    clause: NoteIndex, note: NoteIndex, view: View, numbers: set[int]
) -> Iterator[Difference]:
    """Another drug or organism where the rest agrees."""
    said = {token.concept for token in clause.tokens}
    for place, token in clause.told():
        kind = classes().get(token.concept)
        if kind is None or place in view.pairs:
            continue
        anchor = answer_to(clause, view, place)
        others = [
            note.tokens[at]
            for at in _in_view(note, view)
            if classes().get(note.tokens[at].concept) == kind and distance(note, anchor, at) < 1000
        ]
        is_kin = any(other.concept in token.concepts or token.concept in other.concepts for other in others)
        rivals = [other for other in others if set(other.concepts[1:]) & set(token.concepts[1:]) - VAGUE]
        is_about_it = numbers or _strong_pairs(clause, view) or len(rivals) == 1
        if others and is_about_it and not is_kin and not any(other.concept in said for other in others):
            other = (rivals or others)[0]
            yield Difference(
                place, "another member", f"{note.text[other.start : other.end]}, not {token.concept}"
            )


def _strong_pairs(clause: NoteIndex, view: View) -> bool:
    return any(clause.tokens[place].weight == 1 for place in view.pairs)


def numbers_found(clause: NoteIndex, note: NoteIndex, view: View) -> set[int]:
    """The numbers of a clause that the note gives to the same thing."""
    found: set[int] = set()
    for place, token in clause.told():
        if token.number:
            told = _toldnumber_differences(clause, note, view, place)
            if told and any(agree(token.number, number, clause.text, token.start) for number in told):
                found.add(place)
    return found


def _toldnumber_differences(clause: NoteIndex, note: NoteIndex, view: View, place: int) -> list[Number]:
    """The numbers of the view that measure what a number of the clause does: those of the nearest part."""
    said = clause.tokens[place].number
    told = {at: number for at in _in_view(note, view) if (number := note.tokens[at].number)}
    alike = {at: number for at, number in told.items() if said and said.is_like(number)}
    if not alike:
        return [] if said and said.measures else list(told.values())
    anchor = answer_to(clause, view, place)
    nearest = min(alike, key=lambda at: _closeness(note, anchor, at))
    return [number for at, number in alike.items() if _part(note, at) == _part(note, nearest)]


def _part(note: NoteIndex, at: int) -> tuple[int, int, int]:
    return note.sentence_of[at], note.tokens[at].segment, note.tokens[at].chunk


def number_differences(
    clause: NoteIndex, note: NoteIndex, view: View, found: set[int]
) -> Iterator[Difference]:
    """Another number of the same thing."""
    for place, token in clause.told():
        if token.number and place not in found:
            told = [
                n
                for n in _toldnumber_differences(clause, note, view, place)
                if n.measures and token.number.measures and token.number.is_like(n)
            ]
            said = clause.text[token.start : token.end]
            if told:
                yield Difference(place, "another number", f"{told[0].value:g}, not {said}")


def _in_view(note: NoteIndex, view: View) -> Iterator[int]:
    return chain.from_iterable(note.tokens_of[number] for number in view.sentences)
