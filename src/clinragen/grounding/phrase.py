"""One phrase about a variable: what it says, as data that can be judged."""

from dataclasses import dataclass

from clinragen.clinical.severity import Severity
from clinragen.grounding.comparing import Comparison
from clinragen.grounding.lexicon import Extreme, SaidLevel, SaidTrend, Scope
from clinragen.grounding.numbers import Bound, Number
from clinragen.grounding.windows import Window

PLACES = ("first", "second", "third", "middle", "penultimate", "last")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase: whatever it does not say is None, `values` and `changes` are its numbers.

    `scope` is of how many values it speaks, `place` of which one; a `count` below zero is "all but" so many.
    """

    text: str
    level: SaidLevel | None = None
    is_negated: bool = False
    is_existence: bool = False
    scope: Scope | None = None
    place: Scope | None = None
    trend: SaidTrend | None = None
    extreme: Extreme | None = None
    severity: Severity | None = None
    values: tuple[Number, ...] = ()
    changes: tuple[Number, ...] = ()
    window: Window | None = None
    hours_at_a_stretch: float | None = None
    count: int | None = None
    total: int | None = None
    count_bound: Bound | None = None
    share: float | None = None
    share_bound: Bound | None = None
    times_limit: float | None = None
    is_only: bool = False
    comparison: Comparison | None = None

    @property
    def exact(self) -> tuple[Number, ...]:
        """The values that are no bounds."""
        return tuple(number for number in self.values if not number.bound)

    @property
    def bounds(self) -> tuple[Number, ...]:
        """The values that are bounds: "above 40"."""
        return tuple(number for number in self.values if number.bound)

    @property
    def says_something(self) -> bool:
        """Whether there is anything to judge."""
        said = (
            self.level,
            self.trend,
            self.values,
            self.changes,
            self.count,
            self.hours_at_a_stretch,
            self.severity,
            self.comparison,
            self.share,
            self.times_limit,
            self.total,
        )
        is_placed = self.extreme and (self.place or self.window)
        return bool(is_placed) or any(part not in (None, ()) for part in said)
