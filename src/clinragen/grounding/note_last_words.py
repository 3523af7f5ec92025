"""What has the last word: another side, a number told nowhere, a kind that is denied, other organisms."""

from collections.abc import Iterator

from clinragen.grounding.note_alike import VAGUE
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import classes, contrasts
from clinragen.grounding.note_words import Token

CLOSE = 0.5
"""What a word in the same sentence counts beside 1 for a word in the same list item."""
ROUNDING = 0.03

_FAMILIES = frozenset({"bacter", "virus", "fungus", "parasit"})
"""An organism takes the place of another one of its family only."""
_CULTURE = "cultur"

Part = tuple[int, int, int]


def other_side(clause: NoteIndex, note: NoteIndex) -> str | None:
    """The part of the note that tells of the other side what the clause tells of one; None if none does.

    Of all parts of the note that name a side, those count that share most words with the clause.
    """
    said = {side for _, token in clause.told() for side in _sides(token)}
    if len(said) != 1 or "any" in said:
        return None
    wanted = {token.concept for _, token in clause.told() if token.weight == 1 and not _sides(token)}
    shared = {part: _shared(note, part, wanted) for part in _sided_parts(note)}
    best = max(shared.values(), default=0.0)
    tops = [part for part, score in shared.items() if score == best]
    told = {part: {side for token in _tokens(note, part) for side in _sides(token)} for part in tops}
    if best < 1 or any(sides & {*said, "any"} for sides in told.values()):
        return None
    tokens = list(_tokens(note, tops[0]))
    return note.text[tokens[0].start : tokens[-1].end]


def missing_number(clause: NoteIndex, note: NoteIndex) -> str | None:
    """A number of the clause that the note holds nowhere, in whatever unit; None if it holds them all."""
    told = [token.number.value for token in note.tokens if token.number]
    for _, token in clause.told():
        if token.number and not any(_is_near(token.number.value, value) for value in told):
            return clause.text[token.start : token.end]
    return None


def denied_kind(clause: NoteIndex, note: NoteIndex) -> str | None:
    """Where the note denies the kind of what a clause tells: "no beta blocker" denies metoprolol."""
    for place, token in clause.told():
        is_told = (
            token.concept in classes() and not clause.statuses(place) and token.concept not in note.places
        )
        for kind in token.concepts[1:] if is_told else ():
            told = [at for at in note.places.get(kind, ()) if note.tokens[at].concept == kind]
            if kind not in VAGUE and told and all("negated" in note.statuses(at) for at in told):
                return f"no {note.text[note.tokens[told[0]].start : note.tokens[told[0]].end]}"
    return None


def other_organism(clause: NoteIndex, note: NoteIndex) -> str | None:
    """The organism that a note tells in place of the one that a clause does; None if there is none."""
    for place, token in clause.told():
        if (
            classes().get(token.concept) != "organism"
            or clause.statuses(place)
            or token.concept in note.places
        ):
            continue
        others = [
            each
            for at, each in enumerate(note.tokens)
            if classes().get(each.concept) == "organism" and not note.statuses(at)
        ]
        is_kin = any(each.concept in token.concepts for each in others)
        others = [each for each in others if _FAMILIES.intersection(each.concepts, token.concepts)]
        awaited = [at for at in note.places.get(_CULTURE, ()) if "planned" in note.statuses(at)]
        if awaited and not others:
            return "the culture is awaited"
        if others and not is_kin:
            said = {each.concept for _, each in clause.told()}
            other = next((each for each in others if each.concept not in said), others[0])
            return f"{note.text[other.start : other.end]}, not {clause.text[token.start : token.end]}"
    return None


def _is_near(a: float, b: float) -> bool:
    return abs(a - b) <= ROUNDING * max(abs(a), abs(b))


def _sides(token: Token) -> tuple[str, ...]:
    side = contrasts().get(token.concept, {}).get("side")
    return (side,) if side else ()


def _sided_parts(note: NoteIndex) -> dict[Part, None]:
    return {_part(note, at): None for at in note.sides.get("side", ())}


def _part(note: NoteIndex, at: int) -> Part:
    return note.sentence_of[at], note.tokens[at].segment, note.tokens[at].chunk


def _tokens(note: NoteIndex, part: Part) -> Iterator[Token]:
    return (note.tokens[at] for at in note.tokens_of[part[0]] if _part(note, at) == part)


def _shared(note: NoteIndex, part: Part, wanted: set[str]) -> float:
    here = {concept for token in _tokens(note, part) for concept in token.concepts}
    near = {concept for at in note.tokens_of[part[0]] for concept in note.tokens[at].concepts}
    return len(wanted & here) + CLOSE * len(wanted & near - here)
