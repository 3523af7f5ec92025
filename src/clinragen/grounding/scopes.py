"""A test of single values made a verdict: "throughout", "most", "at times", "initially", "never"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clinragen.clinical.findings import level_of
from clinragen.grounding.reading import Phrase
from clinragen.schema import Measurement, Verdict

ORDER: tuple[Verdict, ...] = ("contradicted", "unverifiable", "supported")
FEW = 0.03  # up to this share of the values is as good as none
MOST = 0.5
NORMAL = 0.9
PLACES = {"first": 0, "second": 1, "third": 2, "last": -1}
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


def by_scope(phrase: Phrase, rows: Rows, test: Test, said: str, enough: float) -> Judgement:
    """Apply "throughout", "at times", "initially" and the like to a test of single values."""
    place = PLACES.get(phrase.scope or "")
    if place is not None:
        return at_place(phrase, rows, test, said, place)
    hits = [row for row in rows if test(row)]
    misses = [row for row in rows if not test(row)]
    verdict = _scoped_verdict(phrase, len(hits), len(rows), enough)
    if phrase.is_negated and phrase.scope != "none":
        verdict = NEGATED[verdict]
    reason = f"{len(hits)} of {len(rows)} values {said}"
    if verdict == "unverifiable":
        return Judgement(verdict, some(hits or rows), f"only at times {said}: {reason}")
    wants_hits = (verdict == "supported") != (phrase.is_negated or phrase.scope == "none")
    return Judgement(verdict, some((hits if wants_hits else misses) or rows), reason)


def at_place(phrase: Phrase, rows: Rows, test: Test, said: str, place: int) -> Judgement:
    """Apply a test to the first, second or last value alone."""
    if place >= len(rows):
        return Judgement("unverifiable", some(rows), "there is no such measurement")
    row = rows[place]
    return Judgement(
        verdict_of(test(row) != phrase.is_negated), (row,), f"that value is {row.value:g} ({said}?)"
    )


def at_level(said: str) -> Test:
    """The test of a level; abnormal is high or low."""
    if said == "abnormal":
        return lambda row: level_of(row) != "normal"
    return lambda row: level_of(row) == said


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


def _scoped_verdict(phrase: Phrase, hits: int, measured: int, enough: float) -> Verdict:
    share = hits / measured
    if phrase.scope == "none":
        return verdict_of(hits == 0)
    if phrase.scope == "all":
        return verdict_of(hits == measured)
    if phrase.scope == "most":
        return verdict_of(share > MOST)
    is_crossing = phrase.trend is not None and any(number.bound for number in phrase.values)
    if phrase.scope == "any" or phrase.is_existence or is_crossing or (phrase.is_negated and enough == MOST):
        return verdict_of(hits > 0)
    if share >= enough:
        return "supported"
    is_refuted = share < MOST if enough == NORMAL else share <= FEW
    return "contradicted" if is_refuted else "unverifiable"
