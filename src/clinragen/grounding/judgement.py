"""Judgements: the verdict on one statement, how many values are enough for it, and parts taken together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clinragen.schema import Measurement, Verdict

ORDER: tuple[Verdict, ...] = ("contradicted", "unverifiable", "supported")
FEW = 0.03  # up to this share of the values is as good as none
MOST = 0.5
NORMAL = 0.9
NEGATED: dict[Verdict, Verdict] = {
    "supported": "contradicted",
    "contradicted": "supported",
    "unverifiable": "unverifiable",
}

Rows = Sequence[Measurement]
Test = Callable[[Measurement], bool]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one statement, the measurements that decided it, and why in a few words."""

    verdict: Verdict
    rows: tuple[Measurement, ...]
    reason: str


def verdict_of(is_true: bool) -> Verdict:
    """The verdict on a statement that is either true or false."""
    return "supported" if is_true else "contradicted"


def some(rows: Rows) -> tuple[Measurement, ...]:
    """The first few measurements, as evidence."""
    return tuple(rows[:3])


def highest(rows: Rows) -> Measurement:
    """The measurement of the highest value, the earliest of equals."""
    return max(rows, key=lambda row: row.value)


def lowest(rows: Rows) -> Measurement:
    """The measurement of the lowest value, the earliest of equals."""
    return min(rows, key=lambda row: row.value)


def combine(judgements: Sequence[Judgement]) -> Judgement:
    """A statement of several parts: contradicted if one is, else unverifiable if one is."""
    return min(judgements, key=lambda judgement: ORDER.index(judgement.verdict))
