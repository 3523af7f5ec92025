"""Remarks of a writer that claim nothing of the patient: opinions, advice, greetings, headings.

"I would not rush the second look", "Patience is the best policy here", "Summary for the round". Cues tell
most of them, the rest a regression on the words of a clause, whose weights `scripts/fit_remarks.py` makes
from the labelled claims.
"""

import csv
import re
from functools import cache, lru_cache
from importlib.resources import files

from clinragen.grounding.lexicon import LEVELS, SCOPES, TRENDS, cues
from clinragen.grounding.sentences import has_verb

_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I've|We|we|My|my|me|us)\b(?!\.)")
_ASIDE = re.compile(
    r"^(?:I|We) (?:note|noted|find|found|observed?|recorded|measured|"
    r"documented)\b|,\s+(?:I|we) (?:dare say|think|believe|suspect|gather|suppose|fear|hope|trust)\b"
)
_ADDRESS = re.compile(rf"\W*(?:{cues('address')})\b(?!\s+(?:has|have|had|is|are|was|were)\b)", re.I)
_OPINION = re.compile(rf"\b(?:{cues('opinion')})\b", re.I)
_HEADING = re.compile(
    rf"(?:\S+ ){{0,3}}?(?:{cues('heading')})(?=\s*(?:$|[,:(\-–—]|(?:for|at|of|on|to|after|by) (?:the|"
    rf"this|his|her|provider)\b|first\b|kept\b))",
    re.I,
)
_NONE = re.compile(r"(?:no|never|without|not)\b", re.I)
_DIGIT = re.compile(r"\d")
_LONGEST_HEADING = 8
_WORD = re.compile(r"[a-z]+")
_PATIENT = re.compile(
    r"\b(?:he|she|his|her|him|hers|patient|m[ae]n|wom[ae]n|mother|father|sister|brother)\b", re.I
)
_TOLD = re.compile(r"\b(?:was|were|had|did|has|have|been)\b|\b\w{3,}ed\b", re.I)
_MODAL = re.compile(r"\b(?:should|would|will|can|may|might|must|ought|needs?|could)\b", re.I)
LIKELY = 0.5
"""The log odds from which a clause is taken for a remark."""


@lru_cache(maxsize=1 << 13)
def is_remark(text: str) -> bool:
    """Whether a clause only comments: it speaks for the writer, addresses a reader or values."""
    return bool(_FIRST_PERSON.search(_ASIDE.sub("", text)) or _ADDRESS.match(text) or _OPINION.search(text))


@lru_cache(maxsize=1 << 13)
def is_likely_remark(text: str, clinical: int) -> bool:
    """Whether the words of a clause, which says nothing of the series, are those of a remark."""
    weights = _weights()
    told = (weights.get(name, 0.0) * value for name, value in remark_features(text, clinical).items())
    return weights["always"] + sum(told) > LIKELY


def remark_features(text: str, clinical: int) -> dict[str, float]:
    """The words of a clause, and whether it tells of the patient, the past, a number or what should be.

    `clinical` is how many of its words name something clinical.
    """
    is_of_patient, is_told = _PATIENT.search(text) is not None, _TOLD.search(text) is not None
    has_number = _DIGIT.search(text) is not None
    found = {
        "form: clinical": clinical > 0,
        "form: clinical throughout": clinical > 1,
        "form: patient": is_of_patient,
        "form: told": is_told,
        "form: number": has_number,
        "form: modal": _MODAL.search(text) is not None,
        "form: goes on": text[:1].islower(),
        "form: in general": not (is_of_patient or is_told or has_number),
    }
    words = dict.fromkeys(_WORD.findall(text.lower()), True)
    return {name: 1.0 for name, is_so in (found | words).items() if is_so}


@cache
def _weights() -> dict[str, float]:
    with (files("clinragen.grounding") / "remark_weights.csv").open(encoding="utf-8") as table:
        return {row["feature"]: float(row["weight"]) for row in csv.DictReader(table)}


def is_heading(text: str, is_of_series: bool) -> bool:
    """Whether a clause only heads what follows: it names a part or a summary, or is short and has no verb.

    A clause `is_of_series` may do without a verb: "No fever", "Na flat", "Hypotensive on arrival".
    """
    if _HEADING.match(text):
        return True
    if not text[0].isupper() or _DIGIT.search(text) or has_verb(text):
        return False
    return len(text.split()) <= _LONGEST_HEADING and not (is_of_series and _says_how(text))


def _says_how(text: str) -> bool:
    lowered = text.lower()
    return any(words.find(lowered) for words in (LEVELS, TRENDS, SCOPES)) or _NONE.match(text) is not None
