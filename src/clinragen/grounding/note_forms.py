"""What kind of statement a clause is by its wording: of a cause, of the future, of medicine in general."""

import csv
import re
from functools import cache
from importlib.resources import files

from clinragen.clinical.phrases import any_phrase

FORMS = ("cause", "outcome", "knowledge", "advice")

_PATIENT = re.compile(
    r"\b(?:he|she|they|him|his|hers?|their|himself|herself|patient|this (?:man|woman|lady|gentleman|roofer|"
    r"\w+ man|\w+ woman))\b",
    re.I,
)
_PAST = re.compile(
    r"\b(?:was|were|had|did|has|have|been|took|gave|given|went|came|got|lost|left|grew|showed|found|"
    r"\w{3,}ed)\b",
    re.I,
)
_QUOTATION = re.compile(
    r"\b(?:the|her|his|this) (?:note|chart|history|record)s? (?:also )?"
    r"(?:mentions?|reports?|records?|states?|describes?|"
    r"notes?|lists?|documents?|says|shows?|contains?)\b",
    re.I,
)


def forms_of(text: str) -> dict[str, float]:
    """The forms whose cues a clause holds, and whether it names the patient and tells something done."""
    found = dict.fromkeys(FORMS, 0.0)
    for hit in _finder().finditer(text.lower()):
        for form in _cues()[" ".join(hit[0].split())]:
            found[form] = 1.0
    found["patient"] = float(_PATIENT.search(text) is not None)
    found["told"] = float(_PAST.search(text) is not None)
    found["quotation"] = float(_QUOTATION.search(text) is not None)
    found["relative clause"] = float(re.match(r"\W*(?:which|that)\b", text, re.I) is not None)
    return found


@cache
def _cues() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    with (files("clinragen.grounding") / "note_forms.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            found[row["cue"]] = (*found.get(row["cue"], ()), row["form"])
    return found


@cache
def _finder() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{any_phrase(_cues())})(?![\w-])")
