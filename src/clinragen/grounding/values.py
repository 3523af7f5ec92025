"""Numbers a text gives: exact values, "from A to B", peaks and troughs, and sizes of change."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

from clinragen.grounding.judgement import (
    NORMAL,
    Judgement,
    Rows,
    combine,
    highest,
    lowest,
    some,
    verdict_of,
)
from clinragen.grounding.lexicon import TRENDS
from clinragen.grounding.numbers import Number, agrees, size_in_unit
from clinragen.grounding.phrase import Phrase
from clinragen.grounding.quantities import by_quantity, extreme_of, one_of
from clinragen.schema import Measurement

_A_TO_B = re.compile(
    r"\d\S*\s(?:(?:°\s?[cf]|[a-zµ%]+(?:/[a-z]+)?|mm hg)\s)?(?:down |up |back )?to\s(?:(?:a|an|about|around|"
    r"nearly|almost|"
    r"over|under|above|below|maximum|peak|nadir|minimum|of|only|just|some)\s)*\d"
)


_SPANS = re.compile(r"\b(?:rang|vari|varied|vary|swung|swing|fluctuat|oscillat|span|wander)")
_TO_FROM = re.compile(r"\bto\b[^,;]*\d[^,;]*\bfrom\b[^,;]*\d(?!.*\bto\s+\d)")
_UP_OR_DOWN_FROM = re.compile(r"\b(?:up|down) from \D*\d")


def judge_values(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """Judge exact values: any value, or the one at the place, peak or end that the phrase names."""
    exact = phrase.exact
    if not exact or phrase.extreme:
        return None
    if len(exact) > 2 and is_from_to(phrase):
        return _chain(exact, rows)
    if len(exact) >= 2 and is_from_to(phrase):
        return _from_to(phrase, exact, rows)
    if _UP_OR_DOWN_FROM.search(phrase.text) and len(exact) == 1:
        return _equals(exact[0], [whole[0], lowest(whole), highest(whole)], "where it came from")
    if phrase.bounds and is_from_to(phrase):
        return _equals(exact[0], [rows[0], lowest(whole), highest(whole)], "where it began")
    if len(exact) == 2 and _SPANS.search(phrase.text):
        return _range(exact, rows)
    if "between" in phrase.text and len(exact) == 2:
        low, high = sorted(number.value for number in exact)
        return by_quantity(phrase, rows, lambda row: low <= row.value <= high, "in that range", NORMAL, False)
    if (one := _told_one(phrase, rows)) is not None:
        if not one:
            return Judgement("unverifiable", (), "there is no such measurement")
        return combine([_equals(number, one, "that value") for number in exact])
    return combine([_equals(number, rows, "any value") for number in exact])


def _told_one(phrase: Phrase, rows: Rows) -> Rows | None:
    """The one value that exact numbers are told of, or None if it may be any."""
    if phrase.place:
        return one_of(replace(phrase, scope=None), rows)
    if (reached := _reached(phrase)) is not None:
        return [reached(rows), rows[-1]] if phrase.trend else [reached(rows)]
    if phrase.window and phrase.window.is_until:
        return [rows[-1]]
    return None


def judge_extreme(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """Judge "the highest was 4.1": the value, and its time where one is given."""
    if not phrase.extreme or not (phrase.values or phrase.window or phrase.place):
        return None
    if (phrase.level or phrase.severity or phrase.comparison) and not phrase.values:
        return None
    is_period = phrase.window is not None and not phrase.window.is_moment
    row = extreme_of(phrase, rows if is_period and phrase.values and rows else whole)
    told = [_equals(number, [row], f"the {phrase.extreme} value") for number in _of_extreme(phrase)]
    if phrase.values and is_from_to(phrase) and len(phrase.exact) >= 2:
        told.append(_equals(phrase.exact[0], [whole[0], lowest(whole), highest(whole)], "where it began"))
    if phrase.window and (not phrase.values or phrase.window.is_moment):
        is_then = bool(rows) and extreme_of(phrase, rows).value == row.value
        told.append(_when(is_then, row, phrase))
    elif phrase.place and not phrase.window:
        one = one_of(replace(phrase, scope=None), whole)
        told.append(_when(bool(one) and one is not None and one[0].value == row.value, row, phrase))
    return combine(told) if told else None


def _when(is_then: bool, row: Measurement, phrase: Phrase) -> Judgement:
    reason = f"the {phrase.extreme} value came {'then' if is_then else 'at another time'}"
    return Judgement(verdict_of(is_then), (row,), reason)


def _of_extreme(phrase: Phrase) -> tuple[Number, ...]:
    if len(phrase.exact) >= 2 and is_from_to(phrase):
        return (phrase.exact[1],)
    return phrase.values


def judge_change(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """The size of the net change, as in "fell by 5 mEq/L"."""
    if not phrase.changes:
        return None
    if len(rows) < 2:
        return Judgement("unverifiable", some(rows), "a single value shows no change")
    number = phrase.changes[0]
    sizes = [rows[-1].value - rows[0].value, *_swings(phrase, rows)]
    sign = {"rising": 1, "falling": -1}.get(phrase.trend or "")
    sizes = [size for size in sizes if sign is None or size * sign >= 0] or [0.0]
    told = [abs(size_in_unit(rows[0], number, size)) for size in sizes]
    bare = replace(number, unit=rows[0].unit)
    is_so = any(agrees(bare, rows[0]._replace(value=size)) for size in told)
    return Judgement(verdict_of(is_so), (rows[0], rows[-1]), f"the net change is {told[0]:g}")


def _swings(phrase: Phrase, rows: Rows) -> list[float]:
    """From the first value to the farthest one in the claimed direction."""
    if phrase.trend == "rising":
        return [highest(rows).value - rows[0].value]
    return [lowest(rows).value - rows[0].value] if phrase.trend == "falling" else []


def course(phrase: Phrase, rows: Rows) -> Rows:
    """The stretch of a series that a claimed trend is of: as far as the check or the value it names."""
    if phrase.place in ("second", "third"):
        return rows[: {"second": 2, "third": 3}[phrase.place]]
    if not rows or (reached := _reached(phrase)) is None:
        return rows
    if len(phrase.exact) < 2 or not is_from_to(phrase):
        far = reached(rows)
        return rows[: rows.index(far) + 1] if agrees(phrase.exact[0], far) else rows
    start, end = phrase.exact[0], phrase.exact[1]
    if leg := _leg(start, end, rows):
        return rows[leg[0] : leg[1] + 1]
    before, after = _ends(start, end, rows)
    starts = [rows.index(row) for row in before if agrees(start, row)]
    ends = [rows.index(row) for row in after if agrees(end, row)]
    return rows[min(starts) : max(ends) + 1] if starts and ends and min(starts) < max(ends) else rows


def is_told_reached(phrase: Phrase, rows: Rows) -> bool:
    """Whether a rise or fall is told by the value it came to, and came to it: its size is then no matter."""
    if phrase.trend not in ("rising", "falling") or not phrase.exact or " to " not in phrase.text:
        return False
    far = highest(rows) if phrase.trend == "rising" else lowest(rows)
    return any(agrees(number, row) for number in phrase.exact for row in (far, rows[-1]))


def is_from_to(phrase: Phrase) -> bool:
    """Whether a phrase tells two values, from one to the other."""
    if phrase.trend in ("rising", "falling") and len(phrase.exact) == 2:
        turned = TRENDS.find(phrase.text)
        if turned and phrase.exact[0].start < turned[1] < phrase.exact[1].start:
            return True
    if _TO_FROM.search(phrase.text):
        return len(phrase.exact) == 2
    if _A_TO_B.search(phrase.text):
        return "between" not in phrase.text
    return "from " in phrase.text and phrase.text.index("from ") < phrase.text.rfind(" to ")


def _from_to(phrase: Phrase, exact: Sequence[Number], rows: Rows) -> Judgement:
    start, end = exact[:2] if not _TO_FROM.search(phrase.text) else exact[1::-1]
    if _SPANS.search(phrase.text):
        return _range(exact, rows)
    if _leg(start, end, rows):
        return Judgement("supported", some(rows), "one leg of its course")
    before, after = _ends(start, end, rows)
    first = _equals(start, before, "the first value")
    return combine([first, _equals(end, after, "the last or furthest value")])


def _range(exact: Sequence[Number], rows: Rows) -> Judgement:
    """Two values that the series lies between: "ranged from 3.3 to 5.6"."""
    low, high = sorted(exact[:2], key=lambda number: number.value)
    return combine(
        [_equals(low, [lowest(rows)], "the lowest"), _equals(high, [highest(rows)], "the highest")]
    )


def _chain(exact: Sequence[Number], rows: Rows) -> Judgement:
    """Several values one after the other: "from 19.4 to 14.2 and then to 9.1"."""
    told, at = [], 0
    for number in exact:
        at = next((place for place in range(at, len(rows)) if agrees(number, rows[place])), len(rows))
        told.append(at)
        at += 1
    is_so = told[-1] < len(rows)
    is_so = is_so and rows[told[-1]].value in (rows[-1].value, highest(rows).value, lowest(rows).value)
    return Judgement(verdict_of(is_so), some(rows), "these values one after the other")


def _leg(start: Number, end: Number, rows: Rows) -> tuple[int, int] | None:
    """From which turn to which the values go just so, as in "rebounded from 1.9 to 2.8"."""
    ends = [0, *_turning(rows), len(rows) - 1]
    legs = (leg for leg in pairwise(ends) if agrees(start, rows[leg[0]]) and agrees(end, rows[leg[1]]))
    return next(legs, None)


def _turning(rows: Rows) -> list[int]:
    """Where the values turn round."""
    return [
        place
        for place in range(1, len(rows) - 1)
        if (rows[place].value - rows[place - 1].value) * (rows[place + 1].value - rows[place].value) < 0
    ]


def _ends(start: Number, end: Number, rows: Rows) -> tuple[Rows, Rows]:
    """Where "from A to B" may begin (the first or opposite extreme) and end (the last or furthest)."""
    near, far = (lowest, highest) if end.value > start.value else (highest, lowest)
    return [rows[0], near(rows)], [rows[-1], far(rows)]


def _reached(phrase: Phrase) -> Callable[[Rows], Measurement] | None:
    """Which value "reached 38.9" or "rose to 26.3" speaks of."""
    if not phrase.exact:
        return None
    if phrase.trend == "rising" and " to " in phrase.text:
        return highest
    if phrase.trend == "falling" and " to " in phrase.text:
        return lowest
    if "down to" in phrase.text:
        return lowest
    if any(word in phrase.text for word in ("touch", " hit ")) and phrase.level is None:
        return partial(_nearer_extreme, phrase.exact[0])
    if any(word in phrase.text for word in ("reach", "up to", "touch", " hit ")):
        if phrase.window and phrase.window.is_until:
            return None
        return lowest if phrase.level == "low" else highest
    return None


def _nearer_extreme(number: Number, rows: Rows) -> Measurement:
    """The highest or the lowest value, as "touched 47" may mean either."""
    return min(
        highest(rows), lowest(rows), key=lambda row: (not agrees(number, row), abs(row.value - number.value))
    )


def _equals(number: Number, rows: Rows, what: str) -> Judgement:
    hits = [row for row in rows if agrees(number, row)]
    if hits:
        return Judgement("supported", some(hits), f"{what} is {number.value:g}")
    nearest = min(rows, key=lambda row: abs(row.value - number.value))
    return Judgement("contradicted", (nearest,), f"{what} is not {number.value:g}")
