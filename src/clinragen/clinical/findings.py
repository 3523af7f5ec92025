"""What the measurements of a stay show, variable by variable: computed, never typed."""

from collections.abc import Iterable, Sequence
from functools import cache
from operator import itemgetter

from clinragen.clinical.trends import smallest_change, trend
from clinragen.clinical.variables import variables
from clinragen.schema import Finding, Level, Measurement

STATES = (
    "normal",
    "high",
    "low",
    "high at times",
    "low at times",
    "high and rising",
    "high and falling",
    "low and rising",
    "low and falling",
)


def findings(measurements: Sequence[Measurement]) -> tuple[Finding, ...]:
    """The findings of a stay, variables in table order, then unknown ones by name.

    High before low where a variable has both. A value without any reference range has no level, and a
    variable without measurements no finding: absent is never normal.
    """
    grouped = by_variable(row for row in measurements if row.low is not None or row.high is not None)
    order = _order()
    names = sorted(grouped, key=lambda name: (order.get(name, len(order)), name))
    return tuple(finding for name in names for finding in _findings_of(name, grouped[name]))


def sentence(finding: Finding) -> str:
    """The one canonical short statement of a finding, such as "creatinine is high and rising"."""
    return f"{finding.variable} is {_phrase(finding)}"


def state(findings: Sequence[Finding]) -> str:
    """The phrase, one of STATES, for all findings of one variable: the more frequent one speaks."""
    return _phrase(max(findings, key=lambda finding: (finding.count, finding.level == "high")))


def level_of(row: Measurement) -> Level:
    """High is strictly above the range that goes with the value, low strictly below, else normal."""
    if row.high is not None and row.value > row.high:
        return "high"
    return "low" if row.low is not None and row.value < row.low else "normal"


def by_variable(measurements: Iterable[Measurement]) -> dict[str, list[Measurement]]:
    """The measurements of each variable, in order of time."""
    grouped: dict[str, list[Measurement]] = {}
    for row in measurements:
        grouped.setdefault(row.variable, []).append(row)
    for rows in grouped.values():
        rows.sort(key=itemgetter(0))
    return grouped


def _findings_of(name: str, rows: list[Measurement]) -> list[Finding]:
    levels: dict[Level, list[Measurement]] = {"high": [], "low": [], "normal": []}
    for row in rows:
        levels[level_of(row)].append(row)
    told: tuple[Level, ...] = ("high", "low") if len(levels["normal"]) < len(rows) else ("normal",)
    values = [row.value for row in rows]
    way = trend(values, smallest_change(name, rows[0].unit, values[0]))
    found = []
    for level in told:
        if at := levels[level]:
            row = _worst(level, at)
            found.append(
                Finding(
                    variable=name,
                    level=level,
                    count=len(at),
                    measured=len(rows),
                    extreme=row.value,
                    when=row.time,
                    first=values[0],
                    last=values[-1],
                    trend=way,
                    unit=row.unit,
                    low=row.low,
                    high=row.high,
                )
            )
    return found


def _phrase(finding: Finding) -> str:
    if finding.level == "normal":
        return "normal"
    if not finding.is_persistent:
        return f"{finding.level} at times"
    return f"{finding.level} and {finding.trend}" if finding.trend in ("rising", "falling") else finding.level


def _worst(level: Level, rows: list[Measurement]) -> Measurement:
    if level == "normal":
        return rows[-1]
    return (max if level == "high" else min)(rows, key=itemgetter(2))


@cache
def _order() -> dict[str, int]:
    return {name: place for place, name in enumerate(variables())}
