"""A window of a stay: the stretch of hours, the time of day or the places in a series that a phrase means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinragen.schema import Measurement

FIRST_HOURS = 6.0
"""What "the first hours" are."""
NEAR = 1.5
"""How many hours off a moment may be; `NEAR_LATER` from the second half of the first day on."""
NEAR_LATER = 2.0
LATER = 12.0
MOMENTS_LATER = 0.01
SLACK = 0.5
TOGETHER = timedelta(hours=1)
"""How far apart two values of "the same draw" may be."""
NIGHT = (22, 7)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the stay in hours from its first measurement, a time of day, or places in the series.

    `is_moment` is a time at which something was so, `is_until` one by which it was: its last value counts.
    """

    start: float = 0.0
    end: float = float("inf")
    from_end: bool = False
    clock: tuple[int, int] | None = None
    is_night: bool = False
    places: tuple[int | None, int | None] | None = None
    is_moment: bool = False
    is_until: bool = False
    is_later: bool = False
    is_told: bool = False
    half: int | None = None

    def pick(
        self, rows: Sequence[Measurement], first: datetime, last: datetime, told: datetime | None = None
    ) -> list[Measurement]:
        """The measurements of one variable, in order of time, that lie in the window.

        `told` is the time of the value told before, for "thereafter" and "on that same
        draw"; without it all but the first are later.
        """
        if self.is_told:
            return [row for row in rows if told and abs(row.time - told) <= TOGETHER]
        if self.is_later:
            return [row for row in rows if row.time > told] if told else list(rows[1:])
        if self.places:
            return list(rows[self.places[0] : self.places[1]])
        return [row for row in rows if self._holds(row.time, first, last)]

    def _holds(self, time: datetime, first: datetime, last: datetime) -> bool:
        if self.clock:
            minutes = abs((time.hour - self.clock[0]) * 60 + time.minute - self.clock[1])
            return min(minutes, 1440 - minutes) <= 30
        if self.half:
            return (time - first > (last - first) / 2) == (self.half == 2)
        if self.is_night:
            return time.hour >= NIGHT[0] or time.hour < NIGHT[1]
        if self.from_end:
            return time >= last - timedelta(hours=self.end)
        return self.start <= (time - first) / timedelta(hours=1) <= self.end
