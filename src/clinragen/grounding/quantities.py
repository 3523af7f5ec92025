"""A test of single values made a verdict: "throughout", "most", "at times", "initially", "at its lowest"."""

from clinragen.clinical.findings import level_of
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
from clinragen.grounding.phrase import Phrase
from clinragen.schema import Measurement, Verdict

AT = {"first": 0, "second": 1, "third": 2, "penultimate": -2, "last": -1}
SHARE_SLACK = 0.12
"""How far "in half of the readings" may be off."""


def by_quantity(
    phrase: Phrase, rows: Rows, test: Test, said: str, enough: float, is_reached: bool
) -> Judgement:
    """Apply what the phrase says of how many values, or of which one, to a test of single values.

    `enough` is the share that supports a statement without any such word; `is_reached` says that the phrase
    tells of a level that was reached, for which one value is enough.
    """
    one = one_of(phrase, rows)
    if one is not None:
        return _of_one(phrase, one, test, said)
    hits = [row for row in rows if test(row)]
    verdict = _verdict(phrase, len(hits), len(rows), enough, is_reached)
    if phrase.is_negated and phrase.scope != "none":
        verdict = NEGATED[verdict]
    reason = f"{len(hits)} of {len(rows)} values {said}"
    if verdict == "unverifiable":
        return Judgement(verdict, some(hits or rows), f"only at times {said}: {reason}")
    wants_hits = (verdict == "supported") != (phrase.is_negated or phrase.scope == "none")
    told = hits if wants_hits else [row for row in rows if row not in hits]
    return Judgement(verdict, some(told or rows), reason)


def one_of(phrase: Phrase, rows: Rows) -> Rows | None:
    """The single value a phrase speaks of, in a list; empty if there is none; None if it speaks of all."""
    if phrase.scope in ("all", "none", "most"):
        return None
    if phrase.place == "middle":
        return [rows[len(rows) // 2]] if len(rows) % 2 else []
    if phrase.place:
        at = AT[phrase.place]
        return [rows[at]] if -len(rows) <= at < len(rows) else []
    if phrase.extreme and not phrase.exact:
        return [extreme_of(phrase, rows)]
    if phrase.window and phrase.window.is_until and phrase.scope is None:
        return [rows[-1]]
    return None


def extreme_of(phrase: Phrase, rows: Rows) -> Measurement:
    """The highest, lowest or worst of the values; the worst lies farthest outside its range."""
    if phrase.extreme == "worst":
        return worst(rows)
    return highest(rows) if phrase.extreme == "highest" else lowest(rows)


def worst(rows: Rows) -> Measurement:
    """The value farthest outside its range, or nearest to leaving it."""
    return max(rows, key=badness)


def badness(row: Measurement) -> float:
    """How far outside its range a value lies; below zero inside."""
    sides = [row.low - row.value] if row.low is not None else []
    sides += [row.value - row.high] if row.high is not None else []
    return max(sides, default=0.0)


def is_at_level(said: str) -> Test:
    """The test of a level; abnormal is high or low."""
    if said == "abnormal":
        return lambda row: level_of(row) != "normal"
    return lambda row: level_of(row) == said


def _of_one(phrase: Phrase, one: Rows, test: Test, said: str) -> Judgement:
    if not one:
        return Judgement("unverifiable", (), "there is no such measurement")
    reason = f"that value is {one[0].value:g} ({said}?)"
    return Judgement(verdict_of(test(one[0]) != phrase.is_negated), (one[0],), reason)


def _verdict(phrase: Phrase, hits: int, measured: int, enough: float, is_reached: bool) -> Verdict:
    share = hits / measured
    if phrase.share is not None:
        if phrase.share_bound:
            return verdict_of(
                share > phrase.share if phrase.share_bound == "above" else 0 < share < phrase.share
            )
        return verdict_of(abs(share - phrase.share) <= SHARE_SLACK)
    if phrase.scope == "none":
        return verdict_of(hits == 0)
    if phrase.scope == "all":
        return verdict_of(hits == measured)
    if phrase.scope == "most":
        return verdict_of(share > MOST)
    is_one_enough = phrase.scope == "any" or phrase.is_existence or is_reached
    if is_one_enough or (phrase.is_negated and enough == MOST):
        return verdict_of(hits > 0)
    if share >= enough:
        return "supported"
    is_refuted = share < MOST if enough == NORMAL else share <= FEW
    return "contradicted" if is_refuted else "unverifiable"
