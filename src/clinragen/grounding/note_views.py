"""Which sentences of a note a clause could be about, and which of their words answer which of its words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clinragen.grounding.note_alike import alike
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import contrasts
from clinragen.grounding.note_words import agree

MOST_SENTENCES, MOST_VIEWS, NEIGHBOUR = 4, 2, 0.9
PROMISING = 0.85
"""The share of the best view's weight from which another is worth comparing."""
FIT = 20
"""So many words farther away may an answer stand that is the word itself."""
OTHER_SENTENCE, OTHER_PART, FAR_CHUNK = 0.7, 0.8, 0.9
_OTHER_SEGMENT = 1000


@dataclass(frozen=True, slots=True)
class View:
    """One or two neighbouring sentences, seen from one word that clause and note share (`anchor`).

    `pairs` maps tokens of the clause to the tokens of the note that answer them best, nearest to the anchor;
    `fit` says how well each of them does.
    """

    sentences: tuple[int, ...]
    anchor: int
    pairs: Mapping[int, int]
    fit: Mapping[int, float]


_Answers = Mapping[int, Mapping[int, float]]
_Places = Mapping[int, Sequence[int]]


def views(clause: NoteIndex, note: NoteIndex) -> list[View]:
    """The most promising views of the note, of sentences alone and with a neighbour."""
    agreeing = _agreeing_numbers(clause, note)
    weighed = [(_weight(clause, view, agreeing), view) for view in _all_views(clause, note, agreeing)]
    weighed.sort(key=lambda pair: -pair[0])
    return [view for weight, view in weighed[:MOST_VIEWS] if weight >= PROMISING * weighed[0][0]]


def _agreeing_numbers(clause: NoteIndex, note: NoteIndex) -> Counter[int]:
    """For each sentence of the note, how many numbers of a clause it holds."""
    numbers = [(token.start, token.number) for _, token in clause.told() if token.number]
    return Counter(
        sentence
        for start, said in numbers
        for sentence in {
            note.sentence_of[at]
            for at in note.numbers
            if agree(said, note.tokens[at].number or said, clause.text, start)
        }
    )


def _weight(clause: NoteIndex, view: View, agreeing: Mapping[int, int]) -> float:
    """How much of a clause a view answers at most; a neighbour is to add something."""
    total = sum(clause.tokens[place].weight * fit for place, fit in view.fit.items())
    total += max(agreeing[number] for number in view.sentences)
    return total * (1.0 if len(view.sentences) == 1 else NEIGHBOUR)


def _all_views(clause: NoteIndex, note: NoteIndex, agreeing: Mapping[int, int]) -> Iterator[View]:
    answers = {
        place: alike(token, note)
        for place, token in enumerate(clause.tokens)
        if token.weight and not token.number
    }
    inside = _by_sentence(note, answers)
    for number in _likely_sentences(clause, answers, inside, agreeing):
        for group in ((number,), (number, number + 1), (number - 1, number)):
            found = _together(inside, number, group)
            if found is not None:
                yield from _views_of(clause, note, group, inside[number], found, answers)


def _by_sentence(note: NoteIndex, answers: _Answers) -> Mapping[int, _Places]:
    """For each sentence that answers anything, what answers each word of the clause there."""
    inside: dict[int, dict[int, list[int]]] = {}
    for place, found in answers.items():
        for at in found:
            inside.setdefault(note.sentence_of[at], {}).setdefault(place, []).append(at)
    return inside


def _likely_sentences(
    clause: NoteIndex, answers: _Answers, inside: Mapping[int, _Places], agreeing: Mapping[int, int]
) -> list[int]:
    scores = {
        number: 100 * agreeing[number]
        + sum(
            round(100 * max(answers[place][at] for at in places) * clause.tokens[place].weight)
            for place, places in found.items()
        )
        for number, found in inside.items()
    }
    return sorted(scores, key=lambda number: (-scores[number], number))[:MOST_SENTENCES]


def _together(inside: Mapping[int, _Places], number: int, group: tuple[int, ...]) -> _Places | None:
    """What answers each word in a group of sentences; None where the neighbour adds nothing."""
    own = inside[number]
    if len(group) == 1:
        return own
    other = inside.get(group[0] + group[1] - number, {})
    if own.keys() >= other.keys():
        return None
    parts = (own, other) if group[0] == number else (other, own)
    return {
        place: [at for part in parts for at in part.get(place, ())]
        for place in sorted(own.keys() | other.keys())
    }


def _views_of(
    clause: NoteIndex,
    note: NoteIndex,
    group: tuple[int, ...],
    inside: _Places,
    found: _Places,
    answers: _Answers,
) -> Iterator[View]:
    """One view from each place where the sentence holds the clause's rarest shared word."""
    rarest = min(inside, key=lambda place: (_is_poor_anchor(clause, place), len(inside[place]), place))
    for anchor in inside[rarest]:
        pairs = {place: _nearest(note, anchor, places, answers[place]) for place, places in found.items()} | {
            rarest: anchor
        }
        fit = {place: answers[place][at] * _nearness(note, anchor, at) for place, at in pairs.items()}
        yield View(group, anchor, pairs, fit)


def _is_poor_anchor(clause: NoteIndex, place: int) -> tuple[bool, float]:
    """Sides and general words come last: "the right psoas" is about the psoas."""
    token = clause.tokens[place]
    return token.concept in contrasts(), -token.weight


def _nearest(note: NoteIndex, anchor: int, places: Sequence[int], fit: Mapping[int, float]) -> int:
    if len(places) == 1:
        return places[0]
    return min(places, key=lambda place: (distance(note, anchor, place) - FIT * fit[place], place))


def _nearness(note: NoteIndex, anchor: int, at: int) -> float:
    """What an answer counts that stands in another part of the note than the anchor."""
    if note.sentence_of[anchor] != note.sentence_of[at]:
        return OTHER_SENTENCE
    apart = note.tokens[at].chunk - note.tokens[anchor].chunk
    if note.tokens[anchor].segment != note.tokens[at].segment:
        return OTHER_PART
    return 1.0 if abs(apart) <= 1 else FAR_CHUNK


def sentences_of(note: NoteIndex, view: View) -> str:
    """The text of the sentences of a view."""
    return note.text[note.sentences[view.sentences[0]].start : note.sentences[view.sentences[-1]].end]


def distance(note: NoteIndex, a: int, b: int) -> int:
    """How many words lie between two tokens; other segments and sentences are far away."""
    is_far = note.sentence_of[a] != note.sentence_of[b] or note.tokens[a].segment != note.tokens[b].segment
    return abs(a - b) + _OTHER_SEGMENT * is_far
