"""Which sentences of a note a clause could be about, and which of their words answer which of its words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clinragen.grounding.note_alike import alike
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import contrasts

MOST_SENTENCES, MOST_VIEWS, NEIGHBOUR = 4, 3, 0.9
PROMISING = 0.7
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


def views(clause: NoteIndex, note: NoteIndex) -> list[View]:
    """The most promising views of the note, of sentences alone and with a neighbour."""
    weighed = [(_weight(clause, view), view) for view in _all_views(clause, note)]
    weighed.sort(key=lambda pair: -pair[0])
    return [view for weight, view in weighed[:MOST_VIEWS] if weight >= PROMISING * weighed[0][0]]


def _weight(clause: NoteIndex, view: View) -> float:
    """How much of a clause a view answers at most; a neighbour is to add something."""
    total = sum(clause.tokens[place].weight * fit for place, fit in view.fit.items())
    return total * (1.0 if len(view.sentences) == 1 else NEIGHBOUR)


def _all_views(clause: NoteIndex, note: NoteIndex) -> Iterator[View]:
    answers = {
        place: alike(token, note)
        for place, token in enumerate(clause.tokens)
        if token.weight and not token.number
    }
    for number in _likely_sentences(clause, note, answers):
        for group in ((number,), (number, number + 1), (number - 1, number)):
            if group[0] >= 0 and group[-1] < len(note.sentences):
                yield from _views_of(clause, note, number, group, answers)


def _likely_sentences(clause: NoteIndex, note: NoteIndex, answers: _Answers) -> list[int]:
    scores: Counter[int] = Counter()
    for place, found in answers.items():
        best: dict[int, float] = {}
        for at, fit in found.items():
            number = note.sentence_of[at]
            best[number] = max(fit, best.get(number, 0.0))
        for number, fit in best.items():
            scores[number] += round(100 * fit * clause.tokens[place].weight)
    return sorted(scores, key=lambda number: (-scores[number], number))[:MOST_SENTENCES]


def _views_of(
    clause: NoteIndex, note: NoteIndex, number: int, group: tuple[int, ...], answers: _Answers
) -> Iterator[View]:
    """One view from each place where the sentence holds the clause's rarest shared word."""
    found = {
        place: [at for at in places if note.sentence_of[at] in group] for place, places in answers.items()
    }
    inside = {
        place: [at for at in places if note.sentence_of[at] == number] for place, places in found.items()
    }
    shared = [place for place, places in inside.items() if places]
    is_telling = len(group) == 1 or any(found[place] and not inside[place] for place in found)
    if shared and is_telling:
        rarest = min(shared, key=lambda place: (_is_poor_anchor(clause, place), len(inside[place]), place))
        for anchor in inside[rarest]:
            pairs = {
                place: _nearest(note, anchor, places, answers[place])
                for place, places in found.items()
                if places
            } | {rarest: anchor}
            fit = {place: answers[place][at] * _nearness(note, anchor, at) for place, at in pairs.items()}
            yield View(group, anchor, pairs, fit)


def _is_poor_anchor(clause: NoteIndex, place: int) -> tuple[bool, float]:
    """Sides and general words come last: "the right psoas" is about the psoas."""
    token = clause.tokens[place]
    return token.concept in contrasts(), -token.weight


def _nearest(note: NoteIndex, anchor: int, places: Sequence[int], fit: Mapping[int, float]) -> int:
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
