"""Whether a series went the way a verb says, where the rest of the phrase tells only where it came to.

"Rose to less than half" and "dropped above 7.35" name a bound or a ratio that the values may well keep to;
the verb is what is wrong.
"""

import re

from clinragen.clinical.findings import level_of
from clinragen.grounding.judgement import Judgement, Rows
from clinragen.grounding.lexicon import SAMPLES
from clinragen.grounding.phrase import Phrase

_WAYS = {"rising": 1, "falling": -1}
_UP = re.compile(r"\b(?:rose|risen|rising|rises|climb\w*|increas\w*|crept up|came up|went up|up)\b")
_DOWN = re.compile(
    r"\b(?:fell|fallen|falling|falls|drop\w*|sank|declin\w*|decreas\w*|came down|went down|down)\b"
)
_BY_THE_FIRST = re.compile(rf"\b(?:by|at|on) the (?:very )?first (?:\w+ )?{SAMPLES}\b(?! (?:to|than))")


def judge_direction(phrase: Phrase, rows: Rows, whole: Rows) -> Judgement | None:
    """A contradiction where no value lies on the side of the first one that the verb says, or None.

    Nothing has yet changed at the first value, so a change told of it is contradicted too.
    """
    if phrase.is_negated or phrase.scope == "none" or len(whole) < 2:
        return None
    if _says_change(phrase) and _BY_THE_FIRST.search(phrase.text):
        return Judgement("contradicted", (whole[0],), "at the first value nothing has changed yet")
    if phrase.trend == "normalised":
        return _entered_from(phrase, whole)
    way = _WAYS.get(phrase.trend or "", 0)
    if not way or not _is_told_by_its_end(phrase):
        return None
    if any((row.value - whole[0].value) * way > 0 for row in whole[1:]):
        return None
    return Judgement(
        "contradicted",
        (whole[0], whole[-1]),
        f"it was never {'above' if way > 0 else 'below'} the first value",
    )


def _says_change(phrase: Phrase) -> bool:
    return bool(phrase.trend in (*_WAYS, "normalised") or phrase.changes)


def _is_told_by_its_end(phrase: Phrase) -> bool:
    is_ratio = phrase.comparison is not None and phrase.comparison.factor != 1
    return bool(phrase.bounds or phrase.level) or is_ratio


def _entered_from(phrase: Phrase, whole: Rows) -> Judgement | None:
    """A return to the range tells from where: nothing rises into it from above."""
    was = level_of(whole[0])
    is_up, is_down = _UP.search(phrase.text) is not None, _DOWN.search(phrase.text) is not None
    if is_up == is_down or was not in ("high", "low"):
        return None
    if is_up == (was == "low"):
        return None
    return Judgement("contradicted", (whole[0],), f"it came from {was}")
