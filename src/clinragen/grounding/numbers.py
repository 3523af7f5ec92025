"""Numbers in a claim: what each one counts, and whether a measured value agrees with it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from clinragen.clinical.variables import variables
from clinragen.schema import Measurement

Role = Literal["value", "hours", "count", "change", "other"]
Bound = Literal["above", "below"]

ABOUT_TOLERANCE = 0.05
_EPSILON = 1e-9

_ABOVE = (
    r"(?:(?:at|of) or (?:above|over)|above|over|(?:greater|more|faster|quicker|warmer|hotter|larger|"
    r"longer|bigger) than|exceed\w*|in excess of|higher than|"
    r"beyond|past|upwards of|north "
    r"of|"
    r"surpass\w*|topp(?:ed|ing)|cross(?:ed|ing|es)|clear of|better than|>|at least|"
    r"no (?:less|lower|fewer) than|not (?:below|under)|>=|≥)"
)
_BELOW = (
    r"(?:(?:at|of) or (?:below|under)|below|under|(?:less|lower|slower|cooler|colder|smaller|"
    r"shorter) than|beneath|short of|fewer than|south "
    r"of|shy of|<|at most|no (?:more|"
    r"higher|greater) than|not (?:above|over)|<=|≤)"
)
_NUMBER = re.compile(
    rf"(?P<bound>(?P<above>{_ABOVE})|(?P<below>{_BELOW}))?\s*(?:of\s+)?"
    r"(?P<about>(?:just )?(?:about |around |roughly |nearly |approximately |almost |close to |~\s?|some ))?"
    r"(?<![\w.:/-])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<decade>0s|s)?"
    r"(?![\d:/]|st\b|nd\b|rd\b|th\b|\.\d|-fold|-year)"
    r"(?:\s?(?P<hours>h\b|hrs?\b|hours?\b)|\s?(?P<days>days?\b)"
    r"|\s(?P<count>(?:of (?:the |its |his |her )?\w+|times|occasions|samples?|values|measurements|readings|"
    r"recordings|checks|counts|draws|results)\b)"
    r"|\s?(?P<unit>°\s?[CF]|deg(?:rees)?\s?[CF]\b|[CF]\b|[µμu]mol/L|umol/L|micromol(?:es)?(?:/| per )(?:L|"
    r"litre)|mmol/L|mg/dL|mg/L|g/dL|g/L|kPa|mm\s?Hg|mEq/L|"
    r"%|per ?cent\b|K/[µμu]L|k\b|x\s?10\S*|[IU]+/L|ng/mL|pg/mL|seconds|sec\b|bpm\b|thousand\b))?"
    r"(?P<tail>\s(?:or|and)\s(?:(?P<more>more|above|higher|over|greater|better)|(?P<less>less|below|lower|under|"
    r"fewer))\b)?",
    re.I,
)
_INCLUSIVE = re.compile(r"least| or |most|no |not |[=≥≤]", re.I)

_DIFFERENCE = re.compile(r"\s(?:points? |units? )?(?:higher|lower|greater|less|more)\b", re.I)
_DIGIT = re.compile(r"\d")
_BEFORE = re.compile(
    r"\b(?:day|hour|(?P<by>by|rose|risen|fell|fallen|dropped|gained|lost|climbed|declined|shed|increased|"
    r"decreased))\s+(?:a\s+)?(?:\w+ than |over |under |some |just )?(?:about |around |roughly |nearly |"
    r"almost )?$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a claim: `text[start:end]`, with the unit and the bound it was given, if any."""

    value: float
    decimals: int
    unit: str
    role: Role
    bound: Bound | None
    is_about: bool
    start: int
    end: int
    is_inclusive: bool = False


def numbers(text: str) -> list[Number]:
    """Every number of a text in order, with its role."""
    if not _DIGIT.search(text):
        return []
    return [_number(hit) for hit in _NUMBER.finditer(text)]


def agrees(number: Number, row: Measurement) -> bool:
    """Whether a measured value is this number to its last digit, or lies on the side the claim names."""
    measured = in_unit(row, number)
    if number.bound and number.is_inclusive and abs(measured - number.value) <= _EPSILON:
        return True
    if number.bound == "above":
        return measured > number.value
    if number.bound == "below":
        return measured < number.value
    slack = 0.5 * 10.0**-number.decimals
    if number.is_about:
        slack = max(slack, abs(number.value) * ABOUT_TOLERANCE)
    return abs(measured - number.value) <= slack + _EPSILON


def in_unit(row: Measurement, number: Number) -> float:
    """The measured value in the unit of the claim."""
    convert = _conversion(row, number)
    return convert(row.value) if convert else row.value


def size_in_unit(row: Measurement, number: Number, size: float) -> float:
    """The size of a change of this variable in the unit of the claim."""
    convert = _conversion(row, number)
    return convert(row.value + size) - convert(row.value) if convert else size


def _conversion(row: Measurement, number: Number) -> Callable[[float], float] | None:
    return _converter(row.variable, row.unit, number.unit, number.value)


@lru_cache(maxsize=4096)
def _converter(variable: str, measured: str, said: str, value: float) -> Callable[[float], float] | None:
    """From the measured unit to the said one; a number without a unit may still betray which it has."""
    unit, said = _plain(measured), _plain(said)
    if not said and unit == "degf" and _COLDEST_C <= value <= _HOTTEST_C:
        said = "degc"
    if said:
        return _CONVERSIONS.get((variable, unit, said)) or _CONVERSIONS.get(("", unit, said))
    return _likely_conversion(variable, unit, value)


def _likely_conversion(variable: str, unit: str, value: float) -> Callable[[float], float] | None:
    """The conversion of a number without a unit that nobody could have in the unit of the chart."""
    known = variables().get(variable)
    back = _CONVERSIONS_FROM.get((variable, unit), ())
    if known is None or known.is_plausible(value) or _plain(known.unit) != unit:
        return None
    return next((convert for convert in back if known.is_plausible(value / convert(1.0))), None)


# A temperature without a unit in this window can only be Celsius: in Fahrenheit nobody would be alive.
_COLDEST_C, _HOTTEST_C = 25.0, 46.0


def _times(factor: float) -> Callable[[float], float]:
    return lambda value: value * factor


# From the measured unit to the said one; factors follow from molar masses and the definitions of the units.
_CONVERSIONS: dict[tuple[str, str, str], Callable[[float], float]] = {
    ("", "degf", "degc"): lambda value: (value - 32) / 1.8,
    ("", "degc", "degf"): lambda value: value * 1.8 + 32,
    ("", "mmhg", "kpa"): _times(1 / 7.50062),
    ("creatinine", "mg/dl", "umol/l"): _times(88.4),
    ("creatinine", "umol/l", "mg/dl"): _times(1 / 88.4),
    ("glucose", "mg/dl", "mmol/l"): _times(1 / 18.016),
    ("glucose", "mmol/l", "mg/dl"): _times(18.016),
    ("bilirubin", "mg/dl", "umol/l"): _times(17.1),
    ("bilirubin", "umol/l", "mg/dl"): _times(1 / 17.1),
    ("BUN", "mg/dl", "mmol/l"): _times(0.357),
    ("BUN", "mmol/l", "mg/dl"): _times(1 / 0.357),
    ("hemoglobin", "g/dl", "g/l"): _times(10.0),
    ("hemoglobin", "g/l", "g/dl"): _times(0.1),
    ("albumin", "g/dl", "g/l"): _times(10.0),
    ("calcium", "mg/dl", "mmol/l"): _times(0.2495),
    ("calcium", "mmol/l", "mg/dl"): _times(1 / 0.2495),
    ("magnesium", "mg/dl", "mmol/l"): _times(0.4114),
    ("phosphate", "mg/dl", "mmol/l"): _times(0.3229),
    ("lactate", "mmol/l", "mg/dl"): _times(9.008),
}

_CONVERSIONS_FROM: dict[tuple[str, str], tuple[Callable[[float], float], ...]] = {}
for (_name, _from, _), _convert in _CONVERSIONS.items():
    _CONVERSIONS_FROM[_name, _from] = (*_CONVERSIONS_FROM.get((_name, _from), ()), _convert)

_PLAIN = {
    "c": "degc",
    "f": "degf",
    "degreesc": "degc",
    "degreesf": "degf",
    "°c": "degc",
    "°f": "degf",
    "micromol/l": "umol/l",
    "micromolperlitre": "umol/l",
    "micromolesperlitre": "umol/l",
    "µmol/l": "umol/l",
    "μmol/l": "umol/l",
}


def _plain(unit: str) -> str:
    bare = unit.lower().replace(" ", "")
    return _PLAIN.get(bare, bare)


def _number(hit: re.Match[str]) -> Number:
    digits = hit["number"].replace(",", "")
    role: Role = "hours" if hit["hours"] or hit["days"] else "count" if hit["count"] else "value"
    if role == "value" and (before := _BEFORE.search(hit.string, 0, hit.start("number"))):
        is_moved = before["by"] == "by" or (before["by"] and not hit["bound"])
        role = "change" if is_moved else "value" if before["by"] else "other"
    if role == "value" and _DIFFERENCE.match(hit.string, hit.end()):
        role = "change"
    return Number(
        value=float(digits) * (24 if hit["days"] else 1),
        decimals=len(digits.partition(".")[2]),
        unit=hit["unit"] or "",
        role=role,
        bound="above" if hit["above"] or hit["more"] else "below" if hit["below"] or hit["less"] else None,
        is_about=bool(hit["about"]),
        start=hit.start("number"),
        end=hit.end(),
        is_inclusive=bool(hit["tail"] or (hit["bound"] and _INCLUSIVE.search(hit["bound"]))),
    )
