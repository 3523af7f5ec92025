"""Number words as digits, so that "thirty-third hour" and "two of the four" are read like "33rd" and "2 of 4"."""

import re

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"]
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "tenth": 10}

_VALUES = {word: value for value, word in enumerate(_UNITS)}
_VALUES |= {word: 10 * place for place, word in enumerate(_TENS, 2)}
_VALUES |= {"dozen": 12}
_NTH = {word: value for value, word in enumerate(_ORDINALS)}
_NTH |= {f"{word[:-1]}ieth": 10 * place for place, word in enumerate(_TENS, 2)}

_TEN = "|".join(_TENS)
_UNIT = "|".join(_UNITS[1:])
_ORDINAL = "|".join(sorted(_NTH, key=len, reverse=True))
_CARDINAL = rf"(?:(?:{_TEN})(?:[- ](?:{'|'.join(_UNITS[1:10])}))?|{_UNIT}|(?:a |half a )?dozen)"

_FRACTION = re.compile(
    r"\b(?:(?P<many>two|three|four|five|six|seven|eight|nine)[ -](?P<parts>thirds|quarters|fifths|sixths|tenths)|"
    r"(?P<n>an?|one|two|three|four|five|six|seven|eight|nine)[ -](?P<part>third|quarter|fifth|sixth|"
    r"seventh|eighth|tenth)s?(?=\s(?:of|its|the|their|her|his|that|what|or|in)\b|\s*(?:[,.;]|$))|"
    r"(?<=by )a (?P<bare>third|quarter|fifth))\b",
    re.I,
)
_TIMES = re.compile(r"\b(?P<n>" + _CARDINAL + r")-?fold\b", re.I)
_AND_A_HALF = re.compile(rf"\b(?P<n>{_CARDINAL}|\d+) and a half\b", re.I)
_A_DAY_AND_A_HALF = re.compile(r"\b(?:a|one) (?P<unit>day|hour) and a half\b", re.I)
_NTH_WORD = re.compile(rf"\b(?:(?P<ten>{_TEN})[- ])?(?P<nth>{_ORDINAL})\b", re.I)
_KEPT_ORDINALS = ("first", "second", "third")
_CARDINAL_WORD = re.compile(rf"\b(?:{_CARDINAL})\b", re.I)
_KEPT_ONE = re.compile(r"(?!\s+(?:of|hours?|days?|in)\b)", re.I)
_HAS_WORD = re.compile(rf"\b(?:{_TEN}|{_UNIT}|dozen|half|quarter)|(?:th|rd)s?\b", re.I)


def plain(text: str) -> str:
    """The text with numbers in digits: "two" 2, "a fifth of" 1/5, "eleventh" 11th, "tenfold" 10-fold.

    First, second and third stay words, and so does "one" but in "one of": they are places and pronouns.
    """
    if not _HAS_WORD.search(text):
        return text
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
