"""Who, whether and when: how a clause and the note speak of the same thing, and where they differ."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clinragen.clinical.mentions import Status
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import is_place_or_test
from clinragen.grounding.note_tenses import (
    CONDITION,
    CURRENT,
    DONE,
    ENDED,
    LASTING,
    NEVER,
    NOT_BACK,
    OFF,
    PAST_TENSE,
    RESULT,
    SAYS_CONDITION,
    STOPPED,
    YEAR,
)
from clinragen.grounding.note_views import View

AWAITED = 60
OF_A_PLACE = ", of a place"
OVER: frozenset[Status] = frozenset({"past", "resolved"})
COMPARED: tuple[Status, ...] = ("family", "negated", "uncertain", "planned", "past")


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs at a word of a clause, and why; `weight` says how surely the word is meant."""

    place: int
    kind: str
    reason: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A word of a clause and the word of the note that answers it, with the statuses of both."""

    clause: NoteIndex
    note: NoteIndex
    place: int
    at: int
    said: frozenset[Status]
    told: frozenset[Status]

    def kind_of(self, difference: str) -> str:
        """A difference, apart for parts of the body and tests: "no bleed in the head" denies no head."""
        is_place = is_place_or_test(self.clause.tokens[self.place].concept)
        return difference + OF_A_PLACE if is_place else difference

    @property
    def told_in(self) -> int:
        """The sentence of the note that answers."""
        return self.note.sentence_of[self.at]

    @property
    def is_past_tense(self) -> bool:
        """Whether the clause speaks of the past."""
        said, begins = self.clause.text, self.clause.begins
        is_current = CURRENT.search(said, begins) is not None
        return not is_current and PAST_TENSE.search(said, begins) is not None

    @property
    def says_now(self) -> bool:
        """Whether the clause speaks of the present in so many words."""
        return CURRENT.search(self.clause.text, self.clause.begins) is not None

    @property
    def is_dated(self) -> bool:
        """Whether the note gives it a year of its own: "DVT L leg 2122"."""
        return YEAR.search(self.note.text, *self.note.item(self.at)) is not None

    @property
    def is_lasting(self) -> bool:
        """Whether it is an illness that stays, and the note does not say that it has ended."""
        item = self.note.text[slice(*self.note.item(self.at))]
        return LASTING.search(item) is not None and ENDED.search(item) is None

    @property
    def is_procedure(self) -> bool:
        """Whether it is a thing that is done once."""
        return "procedur" in self.note.tokens[self.at].concepts

    @property
    def is_history(self) -> bool:
        """Whether the note tells it as history."""
        return self.note.sentence_of[self.at] in self.note.histories or "history" in self._sentence

    @property
    def says_condition(self) -> bool:
        """Whether the clause too makes it depend on something, or leaves it open."""
        return SAYS_CONDITION.search(self.clause.text, self.clause.begins) is not None

    @property
    def says_result(self) -> bool:
        """Whether the clause tells what a test came to, if only that it found nothing."""
        return RESULT.search(self.clause.text, self.clause.begins) is not None

    @property
    def says_stopped(self) -> bool:
        """Whether the clause tells of a treatment withheld or stopped, which is denied and over alike."""
        return STOPPED.search(self.clause.text, self.clause.begins) is not None

    @property
    def says_never(self) -> bool:
        """Whether the clause denies the past too: "has never had"."""
        return NEVER.search(self.clause.text, self.clause.begins) is not None

    @property
    def says_awaited(self) -> bool:
        """Whether the clause tells that a result is not there: "has not come back"."""
        return NOT_BACK.search(self.clause.text, self.clause.begins) is not None

    @property
    def is_off(self) -> bool:
        """Whether the note ends it in the next words: "run for 8 h, off since noon"."""
        return OFF.match(self.note.text, self.note.tokens[self.at].end) is not None

    @property
    def is_running(self) -> bool:
        """Whether the note tells in so many words that it goes on."""
        return CURRENT.search(self.note.text, *self.note.item(self.at)) is not None

    @property
    def is_done(self) -> bool:
        """Whether the note, be it in a plan, tells it as done: "PLEX 1/5 done tonight"."""
        return DONE.search(self.note.text, *self.note.item(self.at)) is not None

    @property
    def is_conditional(self) -> bool:
        """Whether the note makes it depend on something."""
        tokens, at = self.note.tokens, self.at
        part = [
            tokens[each]
            for each in self.note.tokens_of[self.note.sentence_of[at]]
            if tokens[each].segment == tokens[at].segment
        ]
        return CONDITION.search(self.note.text, part[0].start, part[-1].end) is not None

    @property
    def _sentence(self) -> str:
        span = self.note.sentences[self.note.sentence_of[self.at]]
        return self.note.text[span.start : span.end]


def status_pairs(clause: NoteIndex, note: NoteIndex, view: View) -> list[Pair]:
    """The words of a clause that have an answer and can be denied, planned or over."""
    sided = {*clause.sides.get("relative", ()), *clause.sides.get("side", ())}
    return [
        Pair(
            clause,
            note,
            place,
            at,
            clause.statuses(place),
            note.statuses(at) | _awaited(note, at),
        )
        for place, at in view.pairs.items()
        if clause.tokens[place].weight >= 0.5 and place >= clause.own and place not in sided
    ]


def _awaited(note: NoteIndex, at: int) -> frozenset[Status]:
    """A test is planned where anything that follows in its part of the sentence says so: "sent, pending"."""
    token = note.tokens[at]
    if not is_place_or_test(token.concept, "test"):
        return frozenset()
    sentence = note.tokens_of[note.sentence_of[at]]
    later = [
        note.tokens[each] for each in sentence if each > at and note.tokens[each].segment == token.segment
    ]
    rival = next(
        (each.start for each in later if each.start >= token.end and is_place_or_test(each.concept, "test")),
        None,
    )
    end = min(rival or token.end + AWAITED, later[-1].end if later else token.end, token.end + AWAITED)
    cues = note.cues[note.sentence_of[at]]
    is_awaited = any(c.status == "planned" and c.side == "after" and token.end <= c.start < end for c in cues)
    return frozenset({"planned"}) if is_awaited else frozenset()


def status_differences(pairs: list[Pair], view: View) -> Iterator[Difference]:
    """The same thing told of another person, denied, left open, not yet done or over."""
    denied = {pair.told_in for pair in pairs if "negated" in pair.said & pair.told}
    says_now = bool(pairs) and pairs[0].says_now
    for pair in pairs:
        if not pair.said and not pair.told and not says_now:
            continue
        for differs, kind, reason in _DIFFERENCES:
            if differs(pair) and not (pair.told_in in denied and kind in ("denied", "affirmed")):
                yield Difference(pair.place, pair.kind_of(kind), reason, view.fit[pair.place])
                break


def status_agreements(pairs: list[Pair], view: View) -> dict[str, float]:
    """What clause and note both say of a word, with how surely the word is meant."""
    found: dict[str, float] = {}
    for pair in pairs:
        both = (pair.said & pair.told) | ({"past"} if pair.said & OVER and pair.told & OVER else set())
        for status in both:
            found[status] = max(found.get(status, 0.0), view.fit[pair.place])
    return found


def _is_denied(pair: Pair) -> bool:
    """Whether the note denies what the clause tells; what was avoided or withheld may be said to be held."""
    return "negated" in pair.told - pair.said and not (pair.said & OVER and pair.says_stopped)


def _is_denied_or_over(pair: Pair) -> bool:
    """Whether "no X" may be said of what the note tells: denied there, or over and not spoken of as past."""
    is_past = bool(pair.told & OVER and not pair.said & OVER) and not pair.says_never
    is_awaited = "planned" in pair.told and pair.says_awaited
    return "negated" in pair.told or is_past or is_awaited


def _is_to_come(pair: Pair) -> bool:
    """Whether the note awaits what the clause has done or resulted; "not done" and "not back" agree."""
    is_claimed = "negated" not in pair.said or (pair.says_result and not pair.says_awaited)
    is_awaited = "planned" in pair.told and not pair.is_done
    return is_awaited and "planned" not in pair.said and is_claimed


def _is_over(pair: Pair) -> bool:
    if pair.says_now and (pair.is_dated or pair.is_off) and not pair.said & OVER:
        return True
    is_told = bool(pair.told & OVER) and not pair.said & OVER
    if "negated" in pair.said and pair.says_stopped:
        return False
    return is_told and not pair.is_past_tense and not pair.is_procedure and not pair.is_lasting


def _is_current(pair: Pair) -> bool:
    is_said = bool(pair.said & OVER) and not pair.told & OVER
    return is_said and not (pair.is_history or pair.is_procedure or pair.is_dated)


def _is_running(pair: Pair) -> bool:
    """Whether the note goes on with what the clause tells as stopped."""
    is_said = bool(pair.said & OVER) and pair.says_stopped and "negated" not in pair.said
    return is_said and not pair.told and pair.is_running


_Test = Callable[[Pair], bool]
# The first that holds decides: (test, kind, reason).
_DIFFERENCES: tuple[tuple[_Test, str, str], ...] = (
    (lambda p: "family" in p.told - p.said, "of a relative", "told of a relative"),
    (lambda p: "family" in p.said - p.told, "of the patient", "told of the patient"),
    (
        lambda p: (
            "planned" in p.told and "negated" not in p.said and p.is_conditional and not p.says_condition
        ),
        "conditional",
        "conditional in the note",
    ),
    (_is_to_come, "not done", "not done yet"),
    (lambda p: "uncertain" in p.told and not p.said & {"uncertain"}, "open", "left open in the note"),
    (_is_denied, "denied", "the note denies it"),
    (lambda p: "negated" in p.said and not _is_denied_or_over(p), "affirmed", "the note affirms it"),
    (lambda p: "uncertain" in p.said - p.told, "not open", "not left open in the note"),
    (lambda p: "planned" in p.said - p.told, "not planned", "not told as planned"),
    (_is_running, "opposite", "it goes on, according to the note"),
    (_is_over, "over", "over, according to the note"),
    (_is_current, "current", "current, according to the note"),
)
