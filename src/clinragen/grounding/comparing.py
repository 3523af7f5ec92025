"""What a phrase compares: a later value with an earlier one ("ended higher than it began", "halved").

A comparison is the ratio of one value to another and what is said of it. `target` and `reference` are places
in the series; left out they are the last (or furthest) value and the first.
"""

import re
from dataclasses import dataclass
from typing import Literal

from clinragen.grounding.lexicon import EXTREMES, PLACES, Scope

Relation = Literal["above", "below", "about"]
Place = Scope | Literal["peak", "nadir"]

_MORE = r"more than|over|at least|better than|upwards of|well over|in excess of|greater than|beyond"
_LESS = r"less than|under|below|not quite|short of|not even|well under|fewer than"
_ABOUT = (
    r"nearly|almost|about|roughly|close to|approximately|virtually|all but|around|little more than|just over|"
    r"just under|a little (?:over|under)|practically|some|little less than"
)
_QUALIFIER = rf"(?:(?P<more>(?<!little )(?:{_MORE}))|(?P<less>(?<!little )(?:{_LESS}))|(?P<about>{_ABOUT}))"
_FACTOR = re.compile(
    rf"(?:\b{_QUALIFIER}\s+)?(?:\b(?P<two>doubl(?:ed|es|ing))|\b(?P<three>(?:trebl|tripl)(?:ed|es|ing))|"
    r"\b(?P<four>quadrupl(?:ed|es|ing))|\b(?P<five>quintupl(?:ed|es|ing))|\b(?P<half>halv(?:ed|es|ing))|"
    r"\b(?P<quarter>quarter(?:ed|ing))|"
    r"(?P<fold>\d+(?:\.\d+)?)[- ]fold|\b(?:by )?a factor of (?:(?P<fmore>more than|over)|(?P<fabout>about|"
    r"almost|"
    r"nearly|roughly|around) )?\s?(?P<factor>\d+(?:\.\d+)?)|"
    r"(?P<times>\d+(?:\.\d+)?) times (?=as |higher|greater|more|the |its |that|what|larger|lower|those|"
    r"their|(?:above|over|below)(?! \d))|"
    r"\b(?P<twice>twice)(?= (?:as|its|the|that|what|their|his|her)\b))"
)
_ANY_RATIO = re.compile(
    r"doubl|trebl|tripl|quadrupl|quintupl|halv|quartered|quartering|fold|factor|times|twice|half|\d/\d|"
    r"%|per ?cent"
)
_SHARE = re.compile(
    rf"\b(?P<by>by|to|at|lost|shed|of|was|reached|only|barely|up)?\s*(?:{_QUALIFIER}\s+)?"
    r"(?:(?P<n>\d)/(?P<d>\d+)|(?P<half>(?:1-)?(?<!first )(?<!second )(?<!latter )half|one[- ]half|a half)|"
    r"(?P<percent>\d+(?:\.\d+)?)\s?(?:%|percent|per cent))"
    r"(?!\s?(?:of\s+(?:the |its |all )?\s*(?:values?|readings|samples|measurements|recordings|time)|"
    r"as high again))"
    r"(?P<whole>\s+(?:of\b|its\b|the\b|that\b|what\b|their\b|his\b|her\b))?"
)
_MARGIN = re.compile(
    rf"\b(?:{_QUALIFIER}\s+)?(?:(?P<percent>\d+(?:\.\d+)?)\s?(?:%|per ?cent)|(?P<n>\d)/(?P<d>\d+)|"
    rf"(?P<half>half)(?: as)?)\s+"
    r"(?:(?P<up>higher|above|greater|more|up on|high again|larger)|(?P<down>lower|below|less|down on|"
    r"smaller))(?! than half)\b"
)
_COMPARATIVE = re.compile(
    r"\b(?:(?P<up>higher(?! (?:limit|end|side))|greater|more|faster|quicker|larger|"
    r"(?<!no )(?<!any )longer|above(?= (?:its|"
    r"the|where|what)\s(?:it |"
    r"he |she |they )?(?:had )?(?:"
    r"start|first|initial|opening|baseline|admission|beg|was at))|warmer|up on|exceed\w*)|"
    r"(?P<down>lower(?! (?:limit|bound|end|edge|range|reference|side|threshold))|"
    r"less|fewer|slower|smaller|shorter|cooler|"
    r"below(?= (?:its|the|where|what)\s(?:it |he |she |they )?(?:had )?(?:start|first|initial|opening|"
    r"baseline|admission|beg|was at))|down on))\b(?! than (?:about |around )?\d)"
)
_WORSE = re.compile(
    r"\b(?:(?P<up>worse|more (?:abnormal|deranged|severe)|further (?:from|out))|(?P<down>better|milder|"
    r"less (?:abnormal|deranged|severe)))\b(?= .{0,40}\bthan\b)"
)
_SUCCESSIVE = re.compile(
    r"\b(?:each|every|any|one)\b.{0,40}\b(?:than (?:the|its) (?:one|previous|last|preceding|predecessor)|"
    r"before it)|"
    r"\b(?:at|on|with|by|in) (?:each|every) (?:successive|step|subsequent|further|new|passing|consecutive|"
    r"turn|check|draw|sample|"
    r"measurement)|\bstep by step|\bsuccessively\b|\bfrom (?:one )?(?:\w+ )?to the next\b|without (?:a "
    r")?(?:pause|"
    r"interruption|setback|exception)|\bcontinuously\b|\bsteadily\b|\beach time\b|\brelentlessly\b|"
    r"\bmonotonic\w*"
)
_EVERY_STEP = re.compile(
    r"\b(?:at|on|with|by|in|from) (?:each|every)(?: (?:single|successive|subsequent|further|new|passing|"
    r"consecutive|later))*"
    r" (?:draw|sample|step|turn|check|measurement|reading|value|gas|count|result|recording|specimen|test)\b|"
    r"\bstep by step\b|\bfrom (?:each|one) (?:\w+ )?to the next\b|\beach time\b"
)
_DAYS = re.compile(
    r"\b(?:on|during|over) (?:(?:the )?(first|second|third) (?:day|24 hours)|day (1|2|3)) than (?:on |"
    r"during |over )?"
    r"(?:(?:the )?(first|second|third)(?: day| 24 hours)?|day (1|2|3))\b"
)
_DAY = {"first": 1, "second": 2, "third": 3, "1": 1, "2": 2, "3": 3}
_NEXT = re.compile(r"\b(?:the|its) (?:very )?(?:next|following|ensuing)\b")
_AGAINST = re.compile(
    r"\b(?:compared (?:with|to)|relative to|versus|vs\.?|against|as against) (?:the |its )?$"
)
_OF = re.compile(
    r"\b(?:of|from|off|its|their|his|her|above|below|where|what) (?:the |its |their |it |they )?(?:had )?$"
)
_FLIPPED: dict[Relation, Relation] = {"above": "below", "below": "above", "about": "about"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The claimed ratio `factor` of a value to an earlier one, and whether it is a bound; 1 for "higher".

    `is_stepwise` says it of every value and the one before, `is_to_next` of some value and the one before;
    `days` are the days whose mean values it compares; `is_of_badness` compares how abnormal the values are.
    """

    factor: float
    relation: Relation
    target: Place | None = None
    reference: Place | None = None
    is_stepwise: bool = False
    is_to_next: bool = False
    days: tuple[int, int] | None = None
    is_of_badness: bool = False


def find_comparison(text: str, is_falling: bool, is_rising: bool = False) -> tuple[Comparison | None, str]:
    """What a phrase in lower case compares, and the phrase without the words of the ratio itself."""
    if (is_rising or is_falling) and _EVERY_STEP.search(text):
        return Comparison(1.0, "below" if is_falling else "above", is_stepwise=True), text
    if _ANY_RATIO.search(text):
        if hit := _FACTOR.search(text):
            return _of_factor(text, hit, is_falling)
        if hit := _MARGIN.search(text):
            return _of_margin(text, hit), _blank(text, hit)
        hit = _SHARE.search(text)
        if hit and _is_ratio(hit):
            return _of_share(hit, text, is_falling), _blank(text, hit)
    for pattern in (_WORSE, _COMPARATIVE) if " than" in text else (_COMPARATIVE,):
        if hit := pattern.search(text):
            return _of_comparative(text, hit), text
    return None, text


def compares_days(text: str) -> bool:
    """Whether a phrase compares one day with another, so that its days are no windows."""
    return _DAYS.search(text) is not None


def _of_factor(text: str, hit: re.Match[str], is_falling: bool) -> tuple[Comparison, str]:
    words = {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "half": 0.5, "quarter": 0.25, "twice": 2.0}
    factor = next((value for word, value in words.items() if hit[word]), 0.0)
    factor = factor or float(hit["fold"] or hit["factor"] or hit["times"])
    relation: Relation = "above" if hit["more"] or hit["fmore"] else "below" if hit["less"] else "about"
    if (is_falling or re.match(r"\s?lower", text[hit.end() :])) and factor > 1:
        factor = 1 / factor
    if factor < 1 and relation != "about":
        relation = "below" if relation == "above" else "above"
    target, reference = _places(text, hit)
    is_to_next = _NEXT.search(text) is not None
    return Comparison(factor, relation, target, reference, is_to_next=is_to_next), _blank(text, hit)


def _of_margin(text: str, hit: re.Match[str]) -> Comparison:
    """The ratio of "a third higher than" or "some 20 percent below its first value"."""
    share = (
        float(hit["percent"]) / 100
        if hit["percent"]
        else 0.5
        if hit["half"]
        else int(hit["n"]) / int(hit["d"])
    )
    target, reference = _places(text, hit)
    relation: Relation = "above" if hit["more"] else "below" if hit["less"] else "about"
    if hit["up"]:
        return Comparison(1 + share, relation, target, reference)
    return Comparison(1 - share, _FLIPPED[relation], target, reference)


def _is_ratio(hit: re.Match[str]) -> bool:
    """Shares that a value loses or keeps; a percentage only with "by" or of another value."""
    if hit["percent"]:
        return hit["by"] in ("by", "lost", "shed") or bool(hit["whole"])
    return bool(hit["by"] or hit["whole"])


def _of_share(hit: re.Match[str], text: str, is_falling: bool) -> Comparison:
    share = (
        0.5
        if hit["half"]
        else float(hit["percent"]) / 100
        if hit["percent"]
        else int(hit["n"]) / int(hit["d"])
    )
    relation: Relation = "above" if hit["more"] else "below" if hit["less"] else "about"
    target, reference = _places(text, hit)
    if hit["by"] not in ("by", "lost", "shed") or (hit["whole"] and hit["by"] == "by"):
        return Comparison(share, relation, target, reference)
    if hit["by"] == "by" and not is_falling:
        return Comparison(1 + share, relation, target, reference)
    flipped = _FLIPPED[relation]
    return Comparison(1 - share, flipped, target, reference)


def _of_comparative(text: str, hit: re.Match[str]) -> Comparison | None:
    relation: Relation = "above" if hit["up"] else "below"
    if days := _DAYS.search(text):
        later, earlier = (_DAY[days[1] or days[2]], _DAY[days[3] or days[4]])
        return Comparison(1.0, relation, days=(later, earlier))
    if _SUCCESSIVE.search(text):
        return Comparison(1.0, relation, is_stepwise=True, is_of_badness=hit.re is _WORSE)
    is_of_badness = hit.re is _WORSE
    target, reference = _places(text, hit)
    is_later = re.search(
        r"\b(?:later|thereafter|afterwards|subsequent\w*|the day before|earlier|previously)\b", text
    )
    is_compared = reference or (target and target != "first") or is_later
    return Comparison(1.0, relation, target, reference, is_of_badness=is_of_badness) if is_compared else None


def _places(text: str, hit: re.Match[str]) -> tuple[Place | None, Place | None]:
    """The value compared stands before "than" or "of", the one it is compared with after it."""
    named: list[tuple[Place, int]] = [(place, start) for place, start, _ in PLACES.find_all(text)]
    for extreme, start, _ in EXTREMES.find_all(text):
        named.append(("peak" if extreme != "lowest" else "nadir", start))
    named.sort(key=lambda pair: pair[1])
    than = re.compile(r"\b(?:than|as)\b").search(text, hit.end() - 1)
    for place, start in named:
        if _AGAINST.search(text[:start]):
            target = next((other for other, _ in named if other != place), None)
            return target, place
    is_ratio = hit.re is not _COMPARATIVE or hit[0] in ("above", "below")
    after = [place for place, start in named if start >= hit.end() and is_ratio and _OF.search(text[:start])]
    target = next((place for place, start in named if start < hit.start()), None)
    reference: Place | None = None
    if than:
        reference = next((place for place, start in named if start > than.start()), None)
        last_than = [m.start() for m in re.finditer(r"\b(?:than|as)\b", text)][-1]
        between = [p for p, start in named if hit.end() <= start < last_than]
        if between:
            target = target or between[0]
            reference = next((place for place, start in named if start > last_than), None)
    elif after:
        reference = after[0]
        target = target or next((p for p, start in named if start >= hit.end() and p != reference), None)
    elif rest := [place for place, start in named if start >= hit.end()]:
        target = target or rest[0]
    if target == reference:
        target = None
    return target, reference


def _blank(text: str, hit: re.Match[str]) -> str:
    return text[: hit.start()] + " " * (hit.end() - hit.start()) + text[hit.end() :]
