"""Does a clause agree with the measurements? Which variables it names, and what it says of each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from clinragen.clinical.findings import by_variable
from clinragen.clinical.words import Mention, WordLevel, mentions
from clinragen.grounding.numbers import Number
from clinragen.grounding.reading import Phrase, read
from clinragen.grounding.scopes import Judgement, combine
from clinragen.grounding.sentences import Clause
from clinragen.grounding.verdicts import judge
from clinragen.schema import Claim, Measurement, Stay

MOST_EVIDENCE = 3

_CONNECTIVE = re.compile(
    r"[\s,]*(?:(?:and|or|as well as|both|the|serum|his|her|nor|then|levels?)[\s,]*)*", re.I
)
_SEPARATOR = re.compile(r"[,;]\s|\s(?:and|but|with|while|whereas|or|plus)\s", re.I)
_PRONOUN = re.compile(
    r"(?:(?:and|but|while|although|though|yet|whereas)\s+)?(?:it|they|both|these|this|the (?:fastest|slowest|"
    r"highest|lowest|last|first|final|initial|peak|latter|value|level|count|rate)\b)",
    re.I,
)
_FROM_THE_NOTE = re.compile(
    r"\b(?:the note|mention(?:s|ed)|describe[sd]|present(?:ed|s|ing) with|admitted (?:with|for|after)|"
    r"complain\w*|days ago|weeks|months|mother|father|sister|brother|aunt|uncle|family|at home)\b",
    re.I,
)
_CAUSE_OR_TREATMENT = re.compile(
    r"\b(?:accounts? for|explain\w*|cause of|caused|due to|responsible for|attributable|treated|"
    r"started|given|held)\b",
    re.I,
)
_PAST = re.compile(r"\b(?:history of|h/o|known|chronic|prior|previous|baseline|home)\s+(?:\w+\s+)?$", re.I)


@dataclass(frozen=True, slots=True)
class SeriesIndex:
    """The measurements of a stay by variable, and when the first and the last were taken."""

    rows: dict[str, list[Measurement]]
    first: datetime
    last: datetime

    def resolve(self, mention: Mention) -> tuple[str, ...]:
        """The variables a mention means here: all of a joint name, else the first one measured."""
        word = mention.word
        if word.is_joint:
            return word.variables
        return (next((name for name in word.variables if name in self.rows), word.variables[0]),)


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a clause that speaks of some variables, `named` at these places of its text."""

    text: str
    variables: tuple[str, ...]
    named: tuple[int, int] | None
    level: WordLevel | None


def series_index(stay: Stay) -> SeriesIndex:
    """Index the measurements of a stay; built once, used for every clause."""
    times = [row.time for row in stay.measurements] or [stay.prediction_time]
    return SeriesIndex(by_variable(stay.measurements), min(times), max(times))


def check_series_clause(
    clause: Clause, chart: SeriesIndex, before: tuple[str, ...] = ()
) -> tuple[Claim | None, tuple[str, ...]]:
    """The claim of a clause about measurements, or None, and the variables it spoke of.

    `before` are the variables of the clause before, for "it" and "both".
    """
    segments = _segments(clause.text, chart, before)
    judged = [(s, judgement) for s in segments for judgement in _judge_segment(s, chart)]
    if not judged:
        return None, ()
    worst = combine([judgement for _, judgement in judged])
    subject = next(s.variables[0] for s, judgement in judged if judgement is worst)
    claim = Claim(
        text=clause.text,
        start=clause.start,
        end=clause.end,
        about="series",
        subject=subject,
        verdict=worst.verdict,
        evidence=tuple(_told(row) for row in worst.rows[:MOST_EVIDENCE]),
        reason=worst.reason,
    )
    return claim, segments[-1].variables


def _segments(text: str, chart: SeriesIndex, before: tuple[str, ...]) -> list[Segment]:
    found = mentions(text)
    if not found:
        return [Segment(text, before, None, None)] if before and _PRONOUN.match(text) else []
    if _belongs_to_the_note(text, found):
        return []
    groups = _groups(text, found)
    edges = [
        0,
        *(_edge(text, a[-1].end, b[0].start) for a, b in pairwise(groups)),
        len(text),
    ]
    return [
        segment
        for group, start, end in zip(groups, edges[:-1], edges[1:], strict=True)
        for segment in _of_group(text, group, start, end, chart)
    ]


def _belongs_to_the_note(text: str, found: Sequence[Mention]) -> bool:
    if _FROM_THE_NOTE.search(text) or any(m.word.level and _PAST.search(text[: m.start]) for m in found):
        return True
    return bool(_CAUSE_OR_TREATMENT.search(text)) and not any(char.isdigit() for char in text)


def _groups(text: str, found: Sequence[Mention]) -> list[list[Mention]]:
    """Mentions joined by nothing but "and" or commas share what is said of them."""
    groups = [[found[0]]]
    for mention in found[1:]:
        if _CONNECTIVE.fullmatch(text, groups[-1][-1].end, mention.start):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return groups


def _edge(text: str, end: int, start: int) -> int:
    """Where one segment ends and the next begins: at the last separator between their names."""
    hits = list(_SEPARATOR.finditer(text, max(end - 1, 0), start))
    return hits[-1].end() if hits else start


def _of_group(text: str, group: list[Mention], start: int, end: int, chart: SeriesIndex) -> list[Segment]:
    named = (group[0].start - start, group[-1].end - start)
    part = text[start:end]
    if all(mention.word.level is None for mention in group):
        names = tuple(dict.fromkeys(name for mention in group for name in chart.resolve(mention)))
        return [Segment(part, names, named, None)]
    return [Segment(part, chart.resolve(mention), named, mention.word.level) for mention in group]


def _judge_segment(segment: Segment, chart: SeriesIndex) -> list[Judgement]:
    phrases = read(segment.text, segment.named, segment.level)
    if not phrases:
        return []
    shared = _shared(phrases, len(segment.variables))
    return [
        found
        for name, said in zip(segment.variables, shared, strict=True)
        for found in _judge_variable(name, said, chart)
    ]


def _shared(phrases: list[Phrase], n: int) -> list[list[Phrase]]:
    """The phrases for each of `n` variables: "BUN and creatinine were 40 and 2.0" gives each its own."""
    values = [number for phrase in phrases for number in phrase.values]
    is_list = n > 1 and len(values) == n and not any(" to " in phrase.text for phrase in phrases)
    if not is_list:
        return [phrases] * n
    return [[p for p in (_keep(phrase, value) for phrase in phrases) if p.says_something] for value in values]


def _keep(phrase: Phrase, value: Number) -> Phrase:
    return replace(phrase, values=tuple(number for number in phrase.values if number is value))


def _judge_variable(name: str, phrases: Sequence[Phrase], chart: SeriesIndex) -> list[Judgement]:
    whole = chart.rows.get(name)
    if not whole:
        return [Judgement("unverifiable", (), f"{name} was never measured")]
    return [found for phrase in phrases for found in judge(phrase, _in_window(phrase, whole, chart), whole)]


def _in_window(phrase: Phrase, whole: list[Measurement], chart: SeriesIndex) -> list[Measurement]:
    window = phrase.window
    if window is None:
        return whole
    return [row for row in whole if window.holds(row.time, chart.first, chart.last)]


def _told(row: Measurement) -> str:
    return f"{row.variable} {row.value:g} {row.unit} at {row.time:%Y-%m-%d %H:%M}"
