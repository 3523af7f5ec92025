"""Who, whether and when: how a clause and the note speak of the same thing, and where they differ."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clinragen.clinical.mentions import Status
from clinragen.grounding.note_index import NoteIndex
from clinragen.grounding.note_kinds import is_place_or_test
from clinragen.grounding.note_views import View

_PAST_TENSE = re.compile(
    r"\b(?:had|(?:was|were)(?! (?:documented|noted|reported|recorded|mentioned|described|listed))|did|ago|"
    r"history|prior|previous(?:ly)?|(?:once|twice|times|ever) before|occasions?|former(?:ly)?|past|"
    r"underwent|received|once|earlier|remote|resolved|"
    r"stopped|held|used to)\b",
    re.I,
)
_CURRENT = re.compile(
    r"\b(?:continu\w+|current\w*|still|now|ongoing|running|remains?|resumed|restarted|active\w*|"
    r"is being|are being|left in place|kept|keeps|went on|carried on|maintained|persist\w*|"
    r"these days|present(?!ed|ly)|on it)\b",
    re.I,
)
_YEAR = re.compile(r"\b(?:19|2[0-3])\d\d\b")
_CONDITION = re.compile(
    r"\b(?:if|unless|in case|in the event|consider(?:ing|ed)?|would|standby|reserved?|threshold|depend\w*|"
    r"when needed|as needed|should (?:he|she|it|the|\w+ (?:fail|rise|fall|worsen|recur)))\b",
    re.I,
)
_SAYS_CONDITION = re.compile(
    r"\b(?:if|unless|should|only|hing\w+|depend\w*|in case|in the event|reserved?|standby|kept|would|"
    r"threshold|consider\w*|discuss\w*|possibl\w+|may|might|saved|await\w*|until|contingent|"
    r"conditional)\b",
    re.I,
)
_LASTING = re.compile(
    r"\b(?:COPD|emphysema|asthma|T[12]?DM\w*|DM\d?|I?DDM|diabet\w+|HTN|(?:pulmonary )?hypertensi\w+|CHF|"
    r"HF\w{0,4}|heart failure|cardiomyopathy|CAD|coronary (?:artery )?disease|isch[a]?emic heart disease|PVD|"
    r"PAD|CKD\w*|ESRD|(?:kidney|renal) (?:disease|insufficiency)|cirrhosis|epilepsy|dementia|alzheimer\w*|"
    r"parkinson\w*|multiple sclerosis|lupus|SLE|rheumatoid|hypothyroid\w*|hyperlipid\w+|HLD|dyslipid\w+|"
    r"obes\w+|sleep apn\w+|OSA|HIV|schizophren\w+|bipolar|osteopor\w+|glaucoma|sickle\w*|h[a]?emophilia|"
    r"cystic fibrosis|valve disease|aortic stenosis|BPH|GERD|fibromyalgia)\b",
    re.I,
)
"""Illnesses that a history holds and the patient still has."""
_ENDED = re.compile(
    r"\b(?:former\w*|resolved|cured|outgr\w+|remission|as a child|childhood|gestational|ago|until|reversed|"
    r"no longer|previous\w*|prior)\b",
    re.I,
)
_RESULT = re.compile(
    r"\b(?:excluded|ruled out|negative|sterile|clear|normal|(?:came|come|is|are) back|return\w*|resulted|"
    r"show\w*|found|find\w*|reveal\w*|demonstrat\w*|grew|grow\w*|yield\w*|detect\w*|isolat\w*|"
    r"identif\w*|confirm\w*|prov\w+|tested|did not (?:show|find|grow))\b",
    re.I,
)
_DONE = re.compile(
    r"(?<!be )(?<!not )\b(?:done|completed|finished|started|begun|placed|performed|"
    r"given(?= (?:today|tonight|at|in|this|on|via)))\b"
    r"(?! (?:if|when|once|unless|tomorrow|tmrw|next))",
    re.I,
)
_STOPPED = re.compile(
    r"\b(?:held|withheld|stopped|paused|suspended|discontinued|on hold|off|omitted|dropped|interrupted)\b",
    re.I,
)
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
        is_current = _CURRENT.search(said, begins) is not None
        return not is_current and _PAST_TENSE.search(said, begins) is not None

    @property
    def says_now(self) -> bool:
        """Whether the clause speaks of the present in so many words."""
        return _CURRENT.search(self.clause.text, self.clause.begins) is not None

    @property
    def is_dated(self) -> bool:
        """Whether the note gives it a year of its own: "DVT L leg 2122"."""
        return _YEAR.search(self.note.text, *self.note.item(self.at)) is not None

    @property
    def is_lasting(self) -> bool:
        """Whether it is an illness that stays, and the note does not say that it has ended."""
        item = self.note.text[slice(*self.note.item(self.at))]
        return _LASTING.search(item) is not None and _ENDED.search(item) is None

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
        return _SAYS_CONDITION.search(self.clause.text, self.clause.begins) is not None

    @property
    def says_result(self) -> bool:
        """Whether the clause tells what a test came to, if only that it found nothing."""
        return _RESULT.search(self.clause.text, self.clause.begins) is not None

    @property
    def says_stopped(self) -> bool:
        """Whether the clause tells of a treatment withheld or stopped, which is denied and over alike."""
        return _STOPPED.search(self.clause.text, self.clause.begins) is not None

    @property
    def is_done(self) -> bool:
        """Whether the note, be it in a plan, tells it as done: "PLEX 1/5 done tonight"."""
        return _DONE.search(self.note.text, *self.note.item(self.at)) is not None

    @property
    def is_conditional(self) -> bool:
        """Whether the note makes it depend on something."""
        tokens, at = self.note.tokens, self.at
        part = [
            tokens[each]
            for each in self.note.tokens_of[self.note.sentence_of[at]]
            if tokens[each].segment == tokens[at].segment
        ]
        return _CONDITION.search(self.note.text, part[0].start, part[-1].end) is not None

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
    return "negated" in pair.told or bool(pair.told & OVER and not pair.said & OVER)


def _is_to_come(pair: Pair) -> bool:
    """Whether the note awaits what the clause has done or resulted; "not done" and "not back" agree."""
    is_claimed = "negated" not in pair.said or pair.says_result
    is_awaited = "planned" in pair.told and not pair.is_done
    return is_awaited and "planned" not in pair.said and is_claimed


def _is_over(pair: Pair) -> bool:
    if pair.says_now and pair.is_dated and not pair.said & OVER:
        return True
    is_told = bool(pair.told & OVER) and not pair.said & OVER
    if "negated" in pair.said and pair.says_stopped:
        return False
    return is_told and not pair.is_past_tense and not pair.is_procedure and not pair.is_lasting


def _is_current(pair: Pair) -> bool:
    is_said = bool(pair.said & OVER) and not pair.told & OVER
    return is_said and not pair.is_history and not pair.is_procedure


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
    (_is_over, "over", "over, according to the note"),
    (_is_current, "current", "current, according to the note"),
)
