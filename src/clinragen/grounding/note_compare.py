"""What differs between a clause and the words of a note that answer it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from clinragen.grounding.note_alike import VAGUE
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_status import Difference, status_agreements, status_differences, status_pairs
from clinragen.grounding.note_views import View, distance
from clinragen.grounding.note_words import Number, Token, agree, classes, contrasts

_CRITICAL = frozenset({"side", "degree"})
_FAR_REACHING = frozenset({"side", "relative", "height", "depth"})
REPLACED = 0.15
"""What a word that differs costs when the best view is chosen."""
FAR, LOOSE, INEXACT = 30, 0.1, 0.3
NEAR, NEARBY, SAME_PART = 4, 5, 999


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a view covers a clause (`likeness` counts a little what differs in a word), what differs and agrees, and which critical words the note lacks.

    `agreements` gives what clause and note both say ("negated", "side", "number" ...), with how surely;
    `missing` pairs what a word is with the word; `left` are the weights of all words without an answer.
    """

    view: View
    coverage: float
    likeness: float
    differences: tuple[Difference, ...]
    agreements: Mapping[str, float]
    told: Mapping[str, float]
    beside: frozenset[str]
    missing: tuple[tuple[str, str], ...]
    left: tuple[float, ...]


def compare(clause: NoteIndex, note: NoteIndex, view: View) -> Comparison:
    """Compare a clause with one view of the note."""
    numbers = _numbers_found(clause, note, view)
    words = [
        *_contrasts(clause, note, view),
        *_members(clause, note, view, numbers),
        *_numbers(clause, note, view, numbers),
    ]
    pairs = status_pairs(clause, note, view)
    replaced = {found.place for found in words}
    apart = _torn_apart(note, view) | set(_sides_apart(clause, note, view))
    matched = (set(view.pairs) | numbers) - replaced - apart
    counted = [place for place, token in clause.told() if token.weight and place not in replaced]
    total = sum(clause.tokens[place].weight for place in counted)
    covered = sum(
        clause.tokens[place].weight * view.fit.get(place, 1.0) for place in counted if place in matched
    )
    lacking = [place for place in counted if place not in matched]
    return Comparison(
        view=view,
        coverage=covered / total if total else 0.0,
        likeness=covered / max(total + REPLACED * len(replaced), 1e-9) - _looseness(note, view) - _inexact(clause, note, view),
        differences=(*status_differences(pairs, view), *words),
        agreements=status_agreements(pairs, view) | _agreements(clause, matched, numbers),
        told=_told(note, view),
        beside=_beside(note, view),
        missing=tuple(_missing(clause, lacking)),
        left=tuple(clause.tokens[place].weight for place in lacking),
    )


def _looseness(note: NoteIndex, view: View) -> float:
    """What answers that stand far from the anchor cost."""
    apart = [min(distance(note, view.anchor, at), FAR) for at in view.pairs.values()]
    return LOOSE * sum(apart) / (FAR * len(apart))


def _inexact(clause: NoteIndex, note: NoteIndex, view: View) -> float:
    """What it costs to pass over the very drug or organism of a clause where the note names it."""
    for place, token in clause.told():
        if token.concept in classes() and note.places.get(token.concept):
            if place not in view.pairs or note.tokens[view.pairs[place]].concept != token.concept:
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
        start, end = note.item(at)
        cues = note.cues[note.sentence_of[at]]
        found |= {cue.status for cue in cues if cue.status and start <= cue.start < end}
    return frozenset(found)


def _agreements(clause: NoteIndex, matched: set[int], numbers: set[int]) -> dict[str, float]:
    concepts = [clause.tokens[place].concept for place in matched]
    return {
        "number": float(bool(numbers)),
        "member": float(any(concept in classes() for concept in concepts)),
        "side": float(any("side" in contrasts().get(concept, {}) for concept in concepts)),
        "relative": float(any("relative" in contrasts().get(concept, {}) for concept in concepts)),
    }


def _sides_apart(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[int]:
    """Sides that the note gives to something else than the clause does."""
    for place, at in view.pairs.items():
        if "side" in contrasts().get(clause.tokens[place].concept, {}):
            if distance(note, _answer(clause, view, place), at) >= SAME_PART:
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


def _kind_of(contrast: str) -> str:
    return {"side": "another side", "relative": "another relative"}.get(contrast, "opposite")


def _contrasts(clause: NoteIndex, note: NoteIndex, view: View) -> Iterator[Difference]:
    """Left for right, superficial for deep, mother for sister."""
    said: dict[str, dict[str, int]] = {}
    for place, token in clause.told():
        for name, side in contrasts().get(token.concept, {}).items():
            said.setdefault(name, {}).setdefault(side, place)
    for name, sides in said.items():
        if len(sides) == 1:
            ((side, place),) = sides.items()
            told = _told_sides(clause, note, view, place, name)
            if told and all(side not in each and "any" not in {side, *each} for each in told):
                yield Difference(place, _kind_of(name), f"{' and '.join(sorted(told[0]))}, not {side}")


def _told_sides(
    clause: NoteIndex, note: NoteIndex, view: View, place: int, name: str
) -> list[frozenset[str]]:
    """The sides that the note gives, of this class, to each place that answers what the clause gives one."""
    answer = _answer(clause, view, place)
    concept = note.tokens[answer].concept
    anchors = [at for at in note.places.get(concept, ()) if note.sentence_of[at] in view.sentences]
    found = (_told_side(note, view, at, name) for at in anchors or [answer])
    return [told for told in found if told]


def _told_side(note: NoteIndex, view: View, anchor: int, name: str) -> frozenset[str]:
    """The sides of a class that stand nearest to a word of the note; those of one list item count together."""
    nearby = [
        at
        for at in _in_view(note, view)
        if name in contrasts().get(note.tokens[at].concept, {})
        and distance(note, anchor, at) <= (SAME_PART if name in _FAR_REACHING else NEARBY)
    ]
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


def _answer(clause: NoteIndex, view: View, place: int) -> int:
    """The note's word for what stands nearest to a word of the clause."""
    others = [at for at in view.pairs if at != place and clause.tokens[at].concept not in contrasts()]
    nearest = min(others, key=lambda at: (at != place + 1, abs(at - place), at), default=None)
    return view.anchor if nearest is None else view.pairs[nearest]


def _members(clause: NoteIndex, note: NoteIndex, view: View, numbers: set[int]) -> Iterator[Difference]:
    """Another drug or organism where the rest agrees."""
    said = {token.concept for token in clause.tokens}
    for place, token in clause.told():
        kind = classes().get(token.concept)
        if kind is None or place in view.pairs:
            continue
        anchor = _answer(clause, view, place)
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
            yield Difference(place, "another member", f"{note.text[other.start : other.end]}, not {token.concept}")


def _strong_pairs(clause: NoteIndex, view: View) -> bool:
    return any(clause.tokens[place].weight == 1 for place in view.pairs)


def _numbers_found(clause: NoteIndex, note: NoteIndex, view: View) -> set[int]:
    """The numbers of a clause that the note gives to the same thing."""
    found: set[int] = set()
    for place, token in clause.told():
        if token.number:
            told = _told_numbers(clause, note, view, place)
            if told and any(agree(token.number, number, clause.text, token.start) for number in told):
                found.add(place)
    return found


def _told_numbers(clause: NoteIndex, note: NoteIndex, view: View, place: int) -> list[Number]:
    """The numbers of the view that measure what a number of the clause does: those of the nearest part."""
    said = clause.tokens[place].number
    told = {at: number for at in _in_view(note, view) if (number := note.tokens[at].number)}
    alike = {at: number for at, number in told.items() if said and number.measures == said.measures}
    if not alike:
        return [] if said and said.measures else list(told.values())
    anchor = _answer(clause, view, place)
    nearest = min(alike, key=lambda at: _closeness(note, anchor, at))
    return [number for at, number in alike.items() if _part(note, at) == _part(note, nearest)]


def _numbers_beside(clause: NoteIndex, note: NoteIndex, view: View, place: int) -> list[Number]:
    """Numbers of the note next to what stands next to a number of the clause."""
    anchor = _answer(clause, view, place)
    near = (at for at in _in_view(note, view) if distance(note, anchor, at) <= BESIDE)
    return [number for at in near if (number := note.tokens[at].number)]


def _part(note: NoteIndex, at: int) -> tuple[int, int, int]:
    return note.sentence_of[at], note.tokens[at].segment, note.tokens[at].chunk


def _numbers(clause: NoteIndex, note: NoteIndex, view: View, found: set[int]) -> Iterator[Difference]:
    """Another number of the same thing."""
    for place, token in clause.told():
        if token.number and place not in found:
            told = [n for n in _told_numbers(clause, note, view, place) if n.measures == token.number.measures != ""]
            said = clause.text[token.start : token.end]
            if told:
                yield Difference(place, "another number", f"{told[0].value:g}, not {said}")


def _part(note: NoteIndex, at: int) -> tuple[int, int, int]:
    return note.sentence_of[at], note.tokens[at].segment, note.tokens[at].chunk


def _numbers(clause: NoteIndex, note: NoteIndex, view: View, found: set[int]) -> Iterator[Difference]:
    """Another number of the same thing."""
    for place, token in clause.told():
        if token.number and place not in found:
            told = [n for n in _told_numbers(clause, note, view, place) if n.measures == token.number.measures != ""]
            said = clause.text[token.start : token.end]
            if told:
                yield Difference(place, "another number", f"{told[0].value:g}, not {said}")
            elif beside := _numbers_beside(clause, note, view, place):
                yield Difference(place, "perhaps another number", f"{beside[0].value:g}, not {said}")


def _in_view(note: NoteIndex, view: View) -> Iterator[int]:
    return chain.from_iterable(note.tokens_of[number] for number in view.sentences)


def _tokens(note: NoteIndex, view: View) -> list[Token]:
    return [note.tokens[at] for at in _in_view(note, view)]
