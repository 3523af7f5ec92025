"""What a sentence of prose says: variables with their levels, and diagnoses, by the clinical tables of words.

British spellings are read as American ones (septicaemia, oedema). A level that is denied is not read, nor a
variable of which no level is told.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from clinragen.clinical.diagnoses import standard
from clinragen.clinical.mentions import find_mentions, label_phrases
from clinragen.clinical.units import convert
from clinragen.clinical.variables import variables
from clinragen.clinical.words import Mention, mentions
from clinragen.errors import UnknownTermError
from clinragen.labels import per_labels

FactLevel = Literal["low", "high"]

_LEVELS: tuple[tuple[str, FactLevel], ...] = (
    (
        r"high(?:er)?|elevat(?:ed|ions?|es|ing)|rais(?:ed|es?|ing)|increas(?:ed?|es|ing)|ris(?:es?|en|ing)|"
        r"rose|climb(?:s|ed|ing)|excess(?:ive)?|accumulat(?:es|ed|ion)|peak(?:s|ed|ing)?|"
        r"(?:above|over|exceed(?:s|ed|ing)?|greater than|more than|higher than|at least|≥|>=|>)"
        r"(?=\s*(?:\d|(?:the |its )?(?:upper |normal|limit|range|reference)))",
        "high",
    ),
    (
        r"low(?:er(?:s|ed)?)?|decreas(?:ed?|es|ing)|reduc(?:ed|es|ing|tions?)|fall(?:s|en|ing)?|fell|"
        r"drop(?:s|ped|ping)?|declin(?:es?|ed|ing)|deplet(?:ed|es|ion)|depress(?:ed|ion)|"
        r"(?:below|under|less than|lower than|at most|≤|<=|<)"
        r"(?=\s*(?:\d|(?:the |its )?(?:lower |normal|limit|range|reference)))",
        "low",
    ),
)
_LEVEL = re.compile("|".join(rf"((?<!\w)(?:{words})(?!\w))" for words, _ in _LEVELS), re.I)
_FILLER = (
    r"(?:of|in|the|a|an|his|her|this|that|which|is|are|was|were|be|been|has|have|had|may|can|to|very|serum|"
    r"plasma|blood|arterial|venous|circulating|total|peak|initial|admission|levels?|values?|counts?|"
    r"concentrations?|results?|remains?|stays?|becomes?|often|usually|more|most|patient's|\w+ly)"
)
_DIRECT = re.compile(rf"[\s\-(]*(?:{_FILLER}[\s\-(]+)*(?:{_FILLER})?[\s\-(]*", re.I)
_IN_A_LIST = re.compile(rf"(?:[\s,/\-]|\b(?:and|or|as well as|with)\b|\b{_FILLER}\b)*", re.I)
_DENIED = re.compile(
    r"(?:\b(?:no|not|without|never|nor|neither|absent|absence of)|n't)\W+(?:\w+\W+){0,2}$", re.I
)
_NUMBER = re.compile(
    r"[\s(]*(?:(?:of|at|is|was|=|to|than|above|below|over|under|least|most|exceed\w*|reach\w*|about|around|"
    r"≥|≤|[<>]=?|or more)[\s(]*){0,4}(\d+(?:\.\d+)?)(?![\d.])\s*-?([^\s,;()]*)"
)
_NO_LABEL = (
    *(f"{kind} hypertension" for kind in ("pulmonary", "pulmonary arterial", "portal", "intracranial")),
    *(f"{kind} hypertension" for kind in ("ocular", "intra-abdominal", "venous", "gestational")),
    *("diabetes insipidus", "gestational diabetes", "spinal shock", "anaphylactic shock", "shock wave"),
)
"""What holds the name of a label and is none."""


class State(NamedTuple):
    """Any of `variables` at a level, with the value told in the first one's unit, as `text[start:end]`."""

    variables: tuple[str, ...]
    level: FactLevel
    value: float | None
    start: int
    end: int


class _Hit(NamedTuple):
    level: FactLevel
    start: int
    end: int


def american(text: str) -> str:
    """A text with British ae and oe written as e: one spelling to compare by."""
    return _DIGRAPH.sub(lambda hit: "E" if hit[0][0].isupper() else "e", text)


_DIGRAPH = re.compile(r"[ao]e(?=[a-z])", re.I)


def states(text: str) -> tuple[State, ...]:
    """The variables that a text calls high or low, in order; spans are those of `american(text)`."""
    text = american(text)
    named = mentions(text)
    hits = [_hit(hit) for hit in _LEVEL.finditer(text) if not _DENIED.search(text, 0, hit.start())]
    found = (_state(text, mention, named, hits) for mention in named)
    return tuple(state for state in found if state is not None)


def diagnoses(text: str) -> tuple[str, ...]:
    """The labels that a text names and does not deny, each once, in order."""
    found = find_mentions(american(text), _american_labels())
    return tuple(
        dict.fromkeys(each.concept for each in found if each.concept and each.status not in _NOT_SAID)
    )


def without_diagnoses(text: str) -> str:
    """A text with every name of a label blanked, its length kept: "ventricular tachycardia" is no finding."""
    text = american(text)
    for each in reversed(find_mentions(text, _american_labels())):
        text = text[: each.start] + " " * (each.end - each.start) + text[each.end :]
    return text


_NOT_SAID = ("negated", "family")


@per_labels
def _american_labels() -> Mapping[str, str]:
    """The names of diseases -> the label, "" where it is none of the labels of the run."""
    standard_names = (phrase for label in standard() for phrase in (*label.synonyms, label.name))
    known = {**dict.fromkeys(standard_names, ""), **label_phrases(), **dict.fromkeys(_NO_LABEL, "")}
    return MappingProxyType({american(name): label for name, label in known.items()})


def _hit(found: re.Match[str]) -> _Hit:
    return _Hit(_LEVELS[(found.lastindex or 1) - 1][1], *found.span())


def _state(text: str, mention: Mention, named: Sequence[Mention], hits: Sequence[_Hit]) -> State | None:
    names = tuple(name for name in mention.word.variables if name in variables())
    if not names or mention.word.level in ("normal", "not high"):
        return None
    if mention.word.level is not None:
        is_denied = _DENIED.search(text, 0, mention.start)
        own: FactLevel = "low" if mention.word.level == "low" else "high"
        return None if is_denied else State(names, own, None, mention.start, mention.end)
    hit = _level_beside(text, mention, named, hits)
    after = max(mention.end, hit.end) if hit and _is_joined(text, mention, hit) else mention.end
    value = _value(text, names[0], after)
    level = _level_of_value(names[0], value)
    if hit is not None:  # a number of another level is no value: "an increase of 0.3 mg/dL"
        return State(names, hit.level, value if level == hit.level else None, mention.start, mention.end)
    if level is None or _DENIED.search(text, 0, mention.start):
        return None
    return State(names, level, value, mention.start, mention.end)


def _level_beside(text: str, mention: Mention, named: Sequence[Mention], hits: Sequence[_Hit]) -> _Hit | None:
    """The level told of a variable: directly before it, directly after it, or of a list that it is in."""
    before = next((hit for hit in reversed(hits) if hit.end <= mention.start), None)
    after = next((hit for hit in hits if hit.start >= mention.end), None)
    for is_near in (_is_direct, _is_listed):
        if before and is_near(text, before.end, mention.start, named):
            return before
        if after and is_near(text, mention.end, after.start, named):
            return after
    return None


def _is_direct(text: str, start: int, end: int, named: Sequence[Mention]) -> bool:
    return _DIRECT.fullmatch(text, start, end) is not None


def _is_listed(text: str, start: int, end: int, named: Sequence[Mention]) -> bool:
    """Whether only other bare variables of the same list lie between ("raised lactate and creatinine")."""
    between = [each for each in named if start <= each.start and each.end <= end]
    if not between or any(each.word.level for each in between):
        return False
    edges = [start, *(edge for each in between for edge in (each.start, each.end)), end]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return all(_IN_A_LIST.fullmatch(text, a, b) for a, b in gaps)


def _is_joined(text: str, mention: Mention, hit: _Hit) -> bool:
    return hit.start >= mention.end and _DIRECT.fullmatch(text, mention.end, hit.start) is not None


def _value(text: str, variable: str, start: int) -> float | None:
    """The number told right after a place, in the variable's own unit; None where it cannot be one."""
    found = _NUMBER.match(text, start)
    if found is None:
        return None
    number, unit = float(found[1]), found[2].rstrip(".")
    try:
        value = convert(variable, number, unit) if unit else number
    except UnknownTermError:
        if "/" in unit or unit in ("%", "-"):
            return None
        value = number
    return value if variables()[variable].is_plausible(value) else None


def _level_of_value(variable: str, value: float | None) -> FactLevel | None:
    """The level of a value by the variable's own range, the wider one where the sexes differ."""
    if value is None:
        return None
    low, high = variables()[variable].reference_range(None)
    if high is not None and value > high:
        return "high"
    return "low" if low is not None and value < low else None
