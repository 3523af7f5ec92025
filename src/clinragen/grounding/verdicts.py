"""How each kind of statement about a series is judged against its measurements.

A judge looks at one phrase and the measurements of one variable, in order of time, and answers None
where the phrase says nothing of its kind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from clinragen.clinical.findings import level_of
from clinragen.clinical.severity import severity
from clinragen.grounding.numbers import Number, agrees
from clinragen.grounding.reading import Phrase
from clinragen.grounding.trend import judge_trend_of
from clinragen.schema import Measurement, Verdict

FEW = 0.03  # up to this share of the values is as good as none
MOST = 0.5
NORMAL = 0.9
ORDER: tuple[Verdict, ...] = ("contradicted", "unverifiable", "supported")

Rows = Sequence[Measurement]
Test = Callable[[Measurement], bool]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one statement, the measurements that decided it, and why in a few words."""

    verdict: Verdict
    rows: tuple[Measurement, ...]
    reason: str


def judge(phrase: Phrase, rows: Rows, whole: Rows) -> list[Judgement]:
    """Judge everything a phrase says; `rows` are those in its window, `whole` the series before it."""
    if not rows and phrase.window and not (phrase.extreme and phrase.values):
        return [Judgement("unverifiable", (), "not measured at that time")]
    found = [judge(phrase, rows, whole) for judge in _JUDGES]
    return [judgement for judgement in found if judgement is not None]


def combine(judgements: Sequence[Judgement]) -> Judgement:
    """A statement of several parts: contradicted if one is, else unverifiable if one is."""
    return min(judgements, key=lambda judgement: ORDER.index(judgement.verdict))


def _level(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.level is None or phrase.hours_at_a_stretch or phrase.count is not None:
        return None
    said = phrase.level
    is_normal = said == "normal"
    return _by_scope(phrase, rows, _at_level(said), said, NORMAL if is_normal else MOST)


def _bound(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    bounds = [number for number in phrase.values if number.bound]
    if not bounds or phrase.hours_at_a_stretch or phrase.count is not None:
        return None
    if phrase.extreme:
        return _extreme(phrase, rows, whole)
    said = f"{bounds[0].bound} {bounds[0].value:g}"
    return _by_scope(phrase, rows, lambda row: all(agrees(n, row) for n in bounds), said, MOST)


def _by_scope(phrase: Phrase, rows: Rows, test: Test, said: str, enough: float) -> Judgement:
    """Apply "throughout", "at times", "initially" and the like to a test of single values."""
    place = _PLACES.get(phrase.scope or "")
    if place is not None:
        return _at_place(phrase, rows, test, said, place)
    hits = [row for row in rows if test(row)]
    misses = [row for row in rows if not test(row)]
    verdict = _scoped_verdict(phrase, len(hits), len(rows), enough)
    if phrase.is_negated and phrase.scope != "none":
        verdict = _NEGATED[verdict]
    reason = f"{len(hits)} of {len(rows)} values {said}"
    if verdict == "unverifiable":
        return Judgement(verdict, _some(hits or rows), f"only at times {said}: {reason}")
    wants_hits = (verdict == "supported") != (phrase.is_negated or phrase.scope == "none")
    return Judgement(verdict, _some((hits if wants_hits else misses) or rows), reason)


def _scoped_verdict(phrase: Phrase, hits: int, measured: int, enough: float) -> Verdict:
    share = hits / measured
    if phrase.scope == "none":
        return _verdict(hits == 0)
    if phrase.scope == "all":
        return _verdict(hits == measured)
    if phrase.scope == "most":
        return _verdict(share > MOST)
    if phrase.scope == "any" or phrase.is_existence or (phrase.is_negated and enough == MOST):
        return _verdict(hits > 0)
    if share >= enough:
        return "supported"
    return "contradicted" if share < (MOST if enough == NORMAL else FEW) or not hits else "unverifiable"


def _at_place(phrase: Phrase, rows: Rows, test: Test, said: str, place: int) -> Judgement:
    if place >= len(rows):
        return Judgement("unverifiable", _some(rows), "there is no such measurement")
    row = rows[place]
    return Judgement(
        _verdict(test(row) != phrase.is_negated), (row,), f"that value is {row.value:g} ({said}?)"
    )


def _values(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    exact = [number for number in phrase.values if not number.bound]
    if not exact or phrase.extreme:
        return None
    if len(exact) >= 2 and _is_from_to(phrase, exact):
        return _from_to(phrase, exact, rows)
    if "between" in phrase.text and len(exact) == 2:
        low, high = sorted(number.value for number in exact)
        return _by_scope(phrase, rows, lambda row: low <= row.value <= high, "in that range", NORMAL)
    place = _PLACES.get(phrase.scope or "")
    if place is not None:
        return _at_place(phrase, rows, lambda row: agrees(exact[0], row), f"{exact[0].value:g}", place)
    if (reached := _reached(phrase)) is not None:
        return _equals(exact[0], [reached(rows)], "the value reached")
    return combine([_equals(number, rows, "any value") for number in exact])


def _is_from_to(phrase: Phrase, exact: Sequence[Number]) -> bool:
    return "from " in phrase.text and phrase.text.index("from ") < phrase.text.rfind(" to ")


def _from_to(phrase: Phrase, exact: Sequence[Number], rows: Rows) -> Judgement:
    start, end = exact[0], exact[1]
    if "rang" in phrase.text:
        lowest, highest = _lowest(rows), _highest(rows)
        return combine([_equals(start, [lowest], "the lowest"), _equals(end, [highest], "the highest")])
    first = _equals(start, rows[:1], "the first value")
    furthest = _highest if end.value > start.value else _lowest
    last = _equals(end, [rows[-1], furthest(rows)], "the last or furthest value")
    return combine([first, last])


def _reached(phrase: Phrase) -> Callable[[Rows], Measurement] | None:
    """Which value "reached 38.9" or "rose to 26.3" speaks of."""
    if not phrase.values:
        return None
    if phrase.trend == "rising" and " to " in phrase.text:
        return _highest
    if phrase.trend == "falling" and " to " in phrase.text:
        return _lowest
    if "reach" in phrase.text or "up to" in phrase.text:
        return _lowest if phrase.level == "low" else _highest
    return None


def _equals(number: Number, rows: Rows, what: str) -> Judgement:
    hits = [row for row in rows if agrees(number, row)]
    if hits:
        return Judgement("supported", _some(hits), f"{what} is {number.value:g}")
    nearest = min(rows, key=lambda row: abs(row.value - number.value))
    return Judgement("contradicted", (nearest,), f"{what} is not {number.value:g}")


def _extreme(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if not phrase.extreme or not phrase.values:
        return None
    pick = _highest if phrase.extreme == "highest" else _lowest
    row = pick(whole)
    value = _equals(phrase.values[0], [row], f"the {phrase.extreme} value")
    if value.verdict == "supported" and phrase.window and pick(rows or whole).value != row.value:
        return Judgement("contradicted", (row,), f"the {phrase.extreme} value came at another time")
    if value.verdict == "supported" and phrase.window and not rows:
        return Judgement("contradicted", (row,), f"the {phrase.extreme} value came at another time")
    return value


def _trend(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.trend is None:
        return None
    if phrase.scope in ("second", "third"):
        rows = rows[: _PLACES[phrase.scope] + 1]
    elif (reached := _reached(phrase)) is not None and agrees(phrase.values[-1], reached(rows)):
        rows = rows[: rows.index(reached(rows)) + 1]
    if len(rows) < 2:
        return Judgement("unverifiable", _some(rows), "a single value shows no change")
    verdict, reason = judge_trend_of(phrase.trend, rows)
    if phrase.is_negated and phrase.level is None:
        verdict = _NEGATED[verdict]
    return Judgement(verdict, (rows[0], rows[-1]), reason)


def _change(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """The size of the net change, as in "fell by 5 mEq/L" or "by 20%"."""
    if not phrase.changes:
        return None
    if len(rows) < 2:
        return Judgement("unverifiable", _some(rows), "a single value shows no change")
    number, net = phrase.changes[0], abs(rows[-1].value - rows[0].value)
    size = 100 * net / abs(rows[0].value) if number.unit in ("%", "percent") and rows[0].value else net
    is_so = agrees(replace(number, unit=""), rows[0]._replace(value=size))
    return Judgement(_verdict(is_so), (rows[0], rows[-1]), f"the net change is {size:g}")


def _count(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.total is not None and phrase.total != len(rows):
        return Judgement("contradicted", _some(rows), f"{len(rows)} measurements, not {phrase.total}")
    if phrase.count is None:
        return None
    test = _test(phrase)
    hits = [row for row in rows if test(row)] if test else list(rows)
    reason = f"{len(hits)} such values of {len(rows)}"
    return Judgement(_verdict(len(hits) == phrase.count), _some(hits or rows), reason)


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
        _verdict(hours >= phrase.hours_at_a_stretch), _some([r for r in rows if test(r)] or rows), reason
    )


def _severity(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    if phrase.severity is None or phrase.level not in ("high", "low") or phrase.is_negated:
        return None
    place = _PLACES.get(phrase.scope or "")
    picked = rows if place is None or place >= len(rows) else [rows[place]]
    worst = _highest(picked) if phrase.level == "high" else _lowest(picked)
    grade = severity(worst.variable, phrase.level, worst.value)
    if grade is None or level_of(worst) != phrase.level:
        return None
    return Judgement(_verdict(grade == phrase.severity), (worst,), f"the worst value is {grade}")


_JUDGES = (_level, _bound, _values, _extreme, _trend, _change, _count, _stretch, _severity)
_PLACES = {"first": 0, "second": 1, "third": 2, "last": -1}
_NEGATED: dict[Verdict, Verdict] = {
    "supported": "contradicted",
    "contradicted": "supported",
    "unverifiable": "unverifiable",
}


def _test(phrase: Phrase) -> Test | None:
    bounds = [number for number in phrase.values if number.bound]
    if bounds:
        return lambda row: all(agrees(number, row) for number in bounds)
    return _at_level(phrase.level) if phrase.level else None


def _at_level(said: str) -> Test:
    if said == "abnormal":
        return lambda row: level_of(row) != "normal"
    return lambda row: level_of(row) == said


def _verdict(is_true: bool) -> Verdict:
    return "supported" if is_true else "contradicted"


def _some(rows: Rows) -> tuple[Measurement, ...]:
    return tuple(rows[:3])


def _highest(rows: Rows) -> Measurement:
    return max(rows, key=lambda row: row.value)


def _lowest(rows: Rows) -> Measurement:
    return min(rows, key=lambda row: row.value)
