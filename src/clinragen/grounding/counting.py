"""How many values a phrase speaks of, in what share of them, for how long, and values told as a range.

Each `take_` function answers what it finds in a phrase in lower case, and the phrase with the words for it
blanked, so that nothing is read twice.
"""

import re

from clinragen.grounding.lexicon import SAMPLES
from clinragen.grounding.numbers import Bound, Number

_ANY = re.compile(
    r"\d|\b(?:once|twice|double|one|both|only|single|sole|none|neither|half|triple|quadruple|minority|"
    r"rarely|seldom|"
    r"infrequently)\b"
)
_DURATION = re.compile(
    r"\b(?:for|lasting|lasted)\s+(?:at least\s+|more than\s+|over\s+|about\s+|some\s+|nearly"
    r"\s+)?(\d+(?:\.\d+)?)\s*(?:consecutive\s+|straight\s+|"
    r"uninterrupted\s+)?(?:hours?|h)\b|"
    r"\b(\d+(?:\.\d+)?)\s*(?:consecutive\s+|straight\s+)?hours?\s+(?:straight|in a row|at a stretch|on end|"
    r"running|without a break)\b|"
    r"\b(\d+(?:\.\d+)?)(?:-|\s)(?:consecutive |straight )hours?\b"
)
_SHARE_OF = re.compile(
    r"\b(?:(?P<above>more than|over|at least|well over)|(?P<below>less than|under|fewer than|at most)|"
    r"about|around|roughly|"
    r"nearly|almost|some)?\s*(?:(?P<n>\d)/(?P<d>\d+)|(?P<half>half)|(?P<percent>\d+)\s?(?:%|per ?cent))"
    r"\s+(?:of\s+)?(?:all\s+)?"
    rf"(?:the\s+|its\s+|his\s+|her\s+)?(?:\w+\s+)?(?:{SAMPLES}|time)\b"
)
_MINORITY = re.compile(r"\b(?:(?:a|the) minority|rarely|seldom|infrequently)\b")
_TIMES_LIMIT = re.compile(
    r"\b(?:(?P<n>\d+(?:\.\d+)?)\stimes|(?P<two>twice|double))\s(?:the|its|their)\s(?:upper\s)?(?:limit|"
    r"range|normal|uln|reference)"
    r"(?:\s(?:limit|value|range|of normal))*"
)
_COUNT = re.compile(
    r"(?<!not )(?<!no )(?<!by )(?<!above )(?<!below )\b(?P<all>"
    r"(?:all|each|every one|every|both|any|either)\s+(?:of\s+)?(?:the\s+|its\s+|"
    r"his\s+|her\s+|these\s+)?)?"
    r"(?P<n>\d+|once|twice|one|both|(?<!every )(?<!not a )(?<!each )(?:only|single|sole)|none|neither)"
    r"\s+(?:out\s+)?"
    rf"(?:(?:of\s+(?:the\s+|its\s+|his\s+|her\s+|all\s+)?(?P<total>\d+)\b(?:\s+\w+)??(?:\s+{SAMPLES})?)|"
    rf"(?:of\s+(?:the\s+|its\s+|her\s+|his\s+)?)?(?:\s*\w+\s+)?(?P<what>{SAMPLES}))\b|\b(?P<bare>twice)\b|"
    r"\b(?P<all2>all|each of(?: the)?|every one of(?: the)?)\s+(?P<n2>\d+)\b(?!\.\d)"
)
_ONLY = re.compile(
    r"(?:\bof (?:the |its )?(?P<before>\d+)\b.{0,30})?\bonly (?:on |in |at )?(?:the |its )?(?:very "
    r")?(?:first|last|second|third|"
    r"earlier|later|final|initial)\b(?:\s+\w+)??(?:\s+of (?:the |its )?(?P<total>\d+))?"
)
_ALL_BUT = re.compile(
    r"\b(?:all|every(?: one)?|each)\b.{0,30}?\b(?:but|except(?: for)?|save|bar)\s+(?P<n>\d|one|two|three)\b"
    r"(?:\s+of\s+(?:the\s+|its\s+)?(?P<total>\d+))?"
)
_OF_THESE = re.compile(
    r"\bof (?:the |his |her |its |all )?(?P<total>\d+)\b(?!\.)\D{0,40}?\b(?:only )?(?P<n>\d+|one|none|both|"
    r"all)\s+"
    r"(?:was|were|lay|fell|showed|exceeded|is|are|had)\b"
)
_COUNT_BOUND = re.compile(r"\b(?:(?P<above>at least|no fewer than)|(?P<below>at most|no more than))\s+$")
_MEASURED = re.compile(
    r"\b(?:measured|checked|drawn|sent|taken|sampled|obtained|tested|recorded|assayed|determined|available|"
    r"done)\s(?:only |just )?(?P<n>once|twice|\d+ times)\b"
)
_A_SINGLE = re.compile(r"\b(?:a|one|just|only)\s+(?:a\s+)?$")
_ONE = {
    "once": 1,
    "twice": 2,
    "one": 1,
    "only": 1,
    "single": 1,
    "sole": 1,
    "both": 2,
    "none": 0,
    "neither": 0,
}
_DECADE = re.compile(
    r"\b(?:in|into|to) the (?:(?P<part>low|lower|mid|middle|high|upper)[ -]?)?(?P<tens>\d+0)s\b"
)
_FIGURES = re.compile(r"\b(?P<n>single|double|triple|quadruple|[1-5])[ -](?:figures?|digits?)\b")


def may_count(text: str) -> bool:
    """Whether a phrase holds anything that a `take_` function could find."""
    return _ANY.search(text) is not None


def take_duration(text: str) -> tuple[str, float | None]:
    """For how many hours at a stretch something is said."""
    hit = _DURATION.search(text)
    if hit is None:
        return text, None
    return _blank(text, hit), float(hit[1] or hit[2] or hit[3])


def take_count(text: str) -> tuple[str, int | None, int | None, Bound | None]:
    """Of how many values something is said, of how many there are, and whether that is a bound.

    "Two of the five samples" is 2 of 5; "all but one" is -1.
    """
    if hit := _ALL_BUT.search(text):
        return _blank(text, hit), -_integer(hit["n"]), int(hit["total"]) if hit["total"] else None, None
    if hit := _OF_THESE.search(text):
        n = None if hit["n"] in ("all", "none") else _integer(hit["n"])
        rest = _blank(text, hit, "total") if n is None else _blank(_blank(text, hit, "total"), hit, "n")
        return rest, n, int(hit["total"]), None
    if hit := _ONLY.search(text):
        group = "total" if hit["total"] else "before"
        return (
            _blank(text, hit, group) if hit[group] else text,
            1,
            int(hit[group]) if hit[group] else None,
            None,
        )
    if hit := _MEASURED.search(text):
        return _blank(text, hit, "n"), None, _integer(hit["n"].removesuffix(" times")), None
    hit = _COUNT.search(text)
    return _of_count(text, hit) if hit else (text, None, None, None)


def _of_count(text: str, hit: re.Match[str]) -> tuple[str, int | None, int | None, Bound | None]:
    if hit["n2"]:
        return _blank(text, hit, "n2"), None, int(hit["n2"]), None
    n = hit["n"] or hit["bare"]
    total = int(hit["total"]) if hit["total"] else None
    if n in ("none", "neither"):
        return _blank(text, hit, "total") if total else text, None, total, None
    if n == "both" and not (total or hit["all"]):
        return text, None, 2, None
    rest = _blank(text, hit, "total" if total else "n")
    rest = _blank(rest, hit, "n") if n.isdigit() else rest
    is_sole = n in ("only", "single", "sole") and not _A_SINGLE.search(text[: hit.start("n")])
    if hit["all"] or (is_sole and not total):
        return rest, None, _integer(n), None
    if n == "once" and total is None:
        return text, None, None, None
    bound = _COUNT_BOUND.search(text[: hit.start("n")]) if hit["n"] else None
    return rest, _integer(n), total, None if bound is None else "above" if bound["above"] else "below"


def take_share(text: str) -> tuple[str, float | None, Bound | None]:
    """Of which share of the values something is said: "in half of the readings"."""
    if hit := _MINORITY.search(text):
        return _blank(text, hit), 0.5, "below"
    hit = _SHARE_OF.search(text)
    if hit is None:
        return text, None, None
    share = (
        0.5 if hit["half"] else int(hit["percent"]) / 100 if hit["percent"] else int(hit["n"]) / int(hit["d"])
    )
    return _blank(text, hit), share, "above" if hit["above"] else "below" if hit["below"] else None


def take_limit(text: str) -> tuple[str, float | None]:
    hit = _TIMES_LIMIT.search(text)
    return (_blank(text, hit), float(hit["n"] or 2)) if hit else (text, None)


def take_ranges(text: str) -> tuple[str, list[Number]]:
    """Values told as a range: "in the 120s", "in double figures"."""
    found: list[Number] = []
    if hit := _DECADE.search(text):
        tens = float(hit["tens"])
        if tens % 100 == 0:
            return _blank(text, hit), _range(tens, tens + 100, hit)
        low, high = {"l": (0, 4), "m": (3, 7), "h": (6, 10), "u": (6, 10)}.get(
            (hit["part"] or " ")[0], (0, 10)
        )
        found += _range(tens + low, tens + high, hit)
        text = _blank(text, hit)
    if hit := _FIGURES.search(text):
        digits = {"single": 1, "double": 2, "triple": 3, "quadruple": 4}.get(hit["n"]) or int(hit["n"])
        found += _range(10.0 ** (digits - 1), 10.0**digits, hit)
        text = _blank(text, hit)
    return text, found


def _range(low: float, high: float, hit: re.Match[str]) -> list[Number]:
    above = Number(low, 0, "", "value", "above", False, hit.start(), hit.end(), is_inclusive=True)
    return [above, Number(high, 0, "", "value", "below", False, hit.start(), hit.end())]


def _integer(word: str) -> int:
    return _ONE[word] if word in _ONE else int(word)


def _blank(text: str, hit: re.Match[str], group: str | int = 0) -> str:
    return text[: hit.start(group)] + " " * (hit.end(group) - hit.start(group)) + text[hit.end(group) :]
