"""Number words as digits: "thirty-third hour" is read as "33rd hour", "two of the four" as "2 of the 4"."""

import csv
import re
from importlib.resources import files


def _numerals() -> list[dict[str, str]]:
    with (files("clinragen.grounding") / "numerals.csv").open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


_ARROW = re.compile(r"(?<=[\d%CFLl])\s*(?:-{1,2}>|→|=>|>)\s*(?=\d)")
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "tenth": 10}

_VALUES = {row["cardinal"]: int(row["value"]) for row in _numerals()}
_NTH = {row["ordinal"]: int(row["value"]) for row in _numerals()}
_TEN = "|".join(word for word, value in _VALUES.items() if value >= 20)
_ONES = "|".join(word for word, value in _VALUES.items() if value < 10)
_UNIT = "|".join(word for word, value in _VALUES.items() if value < 20)
_ORDINAL = "|".join(sorted(_NTH, key=len, reverse=True))
_CARDINAL = rf"(?:(?:{_TEN})(?:[- ](?:{_ONES}))?|{_UNIT}|(?:a |half a )?dozen)"

_FRACTION = re.compile(
    r"\b(?:(?P<many>two|three|four|five|six|seven|eight|nine)[ -](?P<parts>thirds|quarters|fifths|sixths|"
    r"tenths)|"
    r"(?P<n>an?|one|two|three|four|five|six|seven|eight|nine)[ -](?P<part>third|quarter|fifth|sixth|"
    r"seventh|eighth|tenth)s?(?=\s(?:of|its|the|their|her|his|that|what|or|in)\b|\s*(?:[,.;]|$))|"
    r"(?:(?<=by )|(?<=roughly )|(?<=about )|(?<=nearly )|(?<=almost )|(?<=around )|(?<=over )|(?<=than ))"
    r"a (?P<bare>third|quarter|fifth))\b",
    re.I,
)
_TIMES = re.compile(r"\b(?P<n>" + _CARDINAL + r")-?fold\b", re.I)
_AND_A_HALF = re.compile(rf"\b(?P<n>{_CARDINAL}|\d+) and a half\b", re.I)
_A_DAY_AND_A_HALF = re.compile(r"\b(?:a|one) (?P<unit>day|hour) and a half\b", re.I)
_NTH_WORD = re.compile(rf"\b(?:(?P<ten>{_TEN})[- ])?(?P<nth>{_ORDINAL})\b", re.I)
_DECADE = re.compile(r"\b(?P<ten>twent|thirt|fort|fift|sixt|sevent|eight|ninet)ies\b", re.I)
_KEPT_ORDINALS = ("first", "second", "third")
_CARDINAL_WORD = re.compile(rf"\b(?:{_CARDINAL})\b", re.I)
_KEPT_ONE = re.compile(r"(?!\s+(?:of|hours?|days?|in)\b)", re.I)
_HAS_WORD = re.compile(rf"\b(?:{_TEN}|{_UNIT}|dozen|half|quarter)|(?:th|rd|tie)s?\b", re.I)


def plain(text: str) -> str:
    """The text with numbers in digits: "two" 2, "a fifth of" 1/5, "eleventh" 11th, "tenfold" 10-fold.

    First, second and third stay words, and so does "one" but in "one of": they are places and pronouns.
    """
    if ">" in text or "→" in text:
        text = _ARROW.sub(" to ", text)
    if not _HAS_WORD.search(text):
        return text
    text = _DECADE.sub(lambda hit: f"{_VALUES[hit['ten'].lower() + 'y']}s", text)
    text = _FRACTION.sub(_fraction, text)
    text = _TIMES.sub(lambda hit: f"{_value(hit['n']):g}-fold", text)
    text = _A_DAY_AND_A_HALF.sub(
        lambda hit: "36 hours" if hit["unit"].lower() == "day" else "1.5 hours", text
    )
    text = _AND_A_HALF.sub(lambda hit: f"{_value(hit['n']) + 0.5:g}", text)
    text = _NTH_WORD.sub(_ordinal, text)
    return _CARDINAL_WORD.sub(_cardinal, text)


def _fraction(hit: re.Match[str]) -> str:
    count = (hit["many"] or hit["n"] or "a").lower()
    part = (hit["parts"] or hit["part"] or hit["bare"]).lower().removesuffix("s")
    return f"{1 if count in ('a', 'an') else _VALUES[count]}/{_PARTS[part]}"


def _ordinal(hit: re.Match[str]) -> str:
    if not hit["ten"] and hit["nth"].lower() in _KEPT_ORDINALS:
        return hit[0]
    value = _NTH[hit["nth"].lower()] + (_VALUES[hit["ten"].lower()] if hit["ten"] else 0)
    return f"{value}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10 if value > 20 else 0, 'th') }"


def _cardinal(hit: re.Match[str]) -> str:
    if hit[0].lower() == "one" and _KEPT_ONE.match(hit.string, hit.end()):
        return hit[0]
    return f"{_value(hit[0]):g}"


def _value(words: str) -> float:
    if words[0].isdigit():
        return float(words)
    if "dozen" in words.lower():
        return 6.0 if words.lower().startswith("half") else 12.0
    return float(sum(_VALUES[word] for word in re.split("[- ]", words.lower())))
