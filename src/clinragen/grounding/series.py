"""Does a clause agree with the measurements? What it says of each variable, judged."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from clinragen.clinical.words import mentions
from clinragen.grounding.judgement import Judgement, combine
from clinragen.grounding.lexicon import SaidTrend
from clinragen.grounding.numbers import Number
from clinragen.grounding.phrase import Phrase
from clinragen.grounding.quantities import worst
from clinragen.grounding.reading import read
from clinragen.grounding.sentences import Clause, has_verb
from clinragen.grounding.series_index import SeriesIndex, series_index
from clinragen.grounding.subjects import Context, Segment, belongs_to_the_note, segments
from clinragen.grounding.verdicts import judge
from clinragen.schema import Claim, Measurement

__all__ = ["UNMEASURED", "Context", "SeriesIndex", "check_series_clause", "check_unmeasured", "series_index"]

MOST_EVIDENCE = 3
UNMEASURED = "was never measured"

_OPPOSITE: dict[SaidTrend, SaidTrend] = {
    "rising": "falling",
    "falling": "rising",
    "improved": "worsened",
    "worsened": "improved",
}
_OTHER_WAY = re.compile(
    r"\b(?:the (?:other|opposite) way|the opposite|the reverse|in the opposite direction|inversely)\b", re.I
)
_INSTANCE = re.compile(
    r"^(?:(?:with|at|and|an?|the|his|her|its)\s+)*[\w ]+?\s(?:of |at |was |down to |up to |as (?:low|"
    r"high) as )?\d"
    r"[^,;]*$",
    re.I,
)
_SAME_WAY = re.compile(
    r"\b(?:did (?:the same|likewise|so too|too|as well|also)|followed suit|in parallel|so did|as did|in "
    r"step|the same way|"
    r"in tandem)\b",
    re.I,
)


def check_series_clause(
    clause: Clause, chart: SeriesIndex, before: Context | None = None
) -> tuple[Claim | None, Context]:
    """The claim of a clause about measurements, or None, and what it spoke of.

    `before` is what the clause before spoke of, for "it" and "both".
    """
    before = before or Context()
    found = segments(clause.text, clause.sentence, before, chart.resolve, chart.unlisted)
    read_of = _read_all(found, before)
    judged = [(s, verdict) for s, phrases in read_of for verdict in _judge_segment(s, phrases, chart, before)]
    if not judged:
        return None, _named(clause, chart)
    gravest = combine([judgement for _, judgement in judged])
    subject = next(s.variables[0] for s, judgement in judged if judgement is gravest)
    claim = Claim(
        text=clause.text,
        start=clause.start,
        end=clause.end,
        about="series",
        subject=subject,
        verdict=gravest.verdict,
        evidence=tuple(_told(row) for row in gravest.rows[:MOST_EVIDENCE]),
        reason=gravest.reason,
    )
    last, phrases = read_of[-1]
    variables = tuple(dict.fromkeys(name for segment, _ in read_of for name in segment.variables))
    is_one = len(read_of) == 1 or all(segment.text == last.text for segment, _ in read_of)
    told = gravest.rows[0].time if len(gravest.rows) == 1 else None
    return claim, Context(variables if is_one else last.variables, _course(phrases), clause.sentence, told)


def check_unmeasured(clause: Clause, chart: SeriesIndex, note: str) -> Claim | None:
    """The claim of a clause whose only variable neither the measurements nor the note know of.

    Nothing in the chart can decide it, whatever it says of the variable.
    """
    names = {name for mention in mentions(clause.text) for name in mention.word.variables}
    if (
        len(names) != 1
        or belongs_to_the_note(clause.text)
        or chart.of(next(iter(names)))
        or names & _names_of(note)
    ):
        return None
    name = names.pop()
    return Claim(
        text=clause.text,
        start=clause.start,
        end=clause.end,
        about="series",
        subject=name,
        verdict="unverifiable",
        evidence=(),
        reason=f"{name} {UNMEASURED}",
    )


@lru_cache(maxsize=8)
def _names_of(note: str) -> frozenset[str]:
    return frozenset(name for mention in mentions(note) for name in mention.word.variables)


def _named(clause: Clause, chart: SeriesIndex) -> Context:
    """The one variable that a clause for the note names: "sodium deserves a word, for it fell"."""
    names = {name for mention in mentions(clause.text) for name in chart.resolve(mention)}
    return Context(tuple(names), None, clause.sentence) if len(names) == 1 else Context()


def _read_all(found: Sequence[Segment], before: Context) -> list[tuple[Segment, Sequence[Phrase]]]:
    """Every segment with its phrases; one without a verb is told of the place and time of the one before."""
    told: list[tuple[Segment, Sequence[Phrase]]] = []
    levels = Counter(segment.variables for segment in found if segment.level)
    for segment in found:
        phrases = _read(segment, before)
        if told and told[-1][1] and not has_verb(segment.text):
            last = told[-1][1][-1]
            phrases = [
                p if p.place or p.window else replace(p, place=last.place, window=last.window)
                for p in phrases
            ]
        if levels[segment.variables] > 1 or (segment.level and _is_exemplified(segment, found)):
            phrases = [replace(phrase, is_existence=True) for phrase in phrases]
        told.append((segment, phrases))
    return told


def _is_exemplified(segment: Segment, found: Sequence[Segment]) -> bool:
    """Whether the value of another variable follows as an instance: "hypotensive, with a MAP of 52"."""
    after = found[found.index(segment) + 1 :]
    return bool(after) and not after[0].level and _INSTANCE.search(after[0].text) is not None


def _read(segment: Segment, before: Context) -> Sequence[Phrase]:
    is_falling = not segment.named and before.course == "falling"
    phrases = read(segment.text, segment.named, segment.level, is_falling, len(segment.variables) > 1)
    way = -1 if _OTHER_WAY.search(segment.text) else 1 if _SAME_WAY.search(segment.text) else 0
    course = before.course if way > 0 else _OPPOSITE.get(before.course) if way < 0 and before.course else None
    if course and not any(phrase.trend for phrase in phrases):
        return (Phrase(segment.text, trend=course), *phrases)
    return phrases


def _course(phrases: Sequence[Phrase]) -> SaidTrend | None:
    for phrase in phrases:
        if phrase.trend:
            return phrase.trend
        if phrase.comparison and phrase.comparison.factor != 1:
            return "rising" if phrase.comparison.factor > 1 else "falling"
    return None


def _direction(phrase: Phrase) -> int:
    said = (
        _course([phrase]) or (phrase.extreme if phrase.exact or phrase.window or phrase.place else "") or ""
    )
    return {"rising": 1, "highest": 1, "falling": -1, "lowest": -1}.get(said, 0)


def _judge_segment(
    segment: Segment, phrases: Sequence[Phrase], chart: SeriesIndex, before: Context
) -> list[Judgement]:
    if not phrases:
        return []
    shared = _shared(phrases, len(segment.variables))
    return [
        found
        for name, said in zip(segment.variables, shared, strict=True)
        for found in _judge_variable(name, said, chart, before)
    ]


def _shared(phrases: Sequence[Phrase], n: int) -> list[Sequence[Phrase]]:
    """The phrases for each of `n` variables: "BUN and creatinine were 40 and 2.0" gives each its own."""
    values = [number for phrase in phrases for number in phrase.values]
    is_list = n > 1 and len(values) == n and not any(" to " in phrase.text for phrase in phrases)
    if not is_list:
        return [phrases] * n
    return [[p for p in (_keep(phrase, value) for phrase in phrases) if p.says_something] for value in values]


def _keep(phrase: Phrase, value: Number) -> Phrase:
    return replace(phrase, values=tuple(number for number in phrase.values if number is value))


def _judge_variable(
    name: str, phrases: Sequence[Phrase], chart: SeriesIndex, before: Context
) -> list[Judgement]:
    whole = chart.of(name)
    if not whole:
        return [Judgement("unverifiable", (), f"{name} {UNMEASURED}")]
    if "/" in name:
        phrases = [_of_ratio(phrase) for phrase in phrases]
    found: list[Judgement] = []
    told = before.told
    for phrase, stretch in zip(phrases, _stretches(phrases, whole), strict=True):
        window = phrase.window
        if told and found and phrase.exact and " to " in phrase.text and _direction(phrase) and not window:
            stretch = [row for row in stretch if row.time >= told] or stretch
        rows = window.pick(stretch, chart.first, chart.last, told) if window else stretch
        judged = judge(phrase, rows, stretch)
        if len(stretch) == 1 < len(whole) and not window:
            judged = [
                replace(j, verdict="contradicted") if j.verdict == "unverifiable" else j for j in judged
            ]
        found += judged
        told = found[-1].rows[0].time if found and len(found[-1].rows) == 1 else told
    return found


def _of_ratio(phrase: Phrase) -> Phrase:
    """A factor told of a ratio is its value: AST exceeded ALT "by a factor of five"."""
    said = phrase.comparison
    if said is None or said.factor <= 1 or said.reference:
        return phrase
    bound = None if said.relation == "about" else said.relation
    number = Number(said.factor, 0, "", "value", bound, True, 0, 0)
    return replace(phrase, comparison=None, values=(*phrase.values, number))


def _stretches(phrases: Sequence[Phrase], whole: list[Measurement]) -> list[list[Measurement]]:
    """What each phrase is told of: in "rose and then fell" all up to the peak, and all from there on."""
    ways = [_direction(phrase) for phrase in phrases]
    told = [whole] * len(phrases)
    for place, (before, after) in enumerate(pairwise(ways)):
        is_back = phrases[place + 1].trend in ("improved", "recovered")
        if phrases[place].trend == "worsened" and is_back:
            turn = worst(whole)
            at = whole.index(turn)
            told[place], told[place + 1] = whole[: at + 1], whole[at:]
        elif after and not before and len(phrases[place].exact) > 1 and " to " in phrases[place + 1].text:
            turn = (max if after < 0 else min)(whole, key=lambda row: row.value)
            told[place + 1] = whole[whole.index(turn) :]
        elif before * after < 0 or (before and is_back):
            turn = (max if before > 0 else min)(whole, key=lambda row: row.value)
            at = whole.index(turn)
            told[place], told[place + 1] = whole[: at + 1], whole[at:]
    return told


def _told(row: Measurement) -> str:
    return f"{row.variable} {row.value:g} {row.unit} at {row.time:%Y-%m-%d %H:%M}"
