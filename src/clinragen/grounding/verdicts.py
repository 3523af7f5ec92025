"""How each kind of statement about a series is judged against its measurements.

A judge looks at one phrase and the measurements of one variable, in order of time, and answers None
where the phrase says nothing of its kind.
"""

import re
from datetime import timedelta

from clinragen.clinical.findings import level_of
from clinragen.clinical.severity import Severity, severity
from clinragen.grounding.direction import judge_direction
from clinragen.grounding.judgement import (
    FEW,
    MOST,
    NEGATED,
    NORMAL,
    Judgement,
    Rows,
    Test,
    highest,
    lowest,
    some,
    verdict_of,
)
from clinragen.grounding.lexicon import LEVELS
from clinragen.grounding.numbers import agrees
from clinragen.grounding.phrase import Phrase
from clinragen.grounding.quantities import by_quantity, extreme_of, is_at_level, one_of, worst
from clinragen.grounding.ratio import judge_ratio
from clinragen.grounding.trend import judge_trend_of
from clinragen.grounding.values import (
    course,
    is_from_to,
    is_told_reached,
    judge_change,
    judge_extreme,
    judge_values,
)
from clinragen.schema import Measurement

SLACK_HOURS = 0.5
GRADES: tuple[Severity, ...] = ("mild", "moderate", "severe")
_BEYOND = re.compile(r"\b(?:beyond|more than|worse than|past|above)\b")
_REACHED = re.compile(r"reach|cross|pass")
_REACHING = re.compile(
    r"(?:above|below|over|under|past|beyond|out|outside|in|within|crossed|left|short|higher|lower|exceed)"
)


def judge(phrase: Phrase, rows: Rows, whole: Rows) -> list[Judgement]:
    """Judge everything a phrase says; `rows` are those in its window, `whole` the series before it."""
    if not rows and phrase.window and not phrase.extreme:
        return [Judgement("unverifiable", (), "not measured at that time")]
    found = [judge_part(phrase, rows, whole) for judge_part in _JUDGES]
    return [judgement for judgement in found if judgement is not None]


def _level(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    said = phrase.level
    if said is None or phrase.trend == "normalised" or phrase.hours_at_a_stretch or phrase.count is not None:
        return None
    if (phrase.comparison and said != "normal") or (phrase.severity and _is_denied(phrase)):
        return None
    if phrase.is_existence and (phrase.extreme or phrase.bounds) and not phrase.scope:
        return by_quantity(phrase, whole, is_at_level(said), said, MOST, True) if not phrase.extreme else None
    is_reached = phrase.severity is not None or (phrase.trend not in (None, "stable") and _is_reached(phrase))
    return by_quantity(
        phrase, rows or whole, is_at_level(said), said, NORMAL if said == "normal" else MOST, is_reached
    )


def _is_denied(phrase: Phrase) -> bool:
    return phrase.is_negated or phrase.scope == "none"


def _is_reached(phrase: Phrase) -> bool:
    """Whether the level is what a movement leads to ("fell below range"), not how the values were."""
    found = LEVELS.find(phrase.text)
    return found is not None and _REACHING.match(phrase.text, found[1]) is not None


def _bound(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    bounds = phrase.bounds
    if not bounds or phrase.hours_at_a_stretch or phrase.count is not None or phrase.extreme:
        return None
    said = f"{bounds[0].bound} {bounds[0].value:g}"
    is_reached = phrase.trend is not None or _REACHED.search(phrase.text) is not None or is_from_to(phrase)
    return by_quantity(phrase, rows, lambda row: all(agrees(n, row) for n in bounds), said, MOST, is_reached)


def _limit(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """Values told as a multiple of the upper limit: "at least twice the upper limit"."""
    times = phrase.times_limit
    if times is None:
        return None
    said = f"above {times:g} times the limit"
    return by_quantity(
        phrase, rows, lambda r: r.high is not None and r.value >= times * r.high, said, MOST, False
    )


def _trend(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    is_ratio = phrase.comparison is not None and phrase.comparison.factor != 1
    if (
        phrase.trend is None
        or phrase.changes
        or is_ratio
        or (phrase.bounds and phrase.trend in ("rising", "falling"))
    ):
        return None
    if phrase.window and phrase.window.is_later:
        rows = whole[max(whole.index(rows[0]) - 1, 0) :]
    if phrase.trend == "fluctuating" and len(phrase.exact) == 2:
        return None
    if phrase.level and phrase.is_existence and " into" in phrase.text:
        return None
    if phrase.window and phrase.window.is_moment:
        rows = [row for row in whole if row.time <= rows[-1].time] if rows else whole
    if phrase.window and rows:
        rows = _with_before(phrase, rows, whole)
    rows = course(phrase, rows)
    if phrase.extreme and phrase.exact and len(rows) < 2 <= len(whole):
        return None
    if phrase.scope == "any" and phrase.trend in ("rising", "falling") and len(rows) > 1:
        far = (highest if phrase.trend == "rising" else lowest)(rows)
        rows = rows[: max(rows.index(far) + 1, 2)]
    if len(rows) < 2:
        return Judgement("unverifiable", some(rows), "a single value shows no change")
    if phrase.level and _is_reached(phrase) and phrase.trend in ("rising", "falling"):
        return None
    if is_told_reached(phrase, rows):
        sign = 1 if phrase.trend == "rising" else -1
        is_so = (rows[-1].value - rows[0].value) * sign > 0
        return Judgement(verdict_of(is_so), (rows[0], rows[-1]), f"{rows[0].value:g} to {rows[-1].value:g}")
    verdict, reason = judge_trend_of(phrase.trend, rows)
    if (phrase.is_negated and (phrase.level is None or phrase.trend == "normalised")) or (
        phrase.scope == "none"
    ):
        verdict = NEGATED[verdict]
    return Judgement(verdict, (rows[0], rows[-1]), reason)


def _with_before(phrase: Phrase, rows: Rows, whole: Rows) -> Rows:
    """The values in a window with what was before it, where the change is one from there.

    "Resolved on the second day" is a change from the first value, and so is one to the only value there.
    """
    before = [row for row in whole if row.time < rows[0].time]
    if phrase.trend == "normalised":
        return [*before, *rows]
    return [*before[-1:], *rows] if len(rows) == 1 else rows


def _comparison(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.comparison is None:
        return None
    if phrase.window and phrase.window.is_later and not phrase.comparison.is_stepwise:
        rows = whole
    if len(rows) == 1 and phrase.comparison.reference:
        rows = [row for row in whole if row.time <= rows[0].time]
    if len(rows) < 2:
        return Judgement("unverifiable", some(rows), "a single value shows no change")
    verdict, reason = judge_ratio(phrase.comparison, rows)
    if phrase.is_negated:
        verdict = NEGATED[verdict]
    return Judgement(verdict, (rows[0], rows[-1]), reason)


def _count(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    counted = whole if phrase.window and phrase.window.places else rows
    if phrase.total is not None and phrase.total not in (len(rows), len(counted)):
        return Judgement("contradicted", some(rows), f"{len(rows)} measurements, not {phrase.total}")
    if phrase.count is None:
        return Judgement("supported", some(rows), f"{phrase.total} measurements") if phrase.total else None
    test = _test(phrase)
    hits = [row for row in rows if test(row)] if test else list(rows)
    if phrase.place and phrase.count == 1 and (one := one_of(phrase, rows)) and hits != list(one):
        return Judgement("contradicted", some(one), "that value is not the one")
    wanted = phrase.count if phrase.count >= 0 else len(rows) + phrase.count
    is_so = len(hits) == wanted or (phrase.count_bound == ("above" if len(hits) > wanted else "below"))
    return Judgement(verdict_of(is_so), some(hits or rows), f"{len(hits)} such values of {len(rows)}")


def _only(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """What was so at one place or time alone: "confined to the first six hours"."""
    test = _test(phrase)
    if not phrase.is_only or test is None or phrase.count is not None or not (phrase.place or phrase.window):
        return None
    inside = one_of(phrase, rows) or rows
    outside = [row for row in whole if row not in inside and test(row)]
    return Judgement(
        verdict_of(len(outside) <= FEW * len(whole)), some(outside), f"{len(outside)} such values elsewhere"
    )


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
    is_so = hours >= phrase.hours_at_a_stretch - SLACK_HOURS
    reason = f"the longest stretch lasts {hours:.1f} h"
    return Judgement(verdict_of(is_so), some([row for row in rows if test(row)] or rows), reason)


def _severity(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.severity is None or phrase.level == "normal":
        return None
    row = _graded(phrase, rows or whole)
    if phrase.scope == "all" and not phrase.is_negated:
        grades = [severity(r.variable, phrase.level or level_of(r), r.value) for r in rows]
        is_so = all(grade == phrase.severity for grade in grades if grade) and any(grades)
        return Judgement(verdict_of(is_so), some(rows), f"each value is {phrase.severity}?")
    level = phrase.level if phrase.level in ("high", "low") else level_of(row)
    grade = severity(row.variable, level, row.value)
    if _BEYOND.search(phrase.text) and not _is_denied(phrase):
        is_so = (GRADES.index(grade) if grade else -1) > GRADES.index(phrase.severity)
        return Judgement(verdict_of(is_so), (row,), f"the worst value is {grade or level_of(row)}")
    if _is_denied(phrase):
        return _denied_severity(phrase, row, grade)
    if level_of(row) != level:
        return Judgement("contradicted", (row,), f"that value is {level_of(row)}")
    if grade is None:
        return None
    return Judgement(verdict_of(grade == phrase.severity), (row,), f"the worst value is {grade}")


def _denied_severity(phrase: Phrase, row: Measurement, grade: Severity | None) -> Judgement:
    """Judge what denies a grade; "never got beyond mild" says that it was mild at worst."""
    worse = GRADES.index(grade) if grade else -1
    said = GRADES.index(phrase.severity) if phrase.severity else 0
    is_so = worse <= said if _BEYOND.search(phrase.text) else worse != said
    return Judgement(verdict_of(is_so), (row,), f"the worst value is {grade or level_of(row)}")


def _graded(phrase: Phrase, rows: Rows) -> Measurement:
    """The value that a grade is given to: the one named, else the worst."""
    named = [row for number in phrase.exact[-1:] for row in rows if agrees(number, row)]
    if named:
        return named[0]
    if one := one_of(phrase, rows):
        return one[0]
    if phrase.extreme:
        return extreme_of(phrase, rows)
    if phrase.level in ("high", "low"):
        return highest(rows) if phrase.level == "high" else lowest(rows)
    return (
        lowest(rows)
        if phrase.trend == "falling"
        else highest(rows)
        if phrase.trend == "rising"
        else worst(rows)
    )


_JUDGES = (
    _level,
    _bound,
    _limit,
    judge_values,
    judge_extreme,
    _trend,
    judge_direction,
    _comparison,
    judge_change,
    _count,
    _only,
    _stretch,
    _severity,
)


def _test(phrase: Phrase) -> Test | None:
    bounds = phrase.bounds
    if bounds:
        return lambda row: all(agrees(number, row) for number in bounds)
    return is_at_level(phrase.level) if phrase.level else None
