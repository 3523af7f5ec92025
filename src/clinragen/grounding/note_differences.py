"""Words of a clause for which the note has another: another side, drug, organism, number, opposite."""

from collections.abc import Iterator
from itertools import chain

from clinragen.grounding.note_alike import VAGUE
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import classes, contrasts
from clinragen.grounding.note_status import Difference
from clinragen.grounding.note_views import View, distance
from clinragen.grounding.note_words import Number, Token, agree

_FAR_REACHING = frozenset({"side", "relative", "height", "depth"})
NEARBY, SAME_PART = 5, 999
"""So many words from a word may its opposite stand, and what a side is told of."""


def _kind_of(contrast: str) -> str:
    return {"side": "another side", "relative": "another relative"}.get(contrast, "opposite")


def contrast_differences(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[Difference]:
    """Left for right, superficial for deep, mother for sister."""
    said: dict[str, dict[str, int]] = {}
    for place, token in clause.told():
        for name, side in contrasts().get(token.concept, {}).items():
            said.setdefault(name, {}).setdefault(side, place)
    for name, sides in said.items():
        if len(sides) == 1 and name in note.sides:
            ((side, place),) = sides.items()
            told = _told_sides(clause, note, view, place, name)
            if told and all(side not in each and "any" not in {side, *each} for each in told):
                yield Difference(place, _kind_of(name), f"{' and '.join(sorted(told[0]))}, not {side}")


def _told_sides(
    clause: NoteIndex, note: NoteIndex, view: View, place: int, name: str
) -> list[frozenset[str]]:
    """The sides that the note gives, of this class, to each place that answers what the clause gives one."""
    answer = answer_to(clause, view, place)
    concept = note.tokens[answer].concept
    anchors = [at for at in note.places.get(concept, ()) if note.sentence_of[at] in view.sentences]
    found = (_told_side(note, at, name) for at in anchors or [answer])
    return [told for told in found if told]


def _told_side(note: NoteIndex, anchor: int, name: str) -> frozenset[str]:
    """The sides of a class nearest to a word of the note; those of one list item count together."""
    reach = SAME_PART if name in _FAR_REACHING else NEARBY
    nearby = [at for at in note.sides[name] if distance(note, anchor, at) <= reach]
    if not nearby:
        return frozenset()
    nearest = note.tokens[min(nearby, key=lambda at: _closeness(note, anchor, at))]
    told = frozenset(
        contrasts()[note.tokens[at].concept][name]
        for at in nearby
        if (note.tokens[at].segment, note.tokens[at].chunk) == (nearest.segment, nearest.chunk)
    )
    return told - {"any"} or told


def _closeness(note: NoteIndex, anchor: int, at: int) -> tuple[bool, int]:
    return note.tokens[anchor].chunk != note.tokens[at].chunk, distance(note, anchor, at)


def answer_to(clause: NoteIndex, view: View, place: int) -> int:
    """The note's word for what stands nearest to a word of the clause."""
    others = [at for at in view.pairs if at != place and clause.tokens[at].concept not in contrasts()]
    nearest = min(others, key=lambda at: (at != place + 1, abs(at - place), at), default=None)
    return view.anchor if nearest is None else view.pairs[nearest]


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
    alike = {at: number for at, number in told.items() if said and number.measures == said.measures}
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
                if n.measures == token.number.measures != ""
            ]
            said = clause.text[token.start : token.end]
            if told:
                yield Difference(place, "another number", f"{told[0].value:g}, not {said}")


def _in_view(note: NoteIndex, view: View) -> Iterator[int]:
    return chain.from_iterable(note.tokens_of[number] for number in view.sentences)


def _tokens(note: NoteIndex, view: View) -> list[Token]:
    return [note.tokens[at] for at in _in_view(note, view)]
