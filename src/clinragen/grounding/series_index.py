"""The measurements of a stay by variable, and which of them a name means."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from clinragen.clinical.findings import by_variable
from clinragen.clinical.words import Mention, mentions
from clinragen.schema import Measurement, Stay

TOGETHER = timedelta(hours=1)
"""How far apart two values may be measured to make a ratio."""
ENOUGH_OXYGEN = 300.0
"""The ratio of pO2 to FiO2 below which oxygenation is impaired (mm Hg; Berlin definition, JAMA 2012)."""


@dataclass(frozen=True, slots=True)
class SeriesIndex:
    """The measurements of a stay by variable, and when the first and the last were taken."""

    rows: dict[str, list[Measurement]]
    first: datetime
    last: datetime
    ratios: dict[str, list[Measurement]] = field(default_factory=dict)
    unlisted: re.Pattern[str] | None = None
    """The names of measured variables that the table of words does not hold."""

    def resolve(self, mention: Mention) -> tuple[str, ...]:
        """The variables a mention means here: all of a joint name, else the first one measured."""
        word = mention.word
        if word.is_joint:
            return word.variables
        return (next((name for name in word.variables if self.of(name)), word.variables[0]),)

    def of(self, name: str) -> list[Measurement]:
        """The measurements of a variable, or of the ratio of two ("pO2/FiO2")."""
        if "/" not in name or name in self.rows:
            return self.rows.get(name, [])
        if name not in self.ratios:
            above, below = name.split("/", 1)
            self.ratios[name] = list(_ratio(name, self.rows.get(above, []), self.rows.get(below, [])))
        return self.ratios[name]


def series_index(stay: Stay) -> SeriesIndex:
    """Index the measurements of a stay; built once, used for every clause."""
    times = [row.time for row in stay.measurements] or [stay.prediction_time]
    rows = by_variable(stay.measurements)
    return SeriesIndex(rows, min(times), max(times), unlisted=_unlisted(tuple(rows)))


@lru_cache(maxsize=64)
def _unlisted(names: tuple[str, ...]) -> re.Pattern[str] | None:
    missing = [name for name in names if not mentions(name)]
    pattern = "|".join(re.escape(name) for name in sorted(missing, key=len, reverse=True))
    return re.compile(rf"\b(?:{pattern})s?\b", re.I) if missing else None


def _ratio(name: str, above: list[Measurement], below: list[Measurement]) -> list[Measurement]:
    """The ratio at every time at which both were measured; inspired oxygen counts as a fraction."""
    found = []
    for row in above:
        near = min(below, key=lambda other: abs(other.time - row.time), default=None)
        if near is None or abs(near.time - row.time) > TOGETHER or not near.value:
            continue
        value = near.value / 100 if near.variable == "FiO2" and near.value > 1 else near.value
        low = ENOUGH_OXYGEN if near.variable == "FiO2" else None
        found.append(row._replace(variable=name, value=row.value / value, unit="", low=low, high=None))
    return found
