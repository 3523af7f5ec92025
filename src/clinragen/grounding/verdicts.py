"""How each kind of statement about a series is judged against its measurements.

A judge looks at one phrase and the measurements of one variable, in order of time, and answers None
where the phrase says nothing of its kind.
"""

from datetime import timedelta

from clinragen.clinical.findings import level_of
from clinragen.clinical.severity import severity
from clinragen.grounding.numbers import agrees
from clinragen.grounding.reading import Phrase
from clinragen.grounding.scopes import (
    MOST,
    NEGATED,
    NORMAL,
    PLACES,
    Judgement,
    Rows,
    Test,
    at_level,
    by_scope,
    highest,
    lowest,
    some,
    verdict_of,
)
from clinragen.grounding.trend import judge_trend_of
from clinragen.grounding.values import course, judge_change, judge_extreme, judge_values
from clinragen.schema import Measurement


def judge(phrase: Phrase, rows: Rows, whole: Rows) -> list[Judgement]:
    """Judge everything a phrase says; `rows` are those in its window, `whole` the series before it."""
    if not rows and phrase.window and not (phrase.extreme and phrase.values):
        return [Judgement("unverifiable", (), "not measured at that time")]
    found = [judge_part(phrase, rows, whole) for judge_part in _JUDGES]
    return [judgement for judgement in found if judgement is not None]


def _level(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if (
        phrase.level is None
        or phrase.trend == "normalised"
        or phrase.hours_at_a_stretch
        or phrase.count is not None
    ):
        return None
    said = phrase.level
    is_normal = said == "normal"
    return by_scope(phrase, rows, at_level(said), said, NORMAL if is_normal else MOST)


def _bound(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    bounds = [number for number in phrase.values if number.bound]
    if not bounds or phrase.hours_at_a_stretch or phrase.count is not None:
        return None
    if phrase.extreme:
        return judge_extreme(phrase, rows, whole)
    said = f"{bounds[0].bound} {bounds[0].value:g}"
    return by_scope(phrase, rows, lambda row: all(agrees(n, row) for n in bounds), said, MOST)


def _trend(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.trend is None or any(number.bound for number in phrase.values):
        return None
    rows = course(phrase, rows)
    if len(rows) < 2:
        return Judgement("unverifiable", some(rows), "a single value shows no change")
    verdict, reason = judge_trend_of(phrase.trend, rows)
    if phrase.is_negated and phrase.level is None:
        verdict = NEGATED[verdict]
    return Judgement(verdict, (rows[0], rows[-1]), reason)


def _count(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.total is not None and phrase.total != len(rows):
        return Judgement("contradicted", some(rows), f"{len(rows)} measurements, not {phrase.total}")
    if phrase.count is None:
        return None
    test = _test(phrase)
    hits = [row for row in rows if test(row)] if test else list(rows)
    reason = f"{len(hits)} such values of {len(rows)}"
    return Judgement(verdict_of(len(hits) == phrase.count), some(hits or rows), reason)


def _stretch(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    test = _test(phrase)
    if phrase.hours_at_a_stretch is None or test is None or not rows:
        return None
    longest = timedelta(0)
    run: list[Measurement] = []
    for row in rows:
        run = [*run, row] if test(row) else []
        longest = max(longest, run[-1].time - run[0].time) if run else longest
    hours = longest / timedelta(hours=1)
    reason = f"the longest stretch lasts {hours:.1f} h"
    return Judgement(
        verdict_of(hours >= phrase.hours_at_a_stretch), some([r for r in rows if test(r)] or rows), reason
    )


def _severity(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.severity is None or phrase.level not in ("high", "low") or phrase.is_negated:
        return None
    place = PLACES.get(phrase.scope or "")
    picked = rows if place is None or place >= len(rows) else [rows[place]]
    worst = highest(picked) if phrase.level == "high" else lowest(picked)
    grade = severity(worst.variable, phrase.level, worst.value)
    if grade is None or level_of(worst) != phrase.level:
        return None
    return Judgement(verdict_of(grade == phrase.severity), (worst,), f"the worst value is {grade}")


_JUDGES = (_level, _bound, judge_values, judge_extreme, _trend, judge_change, _count, _stretch, _severity)


def _test(phrase: Phrase) -> Test | None:
    bounds = [number for number in phrase.values if number.bound]
    if bounds:
        return lambda row: all(agrees(number, row) for number in bounds)
    return at_level(phrase.level) if phrase.level else None
