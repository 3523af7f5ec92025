"""What a clause says about a variable, phrase by phrase, as data that can be judged."""

import re
from dataclasses import replace
from functools import lru_cache

from clinragen.clinical.words import WordLevel
from clinragen.grounding.comparing import compares_days, find_comparison
from clinragen.grounding.counting import (
    may_count,
    take_count,
    take_duration,
    take_limit,
    take_ranges,
    take_share,
)
from clinragen.grounding.lexicon import (
    EXTREMES,
    LEVELS,
    SCOPES,
    SEVERITIES,
    TRENDS,
    Extreme,
    Scope,
)
from clinragen.grounding.numbers import numbers
from clinragen.grounding.phrase import PLACES, Phrase
from clinragen.grounding.sentences import has_verb
from clinragen.grounding.windows import find_window

__all__ = ["PLACES", "Phrase", "read"]

_PHRASE_CUT = re.compile(
    r",\s+(?:and|but|then|yet)\s+(?:then\s+)?|,\s+|\s+(?:and|but(?!\s(?:for\s)?(?:the\s|its\s)?(?:first|"
    r"last|final|initial)\b)|then|before|until(?!\s(?:the|its)\s(?:very\s)?(?:last|final))|followed by|"
    r"(?:gave|gives|giving) way to|replaced by|with|yet|though|after(?=\s(?:having\s)?(?:start|beg)))\s+"
    r"(?:then\s+)?|\s+(?=without (?:ever )?\w+ing\b)"
)
_BETWEEN = re.compile(r"(between\s+(?:the\s+)?(?:hours?\s+)?\S+\s+)and(?=\s+(?:the\s+)?(?:hours?\s+)?\d)")
_ONLY_ONE = re.compile(r"\b(?:(?:only|just|but)\s(?:one|a single)|(?<!not )a single)(?=\s)")
_CONFINED = re.compile(
    r"\b(?:only|solely|exclusively)\s(?:on|at|in|during|for|within|initially|over|after|from|late|early)\b|"
    r"\b(?:confined|limited|restricted)\sto\b"
)
_ALL_OF_THEM = re.compile(r"\b((?:is|are|was|were|has|have|had|stayed|remained)\s+)(all|both|each)\b")
_COUNTED = re.compile(
    r"(?:(?<![\d.])(?<!hour )(?<!hours )(?<!day )\b\d{1,2}(?: of (?:the|his|her|its|all))?|\b(?:each|"
    r"every|all|both|most|neither|either|no|single|half)(?: of)?"
    r"(?: (?:the|his|her|its))?|\b(?:first|last|final|initial|second|third) \d{1,2})"
    r"(?: (?:single|serum|plasma|consecutive|successive|further|other|later|recorded|"
    r"measured|available|subsequent))*\s$"
)
"""What stands before a variable's name where the name means its measurements: "the first two sodiums"."""
_FROM_TO = re.compile(r"\bfrom\s+(?!\d)(?P<a>.+?)\s+(?P<to>to)\s+(?=\S)")
_NEGATION = re.compile(
    r"\b(?:no|not|nor|neither|without|denie[sd]|absence of|free of|lack of|didn't|wasn't|isn't|hasn't|"
    r"hadn't|never|"
    r"cannot|failed to|fails to|failing to|short of(?! (?:the )?\d))\b(?! (?:change|only|one\b|a single|"
    r"once|more than|"
    r"less than))"
)
_ABSENT = re.compile(
    r"\b(?:absent|(?:(?:did|does|was|were|is|are|has|had|could)(?:n't| not)|not|never) (?:be |been "
    r")?(?:seen|present|"
    r"noted|found|recorded|observed|documented|occur\w*|develop\w*|appear\w*|arise|arose|happen\w*|emerge\w*|"
    r"reached|a (?:feature|problem|concern|issue)))\b"
)
_BELOW_A_LEVEL = re.compile(r"\b(?:below|under|beneath|out of)\s+(?:the\s+|any\s+|a\s+)?$")
_FROM_AN = re.compile(r"\bfrom (?:(?:an?|the|its|his|her|their) )?(?:[\w-]+ )?$")
_NOT_ALL = re.compile(
    r"\bnot (?:\w+ )?(?:all|always|every\w*|each|throughout|consistently|constantly|invariably|"
    r"the whole)\b|n't always"
)
_NEARLY = re.compile(r"\b(?:almost|nearly|virtually|practically)\b")
_REACHED = re.compile(r"\b(?:reach\w*|rose to|climbed to|as (?:high|low) as|up to|fell to|dropped to)\b")
_STAYED = re.compile(
    r"\b(?:stay(?:ed|s)|remain(?:ed|s|ing)|kept|keeps|held|lay|lies)\s+(?:(?:well|far|just|always|"
    r"steadily)\s+)?"
    r"(?:above|below|under|over|beneath|between|within|in|inside|short|beyond|at least|less|more|outside)\b"
)
_SEQUENCE = re.compile(
    r"\b(?:then|later|before|followed by|subsequently|afterwards|thereafter|until|way to|replaced by)\b"
)
_EXISTS = re.compile(
    r"\b(?:recorded|documented|noted|seen|found|present|occurred|developed|episodes?|bouts?|ran|had|became|"
    r"reached|touched|hit|from|into|went|counts? as|amounts? to|makes?|qualif\w+|rat(?:es|ed)|is|at its|at "
    r"their)\b"
)


@lru_cache(maxsize=1 << 13)
def read(
    text: str,
    names: tuple[tuple[int, int], ...],
    level: WordLevel | None,
    is_falling: bool = False,
    is_shared: bool = False,
) -> tuple[Phrase, ...]:
    """The phrases of a clause that speaks of variables, named at `names` and perhaps with their level.

    `is_falling` is whether the clause before said so, for "by more than half"; `is_shared` whether it
    speaks of several variables, so that "both" and "all" may mean these.
    """
    lowered = text.lower()
    for start, end in reversed(names):
        is_counted = not (level or is_shared) and _COUNTED.search(lowered, max(0, start - 40), start)
        lowered = lowered[:start] + ("value" if is_counted else " " * (end - start)) + lowered[end:]
    if len(names) > 1:
        lowered = _ALL_OF_THEM.sub(lambda hit: hit[1] + " " * len(hit[2]), lowered)
    lowered = _ONLY_ONE.sub(lambda hit: "1".ljust(len(hit[0])), lowered)
    lowered = _BETWEEN.sub(r"\1to ", lowered)
    at = names[0][0] if names and level else None
    phrases: list[Phrase] = []
    forced = _level_to_level(lowered)
    for start, end in _spans(lowered, at, forced):
        here = at is not None and start <= at < end
        phrase = _phrase(
            lowered[start:end],
            level if here else None,
            at - start if here and at is not None else 0,
            is_falling,
        )
        if forced and forced[1] in (start, end) and phrase.level:
            phrase = replace(phrase, trend=None, is_existence=True)
        phrases.append(_inherit(phrase, phrases))
    told = [phrase for phrase in _with_units(phrases) if phrase.says_something]
    return tuple(_in_sequence(told) if _SEQUENCE.search(lowered) else told)


def _level_to_level(text: str) -> tuple[int, int] | None:
    """Where "from low at first to 21.4 at the end" is cut."""
    hit = _FROM_TO.search(text)
    return (hit.start("to"), hit.end("to")) if hit and LEVELS.find(hit["a"]) else None


def _spans(text: str, at: int | None, forced: tuple[int, int] | None) -> list[tuple[int, int]]:
    """The spans of phrases: cut where each side makes a statement of its own."""
    cuts = [(hit.start(), hit.end()) for hit in _PHRASE_CUT.finditer(text)]
    if forced:
        cuts = sorted([*cuts, forced])
    spans = [(0, len(text))]
    for left, right in cuts:
        start, _ = spans[-1]
        if (left, right) == forced or (
            _is_statement(text[start:left], text[right:], at, start)
            and _is_own(text[right:], text[start:left])
        ):
            spans[-1] = (start, right)
            spans.append((right, len(text)))
    return spans


def _is_statement(text: str, rest: str, at: int | None, start: int) -> bool:
    """Whether what comes before a cut says something and does not only name its subject."""
    if at is not None and start <= at < start + len(text):
        return True
    if LEVELS.find(text) or TRENDS.find(text) or EXTREMES.find(text):
        return True
    if not numbers(text) or not numbers(find_window(text)[1]):
        return False
    return has_verb(text) or bool(numbers(_PHRASE_CUT.split(rest, 1)[0]))


def _is_own(rest: str, left: str) -> bool:
    """Whether the next piece is a statement and not only the value, time or grade of the one before."""
    piece = _PHRASE_CUT.split(rest, 1)[0]
    if has_verb(piece) and numbers(piece) and numbers(left):
        return True
    if LEVELS.find(piece) or TRENDS.find(piece) or find_comparison(piece, False)[0]:
        return True
    window, bare = find_window(piece)
    found = numbers(bare)
    if EXTREMES.find(piece) and found:
        return True
    if any(number.bound for number in found):
        return True
    is_placed = window is not None or any(True for _ in SCOPES.find_all(bare))
    return bool(found) and is_placed and bool(numbers(find_window(left)[1]))


def _in_sequence(phrases: list[Phrase]) -> list[Phrase]:
    """Speak of the first value and the last in "high and then normal"."""
    if len(phrases) != 2 or any(p.scope or not p.level or p.values or p.window for p in phrases):
        return phrases
    before, after = phrases
    return [replace(before, place=before.place or "first"), replace(after, place=after.place or "last")]


def _with_units(phrases: list[Phrase]) -> list[Phrase]:
    """A number without a unit has that of the next number: "38.1 and 38.9 °C"."""
    unit, told = "", []
    for phrase in reversed(phrases):
        values = []
        for number in reversed(phrase.values):
            unit = number.unit or unit
            values.append(number if number.unit == unit else replace(number, unit=unit))
        same = tuple(values[::-1])
        told.append(phrase if phrase.values == same else replace(phrase, values=same))
    return told[::-1]


def _phrase(text: str, own: WordLevel | None, at: int, is_falling: bool) -> Phrase:
    counts = may_count(text)
    rest, hours = take_duration(text) if counts else (text, None)
    window, rest = (None, rest) if compares_days(rest) else find_window(rest)
    trend = TRENDS.find(rest)
    rest, times_limit = take_limit(rest) if counts else (rest, None)
    way = trend[0] if trend else None
    comparison, rest = find_comparison(rest, is_falling or way == "falling", way == "rising")
    rest, ranges = take_ranges(rest) if counts else (rest, [])
    rest, share, share_bound = take_share(rest) if counts else (rest, None, None)
    rest, count, total, count_bound = take_count(rest) if counts else (rest, None, None, None)
    inside = numbers(rest)
    level, place = LEVELS.find(rest) or (None, len(text))
    if own:
        level, place = ("high" if own == "not high" else own), at
    elif level is None and trend:
        place = trend[1]
    if own and trend and trend[0] == "stable":
        trend = None
        rest = f"{rest} {'mostly' if _NEARLY.search(rest) else 'always'}"
    scope, which = _scope(
        rest, place if level else inside[0].start if inside else 0, bool(window and window.places)
    )
    extreme, grade = _extreme(rest, len(inside)), SEVERITIES.find(rest)
    is_negated = _is_negated(text, place, bool(own)) != (own == "not high")
    if is_negated and scope == "all" and level != "normal" and not _NOT_ALL.search(text):
        is_negated, scope = False, "none"
    if extreme is None and window and window.is_moment and inside and _REACHED.search(text):
        extreme = ("lowest" if level == "low" or (trend and trend[0] == "falling") else "highest", 0)
    return Phrase(
        text=text,
        level=level,
        is_negated=is_negated,
        is_existence=bool(own and (inside or trend or _EXISTS.search(text))),
        scope=scope,
        place=which,
        trend=trend[0] if trend else None,
        extreme=extreme[0] if extreme else None,
        severity=grade[0] if grade else None,
        values=(*ranges, *(n for n in inside if n.role == "value")),
        changes=tuple(n for n in inside if n.role == "change"),
        window=window,
        hours_at_a_stretch=hours,
        count=count,
        total=total,
        count_bound=count_bound,
        share=share,
        share_bound=share_bound,
        times_limit=times_limit,
        is_only=_CONFINED.search(text) is not None,
        comparison=comparison,
    )


def _extreme(text: str, n_numbers: int) -> tuple[Extreme, int] | None:
    """The extreme a phrase names, unless it is where a change begins: "from a peak of 6.8 to 1.4"."""
    found = EXTREMES.find(text)
    return None if found and n_numbers > 1 and _FROM_AN.search(text[: found[1]]) else found


def _is_negated(text: str, place: int, is_own: bool) -> bool:
    before = text[: min(place + 1, len(text))]
    if is_own and _BELOW_A_LEVEL.search(text[:place]):
        return True
    return bool((_NEGATION.search(before) and not before.startswith("never ")) or _ABSENT.search(text))


def _scope(text: str, at: int, is_listed: bool) -> tuple[Scope | None, Scope | None]:
    """How many values the phrase speaks of, and which one: the place named nearest to what is said of it."""
    found = list(SCOPES.find_all(text))
    places = [(abs(start - at), meaning) for meaning, start, _ in found if meaning in PLACES]
    scope = next((meaning for meaning, _, _ in found if meaning not in PLACES), None)
    if scope is None and (_STAYED.search(text) or is_listed):
        scope = "all"
    return scope, min(places)[1] if places else None


def _inherit(phrase: Phrase, before: list[Phrase]) -> Phrase:
    """What a phrase leaves out it takes from the one before: "tachycardic on arrival, 149 a minute"."""
    if not before:
        return phrase
    last = before[-1]
    is_bare = not (phrase.level or phrase.trend or phrase.values or phrase.comparison)
    if is_bare and (
        phrase.scope or phrase.place or phrase.severity or phrase.hours_at_a_stretch or phrase.count
    ):
        phrase = replace(phrase, level=last.level, is_negated=last.is_negated)
        if phrase.scope is None and phrase.place is None:
            phrase = replace(phrase, scope=last.scope, place=last.place, window=phrase.window or last.window)
    elif (
        phrase.values
        and not has_verb(phrase.text)
        and not (phrase.scope or phrase.place or phrase.extreme or phrase.trend or phrase.window)
        and last.place in ("first", "last")
    ):
        phrase = replace(phrase, place=last.place)
    return phrase
