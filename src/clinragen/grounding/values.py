"""Numbers a text gives: exact values, "from A to B", peaks and troughs, and sizes of change."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from clinragen.grounding.numbers import Number, agrees
from clinragen.grounding.reading import Phrase
from clinragen.grounding.scopes import (
    NORMAL,
    PLACES,
    Judgement,
    Rows,
    at_place,
    by_scope,
    combine,
    highest,
    lowest,
    some,
    verdict_of,
)
from clinragen.schema import Measurement


def judge_values(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """Judge exact values: any value, or the one at the place, peak or end that the phrase names."""
    exact = [number for number in phrase.values if not number.bound]
    if not exact or phrase.extreme:
        return None
    if len(exact) >= 2 and _is_from_to(phrase, exact):
        return _from_to(phrase, exact, rows)
    if "between" in phrase.text and len(exact) == 2:
        low, high = sorted(number.value for number in exact)
        return by_scope(phrase, rows, lambda row: low <= row.value <= high, "in that range", NORMAL)
    place = PLACES.get(phrase.scope or "")
    if place is not None:
        return at_place(phrase, rows, lambda row: agrees(exact[0], row), f"{exact[0].value:g}", place)
    if (reached := _reached(phrase)) is not None:
        return _equals(exact[0], [reached(rows)], "the value reached")
    return combine([_equals(number, rows, "any value") for number in exact])


def judge_extreme(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """Judge "the highest was 4.1": the value, and its time where one is given."""
    if not phrase.extreme or not phrase.values:
        return None
    pick = highest if phrase.extreme == "highest" else lowest
    row = pick(whole)
    value = _equals(phrase.values[0], [row], f"the {phrase.extreme} value")
    if value.verdict == "supported" and phrase.window and pick(rows or whole).value != row.value:
        return Judgement("contradicted", (row,), f"the {phrase.extreme} value came at another time")
    if value.verdict == "supported" and phrase.window and not rows:
        return Judgement("contradicted", (row,), f"the {phrase.extreme} value came at another time")
    return value


def judge_change(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """The size of the net change, as in "fell by 5 mEq/L" or "by 20%"."""
    if not phrase.changes:
        return None
    if len(rows) < 2:
        return Judgement("unverifiable", some(rows), "a single value shows no change")
    number, net = phrase.changes[0], abs(rows[-1].value - rows[0].value)
    size = 100 * net / abs(rows[0].value) if number.unit in ("%", "percent") and rows[0].value else net
    is_so = agrees(replace(number, unit=""), rows[0]._replace(value=size))
    return Judgement(verdict_of(is_so), (rows[0], rows[-1]), f"the net change is {size:g}")


def course(phrase: Phrase, rows: Rows) -> Rows:
    """The stretch of a series that a claimed trend is of: as far as the check or the value it names."""
    if phrase.scope in ("second", "third"):
        return rows[: PLACES[phrase.scope] + 1]
    if not rows or (reached := _reached(phrase)) is None:
        return rows
    if len(phrase.values) < 2 or not _is_from_to(phrase, phrase.values):
        far = reached(rows)
        return rows[: rows.index(far) + 1] if agrees(phrase.values[0], far) else rows
    start, end = phrase.values[0], phrase.values[1]
    before, after = _ends(start, end, rows)
    starts = [rows.index(row) for row in before if agrees(start, row)]
    ends = [rows.index(row) for row in after if agrees(end, row)]
    return rows[min(starts) : max(ends) + 1] if starts and ends and min(starts) < max(ends) else rows


def _is_from_to(phrase: Phrase, exact: Sequence[Number]) -> bool:
    return "from " in phrase.text and phrase.text.index("from ") < phrase.text.rfind(" to ")


def _from_to(phrase: Phrase, exact: Sequence[Number], rows: Rows) -> Judgement:
    start, end = exact[0], exact[1]
    if "rang" in phrase.text:
        ends = (_equals(start, [lowest(rows)], "the lowest"), _equals(end, [highest(rows)], "the highest"))
        return combine(ends)
    before, after = _ends(start, end, rows)
    first = _equals(start, before, "the first value")
    return combine([first, _equals(end, after, "the last or furthest value")])


def _ends(start: Number, end: Number, rows: Rows) -> tuple[Rows, Rows]:
    """Where "from A to B" may begin (the first or opposite extreme) and end (the last or furthest)."""
    near, far = (lowest, highest) if end.value > start.value else (highest, lowest)
    return [rows[0], near(rows)], [rows[-1], far(rows)]


def _reached(phrase: Phrase) -> Callable[[Rows], Measurement] | None:
    """Which value "reached 38.9" or "rose to 26.3" speaks of."""
    if not phrase.values:
        return None
    if phrase.trend == "rising" and " to " in phrase.text:
        return highest
    if phrase.trend == "falling" and " to " in phrase.text:
        return lowest
    if "reach" in phrase.text or "up to" in phrase.text:
        return lowest if phrase.level == "low" else highest
    return None


def _equals(number: Number, rows: Rows, what: str) -> Judgement:
    hits = [row for row in rows if agrees(number, row)]
    if hits:
        return Judgement("supported", some(hits), f"{what} is {number.value:g}")
    nearest = min(rows, key=lambda row: abs(row.value - number.value))
    return Judgement("contradicted", (nearest,), f"{what} is not {number.value:g}")
