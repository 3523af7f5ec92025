"""Where a text names a concept, and how: as present, negated, uncertain, of the family, past, ...

The rules are of the kind of ConText (Harkema et al., Journal of Biomedical Informatics 2009): a cue word
gives its status to what stands before or after it, up to the end of the clause. The cues are in `cues.csv`.
"""

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby, takewhile
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from clinragen.clinical.diagnoses import diagnoses, signs
from clinragen.clinical.notes import FAMILY, Span, sections, sentences
from clinragen.clinical.phrases import any_phrase
from clinragen.labels import per_labels

Status = Literal["family", "negated", "uncertain", "planned", "resolved", "past", "present"]
Boundary = Literal["end", "pause"]
STATUSES: tuple[Status, ...] = get_args(Status)
"""All statuses; where several cues reach a mention, the first of these wins."""

_REPORTING = re.compile(
    r"[\w ]{0,12}\b(?:reports?|reported|says|said|states?|stated|notes|noted|noticed|brought|called|found|"
    r"tells|thinks|witnessed|saw|describes|described|gave|confirms|updated|at the bedside|at bedside)\b",
    re.I,
)
_NAMED_AS_SOURCE = re.compile(
    r"\b(?:per|by|with|to|from|and|via|the|according to)(?: (?:his|her|the))?\s*$", re.I
)
_MARKS = ("?", ";", "non-")
_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_LIST_ITEM = re.compile(r",[^,;.]*")
_TOLD_ANEW = re.compile(r"\b(?:with|is|was|are|were|had|shows?|showed)\b")
_NEW_ITEM = re.compile(
    r",\s*(?:and\s+)?(?:an?|the|his|her|this|some|new|known|small|large|mild|moderate|severe|[LR]|left|right|"
    r"bilateral|bibasal|[LR][UML]L|acute|chronic|stable|normal|clear|patent|intact|only|\d+)(?![\w-])",
)
_EXAMINED = re.compile(
    r",\s*(?:abdomen|abdo?|belly|lungs?|chest|heart|skin|pupils?|sclera[es]?|neuro|ext|extremities|neck|legs?|arms?|"
    r"feet|hands?|calf|calves|gait|speech|tone|power|JVP|[RL][UL]Q|GCS|tongue|throat|joints?)\s+(?:\w+\s+){0,2}?"
    r"(?:soft|clear|tender|warm|cool|cold|dry|moist|white|pink|red|pale|mottled|equal|reactive|fixed|normal|intact|"
    r"distended|swollen|rigid|supple|regular|irregular|dull|thin|raised|stable|weak|brisk|\d+)\b",
    re.I,
)
_LIST_GOES_ON = re.compile(r"[^.;]*?,?\s(?:n?or)\s")
_RELATIVE_CLAUSE = re.compile(r"^,\s*(?:which|who|that)\b")
_AFTERWARDS = re.compile(r",\s*(?:and\s+|but\s+)?(?:then|now|since|later|subsequently|afterwards)\s*$")
_LIST_BREAK = re.compile(r"[,(]")
_ENDS_A_LIST_ITEM = re.compile(r"(?:,|\band)\s*$")
_SINCE_THEN = re.compile(r"\b(?:diagnosed|known|since|began|started|onset)\b", re.I)


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a text names a concept: `text` is `note[start:end]`.

    A condition in the history is present unless the text says that it is over. `planned` is what is still
    to come, or is conditional.
    """

    start: int
    end: int
    text: str
    concept: str
    status: Status


class Sentence(NamedTuple):
    """`text[start:end]`, and whether it stands in the family history."""

    start: int
    end: int
    is_family: bool


class Cue(NamedTuple):
    """A cue found in a text. Status None hides what it covers; reach is in words, None for the clause.

    An "end" ends every scope; a "pause" all that look ahead but that of a relative ("brother has ...").
    """

    start: int
    end: int
    status: Status | Boundary | None
    side: str
    reach: int | None


CueTable = tuple[re.Pattern[str], Mapping[str, Sequence[tuple[Status | Boundary | None, str, int | None]]]]
"""A pattern of all cues, and what each of them means: (status, side, reach)."""


def find_mentions(text: str, phrases: Mapping[str, str]) -> tuple[Mention, ...]:
    """Every place where one of the phrases stands as whole words, in any case; the longest phrase wins.

    `phrases` maps what a text may say to the concept it means.
    """
    pattern, concepts = _matcher(tuple(phrases.items()))
    hits = [Span(*hit.span()) for hit in pattern.finditer(_lower(text))]
    found = []
    for sentence, inside in _by_sentence(text, hits):
        # A cue that is a part of a phrase ("absent P waves") says nothing about the others.
        cues = [cue for cue in find_cues(text, sentence) if not any(_overlap(cue, hit) for hit in inside)]
        for hit in inside:
            said = text[hit.start : hit.end]
            found.append(Mention(*hit, said, concepts[_key(said)], status_at(text, hit, cues)))
    return tuple(found)


def told_sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text in order, each with whether it stands in the family history."""
    families = [part for part in sections(text) if part.title == FAMILY]
    return tuple(
        Sentence(*span, any(part.start <= span.start < part.end for part in families))
        for span in sentences(text)
    )


def find_cues(text: str, sentence: Sentence, table: CueTable | None = None) -> list[Cue]:
    """The cues of one sentence, in order; a word may be a cue to both sides."""
    pattern, rows = table or cue_table()
    found = [Cue(sentence.start, sentence.start, "family", "before", None)] if sentence.is_family else []
    for hit in pattern.finditer(_lower(text), sentence.start, sentence.end):
        for status, side, reach in rows[_key(hit[0])]:
            if status != "family" or not _is_source(text, hit):
                found.append(Cue(*hit.span(), status, side, reach))
    return found


def status_at(text: str, span: Span, cues: Sequence[Cue]) -> Status:
    """The status that the cues of its sentence give to a span; cues inside the span do not count."""
    reaching = statuses_at(text, span, cues)
    return next((status for status in STATUSES if status in reaching), "present")


def statuses_at(text: str, span: Span, cues: Sequence[Cue]) -> frozenset[Status]:
    """All statuses that reach a span ("mother had no diabetes": family and negated); none means present."""
    reaching = (cue.status for cue in cues if _reaches(text, cue, span, cues))
    return frozenset(status for status in reaching if status in STATUSES)


@cache
def cue_table(package: str = "", name: str = "") -> CueTable:
    """The cues of `cues.csv` and of a further table of its form, where a boundary replaces what a cue was."""
    more = [files(package) / name] if package else []
    rows: dict[str, list[tuple[Status | Boundary | None, str, int | None]]] = {}
    for path in (files("clinragen.clinical") / "cues.csv", *more):
        with path.open(encoding="utf-8") as table:
            for row in csv.DictReader(table):
                status: Status | Boundary | None = row["status"] or None  # type: ignore[assignment]
                if status not in STATUSES and path in more:
                    rows[row["cue"]] = []
                rows.setdefault(row["cue"], []).append((status, row["side"], int(row["reach"] or 0) or None))
    return _any_of(rows), rows


@per_labels
def label_phrases() -> Mapping[str, str]:
    """Every name and synonym of every label -> the label."""
    return MappingProxyType(
        {phrase: label.name for label in diagnoses() for phrase in (*label.synonyms, label.name)}
    )


@per_labels
def sign_phrases() -> Mapping[str, str]:
    """Every sign of `signs.csv` -> the label it is a sign of."""
    return MappingProxyType({sign: name for name, sign in signs()})


def _by_sentence(text: str, hits: Sequence[Span]) -> Iterator[tuple[Sentence, list[Span]]]:
    """Each sentence that has hits, with its hits."""
    if hits:
        spans = told_sentences(text)
        starts = [span.start for span in spans]
        for number, inside in groupby(hits, key=lambda hit: bisect_right(starts, hit.start) - 1):
            yield spans[number], list(inside)


def _reaches(text: str, cue: Cue, span: Span, cues: Sequence[Cue]) -> bool:
    is_before = cue.end <= span.start
    if cue.side != ("before" if is_before else "after") or _overlap(cue, span):
        return False
    gap = Span(cue.end, span.start) if is_before else Span(span.end, cue.start)
    ends = ("end", "pause") if is_before and cue.status != "family" else ("end",)
    if any(other.status in ends and gap.start <= other.start < gap.end for other in cues):
        return False
    if cue.status == "past" and _SINCE_THEN.search(text, min(cue.start, span.start), max(cue.end, span.end)):
        return False
    between = text[gap.start : gap.end]
    is_blocked = _is_blocked_before if is_before else _is_blocked_after
    return not is_blocked(cue, between, text, span) and (
        cue.reach is None or len(between.split()) < cue.reach
    )


def _is_blocked_before(cue: Cue, between: str, text: str, span: Span) -> bool:
    """Commas end the scope of adjectives, and a denial before what is told with words of its own.

    "prior stents, CKD"; "no necrosis, gallbladder with stones", but not "no fever, chills or cough".
    """
    if "," not in between:
        return False
    if cue.reach is not None or cue.status != "negated":
        return cue.reach is not None
    items = _LIST_ITEM.finditer(text, span.start - len(between) + between.index(","))
    return any(_is_new(text, item) for item in takewhile(lambda item: item.start() < span.start, items))


def _is_new(text: str, item: re.Match[str]) -> bool:
    """Whether a list item is told with words of its own: "the lung bases clear", "abdomen soft"."""
    is_new = _NEW_ITEM.match(item[0]) or _EXAMINED.match(item[0])
    goes_on = _LIST_GOES_ON.match(text, item.start())
    return _TOLD_ANEW.search(item[0]) is not None or (is_new is not None and goes_on is None)


def _is_blocked_after(cue: Cue, between: str, text: str, span: Span) -> bool:
    """Earlier items of a list: "fatigue and absent P waves"; "lisinopril, warfarin held"."""
    if cue.status == "negated" and _ENDS_A_LIST_ITEM.search(between) and not _TOLD_ANEW.search(between):
        return True
    between = _AFTERWARDS.sub("", _RELATIVE_CLAUSE.sub("", between))
    return cue.reach is not None and _LIST_BREAK.search(between.rstrip(", ")) is not None


def _overlap(cue: Cue, span: Span) -> bool:
    return cue.start < span.end and span.start < cue.end


def _is_source(text: str, hit: re.Match[str]) -> bool:
    """Whether a relative only tells of the patient ("per brother", "her mother reports")."""
    before = text[max(0, hit.start() - 24) : hit.start()]
    return bool(_REPORTING.match(text, hit.end()) or _NAMED_AS_SOURCE.search(before))


@lru_cache(maxsize=32)
def _matcher(phrases: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    concepts = {_key(phrase): concept for phrase, concept in phrases}
    return _any_of(concepts), concepts


def _any_of(phrases: Mapping[str, object]) -> re.Pattern[str]:
    """Any of these as whole words, the longest first; blanks match any blanks, so wrapped lines too."""
    marks = "|".join(re.escape(each) for each in sorted(phrases) if each in _MARKS)
    words = any_phrase(each for each in phrases if each not in _MARKS)
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])" + (f"|{marks}" if marks else ""))


def _key(phrase: str) -> str:
    return " ".join(_lower(phrase).split())


def _lower(text: str) -> str:
    """Latin capitals in lower case, every offset kept (str.lower may change lengths)."""
    return text.translate(_TO_LOWER)
