"""What a clause says about a variable, phrase by phrase, as data that can be judged."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clinragen.clinical.severity import Severity
from clinragen.clinical.words import WordLevel
from clinragen.grounding.lexicon import (
    EXTREMES,
    LEVELS,
    SCOPES,
    SEVERITIES,
    TRENDS,
    Extreme,
    SaidLevel,
    SaidTrend,
    Scope,
)
from clinragen.grounding.numbers import Number, numbers

FIRST_HOURS = 6.0  # "in the first hours"

_PHRASE_CUT = re.compile(r",\s+|\s+(?:and|but|then|with|before|followed by)\s+")
_BETWEEN = re.compile(r"(between\s+\S+\s+)and(?=\s+\d)")
_NEGATION = re.compile(r"\b(?:no|not|without|denie[sd]|absence of|free of|didn't|wasn't|isn't)\b(?! change)")
_ABSENT = re.compile(
    r"\b(?:absent|(?:not|never) (?:seen|present|noted|found|recorded|observed|documented))\b"
)
_SEQUENCE = re.compile(r"\b(?:then|later|before|followed by|subsequently|afterwards)\b")
_EXISTS = re.compile(
    r"\b(?:recorded|documented|noted|seen|found|present|occurred|developed|episodes?|bouts?|ran|had)\b"
)
_PERIOD = re.compile(
    r"\b(?P<side>first|initial|last|final)\s+(?:(?P<n>\d+|few|two|three|four|six|eight|twelve)\s+)?"
    r"(?P<unit>hours?|h|days?)\b|\b(?:(?P<nth>second|third|fourth)\s+day|day\s+(?P<day>\d+))\b"
)
_MOMENT = re.compile(
    r"\b(?:at|by|around|after)\s+(?:about\s+)?(?:hour\s+(?P<a>\d+)|(?P<b>\d+(?:\.\d+)?)\s?(?:h|hours?)\b)|"
    r"\b(?P<c>\d+(?:\.\d+)?)\s?(?:h|hours?)\s+(?:in|into|after|later)\b"
)
_CLOCK = re.compile(r"\bat\s+(?:about\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})\b")
_DURATION = re.compile(
    r"\bfor\s+(?:at least\s+|more than\s+|over\s+|about\s+)?(\d+(?:\.\d+)?)\s*(?:hours?|h)\b|"
    r"\b(\d+(?:\.\d+)?)\s*(?:consecutive\s+)?hours?\s+(?:straight|in a row|at a stretch|on end)\b"
)
_COUNT = re.compile(
    r"\b(?P<n>\d+|once|twice|one|two|three|four|five|six|seven|eight|nine|ten|both|only|single|sole)\s+"
    r"(?:of\s+(?:the\s+|its\s+)?(?P<total>\d+|two|three|four|five|six|seven|eight|nine|ten)\s+)?"
    r"(?P<what>times?|occasions?|samples?|values?|measurements?|readings?|recordings?|checks?|counts?|draws?|"
    r"results?|gas(?:es)?)\b|\b(?P<bare>twice)\b"
)
_WORDS = {"once": 1, "twice": 2, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_WORDS |= {"eight": 8, "nine": 9, "ten": 10, "twelve": 12, "both": 2, "only": 1, "single": 1, "sole": 1}
_NTH = {"second": 2, "third": 3, "fourth": 4}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the stay in hours from its first measurement, or a time of the day."""

    start: float = 0.0
    end: float = float("inf")
    from_end: bool = False
    clock: tuple[int, int] | None = None

    def holds(self, time: datetime, first: datetime, last: datetime) -> bool:
        """Whether a time lies in the window of a stay measured from `first` to `last`."""
        if self.clock:
            return (time.hour, time.minute) == self.clock
        if self.from_end:
            return time >= last - timedelta(hours=self.end)
        hours = (time - first) / timedelta(hours=1)
        return self.start <= hours <= self.end


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase: whatever it does not say is None, `values` and `changes` are its numbers."""

    text: str
    level: SaidLevel | None
    is_negated: bool
    is_existence: bool
    scope: Scope | None
    trend: SaidTrend | None
    extreme: Extreme | None
    severity: Severity | None
    values: tuple[Number, ...]
    changes: tuple[Number, ...]
    window: Window | None
    hours_at_a_stretch: float | None
    count: int | None
    total: int | None

    @property
    def says_something(self) -> bool:
        """Whether there is anything to judge."""
        said = (self.level, self.trend, self.values, self.changes, self.count, self.hours_at_a_stretch)
        return any(part not in (None, ()) for part in said)


def read(text: str, named: tuple[int, int] | None, level: WordLevel | None) -> list[Phrase]:
    """The phrases of a clause that speaks of one variable, named at `named` and perhaps with its level."""
    plain = text.lower()
    if named:
        plain = plain[: named[0]] + " " * (named[1] - named[0]) + plain[named[1] :]
    plain = _BETWEEN.sub(r"\1to ", plain)
    found = _with_units(numbers(plain))
    phrases: list[Phrase] = []
    for start, end in _spans(plain):
        inside = [n for n in found if start <= n.start < end]
        own = level if named and start <= named[0] < end else None
        phrase = _phrase(plain[start:end], own, inside, (named[0] - start) if own and named else None)
        phrases.append(_inherit(phrase, phrases))
    told = [phrase for phrase in phrases if phrase.says_something]
    return _in_sequence(told) if _SEQUENCE.search(plain) else told


def _in_sequence(phrases: list[Phrase]) -> list[Phrase]:
    """Speak of the first value and the last in "high and then normal"."""
    if len(phrases) != 2 or any(p.scope or not p.level or p.values or p.window for p in phrases):
        return phrases
    return [replace(phrases[0], scope="first"), replace(phrases[1], scope="last")]


def _spans(plain: str) -> list[tuple[int, int]]:
    cuts = [hit.end() for hit in _PHRASE_CUT.finditer(plain)]
    return list(zip([0, *cuts], [*cuts, len(plain)], strict=True))


def _with_units(found: list[Number]) -> list[Number]:
    """A number without a unit has that of the next number: "38.1 and 38.9 °C"."""
    unit, told = "", []
    for number in reversed(found):
        unit = number.unit or unit
        told.append(replace(number, unit=unit))
    return told[::-1]


def _phrase(text: str, own: WordLevel | None, inside: list[Number], at: int | None) -> Phrase:
    level, place = LEVELS.find(text) or (None, len(text))
    if own:
        level, place = ("high" if own == "not high" else own), at or 0
    trend = TRENDS.find(text)
    if trend and not own:
        place = max(place, trend[1]) if level is None else place
    negation = _NEGATION.search(text, 0, min(place + 1, len(text)))
    is_negated = bool(negation or _ABSENT.search(text))
    count, total = _counted(text)
    scope, extreme, grade = SCOPES.find(text), EXTREMES.find(text), SEVERITIES.find(text)
    return Phrase(
        text=text,
        level=level,
        is_negated=is_negated != (own == "not high"),
        is_existence=bool(own and (inside or trend or _EXISTS.search(text))),
        scope=scope[0] if scope else None,
        trend=trend[0] if trend else None,
        extreme=extreme[0] if extreme else None,
        severity=grade[0] if grade else None,
        values=tuple(n for n in inside if n.role == "value"),
        changes=tuple(n for n in inside if n.role == "change"),
        window=_window(text),
        hours_at_a_stretch=_duration(text),
        count=count,
        total=total,
    )


def _inherit(phrase: Phrase, before: list[Phrase]) -> Phrase:
    """What a phrase leaves out it takes from the one before: "tachycardic on arrival, 149 a minute"."""
    if not before:
        return phrase
    last = before[-1]
    is_bare = not (phrase.level or phrase.trend or phrase.values)
    if is_bare and (phrase.scope or phrase.severity or phrase.hours_at_a_stretch or phrase.count):
        phrase = replace(phrase, level=last.level, is_negated=last.is_negated)
        if phrase.scope is None:
            phrase = replace(phrase, scope=last.scope, window=phrase.window or last.window)
    elif (
        phrase.values
        and not (phrase.scope or phrase.extreme or phrase.trend)
        and last.scope in ("first", "last")
    ):
        phrase = replace(phrase, scope=last.scope)
    return phrase


def _window(text: str) -> Window | None:
    if hit := _CLOCK.search(text):
        return Window(clock=(int(hit["hour"]), int(hit["minute"])))
    if hit := _MOMENT.search(text):
        hour = float(hit["a"] or hit["b"] or hit["c"])
        return Window(hour - 1, hour + 1)
    hit = _PERIOD.search(text)
    if hit is None:
        return None
    if not hit["side"]:
        day = _NTH[hit["nth"]] if hit["nth"] else int(hit["day"])
        return Window(24.0 * (day - 1), 24.0 * day)
    length = _length(hit["n"], hit["unit"])
    return Window(end=length, from_end=hit["side"] in ("last", "final"))


def _length(n: str | None, unit: str) -> float:
    is_vague = n == "few" or (n is None and unit == "hours")
    if is_vague:
        return FIRST_HOURS if unit.startswith("h") else 48.0
    return (_integer(n) if n else 1) * (24.0 if unit.startswith("d") else 1.0)


def _duration(text: str) -> float | None:
    hit = _DURATION.search(text)
    return float(hit[1] or hit[2]) if hit else None


def _counted(text: str) -> tuple[int | None, int | None]:
    hit = _COUNT.search(text)
    if hit is None:
        return None, None
    if hit["n"] in ("both", "only", "single", "sole"):
        return None, _integer(hit["n"])
    if re.search(r"\b(?:each|all|every one) (?:of )?(?:the )?$", text[: hit.start()]):
        return None, _integer(hit["n"])
    return _integer(hit["n"] or hit["bare"]), _integer(hit["total"]) if hit["total"] else None


def _integer(word: str) -> int:
    return _WORDS[word] if word in _WORDS else int(word)
