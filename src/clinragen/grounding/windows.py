"""Which measurements a phrase means by their time or number: "by hour 20", "overnight", "the last two"."""

import re
from collections.abc import Callable

from clinragen.grounding.lexicon import SAMPLES
from clinragen.grounding.window import (
    FIRST_HOURS,
    LATER,
    MOMENTS_LATER,
    NEAR,
    NEAR_LATER,
    SLACK,
    Window,
)

__all__ = ["Window", "find_window"]

_ABOUT = (
    r"(?:(?:about|around|roughly|nearly|almost|some|approximately|approx\.?|close to|just (?:over|under|"
    r"after|"
    r"before|short of)|a (?:little|bit|touch) (?:over|under|after|before|more than|less than)|shortly "
    r"(?:after|before)|little (?:more|less) than|not quite|well|only|the|~)\s*)*"
)
_T = (
    r"(?:(?:\d+\s(?:to|or|-|–)\s(?=\d+[\s-]?(?:hours|hrs|h|days)\b))?(?:hours?\s(?P<{0}a>\d+(?:\.\d+)?)|"
    r"(?P<{0}b>\d+(?:\.\d+)?)(?:st|nd|rd|th)\s(?P<{0}bu>hour|day)|"
    r"(?P<{0}w>first|second|third)\s(?P<{0}wu>hour|day)\b|"
    r"(?P<{0}c>\d+(?:\.\d+)?)[\s-]?(?P<{0}cu>hours?|hrs?|h|days?|d|minutes?|min)\b|"
    r"(?P<{0}d>an|a|half a|half an|one)\s(?P<{0}du>hour|day)\b))(?:[\s-]mark)?(?:\sor\sso)?"
)


def _time(name: str) -> str:
    return _T.replace("{0}", name)


_NO_CLAUSE = r"(?!(?:\s\w+)?,?\s(?:it|they|he|she)\b)"
"""What may not follow "but the last": "but by the last reading it was down to 83" excepts nothing."""
_WORDS = {"first": 1.0, "second": 2.0, "third": 3.0, "a": 1.0, "an": 1.0, "one": 1.0, "half a": 0.5}
_WORDS |= {"half an": 0.5}


def find_window(text: str) -> tuple[Window | None, str]:
    """The window a phrase in lower case names, if any, and the phrase with the words for it blanked."""
    if not _ANY_FORM.search(text):
        return None, text
    for pattern, build in _FORMS:
        if hit := pattern.search(text):
            blanked = text[: hit.start()] + " " * (hit.end() - hit.start()) + text[hit.end() :]
            return build(hit), blanked
    return None, text


def _hours(hit: re.Match[str], name: str) -> float:
    if hit[f"{name}a"]:
        return float(hit[f"{name}a"])
    for number, unit in (("b", "bu"), ("w", "wu"), ("c", "cu"), ("d", "du")):
        if word := hit[f"{name}{number}"]:
            value = _WORDS[word] if word in _WORDS else float(word)
            return value * _unit(hit[f"{name}{unit}"])
    raise AssertionError("a time has one of its forms")


def _unit(unit: str) -> float:
    return 24.0 if unit.startswith("d") else 1 / 60 if unit.startswith("min") else 1.0


def _moment(hit: re.Match[str]) -> Window:
    return at_hour(_hours(hit, "t"))


def at_hour(hour: float) -> Window:
    """The moments that "at hour 20" can mean."""
    near = NEAR_LATER if hour >= LATER else NEAR
    return Window(hour - near, hour + near, is_moment=True)


def _between(hit: re.Match[str]) -> Window:
    start, end = hit["from"] or hit["from3"], hit["to"] or hit["to2"] or hit["to3"]
    return Window(float(start) - SLACK, float(end) + SLACK)


def _onwards(hit: re.Match[str]) -> Window:
    return Window(start=_hours(hit, "t") - SLACK)


def _after(hit: re.Match[str]) -> Window:
    return Window(start=_hours(hit, "t") + MOMENTS_LATER)


def _until(hit: re.Match[str]) -> Window:
    return Window(end=_hours(hit, "t") + SLACK, is_until=hit["by"] == "by")


def _within(hit: re.Match[str]) -> Window:
    return Window(end=_hours(hit, "t") + SLACK)


def _period(hit: re.Match[str]) -> Window:
    is_end = hit["side"] in ("last", "final", "closing", "latter")
    n, unit = hit["n"], hit["unit"]
    if n in ("few", "several", "couple of", "early") or (n is None and unit in ("hours", "days")):
        length = FIRST_HOURS if unit.startswith("h") else 48.0
    else:
        length = (float(n) if n else 1.0) * _unit(unit)
    return Window(end=length + SLACK * (not is_end), from_end=is_end)


def _day(hit: re.Match[str]) -> Window:
    day = {"second": 2, "third": 3, "next": 2, "following": 2}.get(hit["nth"] or "") or int(
        hit["day"] or hit["digit"]
    )
    if hit["by"]:
        return Window(end=24.0 * day, is_until=True)
    return Window(24.0 * (day - 1), 24.0 * day)


def _last_n(hit: re.Match[str]) -> Window:
    n, side = int(hit["n"] or hit["n2"]), hit["side"] or hit["side2"]
    return Window(places=(-n, None) if side in ("last", "final", "closing") else (None, n))


_NTH = {"second": 1, "third": 2}


def _from_nth(hit: re.Match[str]) -> Window:
    return Window(places=(_NTH.get(hit["nth"]) or int(hit["nth"].rstrip("stndrh")) - 1, None))


def _but_first(hit: re.Match[str]) -> Window:
    return Window(places=(None, -1) if hit["side"] in ("last", "final") else (1, None))


def _but_edge(hit: re.Match[str]) -> Window:
    return Window(places=(None, -1) if hit["side"] in ("end", "last") else (1, None))


def _later(hit: re.Match[str]) -> Window:
    return Window(is_later=True)


# Every form holds one of these; most phrases hold none.
_ANY_FORM = re.compile(
    r"hour|\bhrs?\b|\d\s?h\b|day|\d:\d|min\b|minutes?|night|morning|evening|small|\bdays?\b|\d\s?d\b|"
    r"(?:first|last|final|closing|opening|initial)\s+\d|\dth|from (?:the |its )?(?:second|third|\d)|but|"
    r"except|"
    r"save|"
    r"\bbar\b|apart|other|after|until|till|before|later|subsequent|following|further|remaining|succeeding|"
    r"ensuing|\bthen\b|since|half|same|that|simultan"
)
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Window]], ...] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        (
            r"\b(?:at|around|near|about)\s+(?:about\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})\b",
            lambda hit: Window(clock=(int(hit["hour"]), int(hit["minute"])), is_moment=True),
        ),
        (
            r"\b(?:between|from)\s+(?:the\s+)?(?:hours?\s+)?(?P<from>\d+)(?:st|nd|rd|th)?(?:\shours?)?"
            r"\s+(?:and|to|until)"
            r"\s+(?:the\s+)?(?:hours?\s+(?P<to>\d+)|(?P<to2>\d+)(?:st|nd|rd|th)?\s(?:hours?|h)\b)|"
            r"\bhours\s+(?P<from3>\d+)\s+(?:and|to|until|through)\s+(?P<to3>\d+)\b",
            _between,
        ),
        (
            r"\b(?:from|since)\s+" + _ABOUT + _time("t") + r"(?:\s(?:on(?:wards?)?|forwards?))?",
            _onwards,
        ),
        (
            r"\b(?:a (?:little|bit|while) after|shortly after|soon after|just after)\s+"
            + _ABOUT
            + _time("t"),
            _moment,
        ),
        (
            r"\b(?:after|past|beyond|following)\s+(?:the\s+)?(?:first|early|initial|opening)\s+"
            r"(?:few\s+|couple of\s+)?hours\b",
            lambda hit: Window(start=FIRST_HOURS),
        ),
        (
            r"\b(?:after|past|beyond|following)\s+(?:the\s+)?first\s+(?:" + _time("t") + r")",
            _after,
        ),
        (
            r"\b(?P<by>by|until|till|up to|before|through)\s+" + _ABOUT + _time("t"),
            _until,
        ),
        (
            r"\b(?:(?:in|over|during|for|through|throughout|across|within)\s+)?(?:the\s+|his\s+|her\s+)?"
            r"(?P<side>first|initial|opening|early|last|final|closing|latter)\s+"
            r"(?:(?P<n>\d+(?:\.\d+)?|few|several|couple of|early)[\s-]+)?(?P<unit>hours?|hrs|h|days?)\b",
            _period,
        ),
        (r"\b(?:within|inside|in under|in less than|in the space of|over)\s+" + _ABOUT + _time("t"), _within),
        (
            r"\bafter\s+"
            + _ABOUT
            + _time("t")
            + r"(?!.*\b(?:above|below|over|under|never|always|exceed\w*|all)\b)"
            r"(?=.*\b(?:was|were|had|stood|read|reached|measured)\b\D*\d)",
            _moment,
        ),
        (r"\b(?:after|past|beyond)\s+" + _ABOUT + _time("t"), _after),
        (
            r"\b(?:on|during|over|in|(?P<by>by)|throughout)\s+(?:the\s+)?(?:(?P<nth>second|third|next|"
            r"following)\s(?:day|morning|evening|night|afternoon)|"
            r"day\s(?P<day>\d+)|(?P<digit>\d)(?:st|nd|rd|th)\sday)\b",
            _day,
        ),
        (
            r"\b(?:in|over|during)\s+the\s(?P<nth>first|second)\s24\s(?:hours|h)\b",
            lambda hit: Window(24.0, 48.0) if hit["nth"] == "second" else Window(0.0, 24.0),
        ),
        (
            r"(?:\b(?:at|near|around|about|round|towards?|on|in)\s+)?"
            + _ABOUT
            + _time("t")
            + r"\s?(?:in\b(?!\s(?:a row|all|total))|into\b|"
            r"(?:after|post|from)(?:\s(?:he|she|arrival|admission|the start)\b"
            r"(?:\s(?:had\s)?(?:arrived|came|was admitted))?)?)",
            _moment,
        ),
        (r"\b(?:at|near|around|about|round|towards?|in|during)\s+" + _ABOUT + _time("t"), _moment),
        (
            r"\b(?:in|for|during|over|through|throughout)\s+the\s+(?P<nth>first|second|latter|last)\s+half\b"
            r"(?:\s+of\s+(?:the|his|her)\s+(?:stay|day|record|time|period|series))?",
            lambda hit: Window(half=1 if hit["nth"] == "first" else 2),
        ),
        (r"\bhalf-?way (?:through|in)\b", lambda hit: Window()),
        (
            r"\b(?P<side>first|last|final|closing|opening|initial)\s+(?P<n>\d+)\s+(?:of\s+)?(?:\w+\s+)?"
            + SAMPLES
            + r"|\b(?P<side2>last|final|closing|first|initial|opening)\s(?P<n2>\d)"
            r"(?=\s*(?:$|[,;)]|\.(?!\d)))",
            _last_n,
        ),
        (
            r"\b(?:on|in|at|with|of) (?:the |its )?(?P<nth>\d+)th\s+(?:\w+\s+)?" + SAMPLES + r"\b",
            lambda hit: Window(places=(int(hit["nth"]) - 1, int(hit["nth"]))),
        ),
        (
            r"\bfrom (?:the |its )?(?P<nth>second|third|\d+th)\s+(?:"
            + SAMPLES
            + r"|one)?\s*(?:on(?:wards?)?|forwards?)",
            _from_nth,
        ),
        (
            r"\b(?:but|except|save|bar|apart from|other than|after|until|till|before) (?:for )?(?:on |in |"
            r"at )?(?:the |its )?"
            r"(?P<side>first|last|final|initial)(?: one|\s+" + SAMPLES + r")?\b" + _NO_CLAUSE,
            _but_first,
        ),
        (
            r"\b(?:but|except|save|bar|apart from|other than) (?:for )?(?:(?:at|in|by) (?:the )?(?:very )?"
            r"(?P<side>end|last|first|start|outset|beginning)|(?:on|at) (?:arrival|admission|"
            r"presentation))\b" + _NO_CLAUSE,
            _but_edge,
        ),
        (
            r"\b(?:(?<=every )|(?<=each )|(?<=all )|(?<=any )|(?<=the ))(?:later|subsequent|following|"
            r"further|"
            r"remaining|other|succeeding|ensuing)(?=\s(?:\w+s|sample|one|check|value|reading|draw|"
            r"measurement|count|result)\b)"
            r"(?<!the following)",
            _later,
        ),
        (
            r"\b(?:afterwards?|thereafter|from then on(?:wards?)?|after (?:that|it|this|which)|since then|"
            r"subsequently|later on)\b",
            _later,
        ),
        (
            r"\b(?:(?:at|on|in|by|with|from)\s+(?:that|this|the)\s(?:very\s|exact\s)?same\s(?:\w+\s)?"
            rf"(?:{SAMPLES}|time|moment|hour|point|blood)\b|"
            rf"(?:on|in|with) that (?:very )?{SAMPLES}\b|simultaneously|at (?:that|the same) (?:time|"
            rf"moment)\b)",
            lambda hit: Window(is_told=True, is_moment=True),
        ),
        (
            r"\bovernight\b|\b(?:during|through|in) the (?:night|small hours)\b",
            lambda hit: Window(is_night=True),
        ),
    )
)
