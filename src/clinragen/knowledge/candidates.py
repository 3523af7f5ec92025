"""What a teacher claims to have read in a document, and whether it may enter the base.

A candidate enters only if its quote stands in the document, if the quote itself names finding and diagnosis,
and if its own sentence says no more than the quote. The first check that fails gives the reason.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.mentions import find_mentions
from clinragen.clinical.units import convert
from clinragen.clinical.variables import variables
from clinragen.clinical.words import mentions
from clinragen.errors import UnknownTermError
from clinragen.knowledge.identity import identity
from clinragen.knowledge.inference import denies
from clinragen.knowledge.passages import Passage
from clinragen.knowledge.quotes import Plain, locate, plain
from clinragen.knowledge.reading import FactLevel, american, diagnoses, states
from clinragen.schema import Fact, Quote

SHORTEST_QUOTE, LONGEST_QUOTE = 15, 400
LONGEST_TEXT = 240
MOST_WORDS_OF_A_SIGN = 8

_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\d.]*\d)\s*-?([^\s,;()]*)")


class Candidate(BaseModel):
    """One fact as a teacher gives it."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    text: str
    diagnoses: tuple[str, ...]
    variable: str | None = None
    level: str | None = None
    threshold: _Number | None = None
    sign: str | None = None
    quote: str


@dataclass(frozen=True, slots=True)
class _Read:
    """A candidate with its quote and its sentence in American spelling.

    The quote is read as the teacher copied it, for the document may break its words over lines.
    """

    candidate: Candidate
    quote: str
    words: str


def judged(values: Any, passage: Passage, document: Plain) -> Fact | str:
    """The fact that a candidate becomes, or the reason why it may not enter."""
    try:
        candidate = Candidate.model_validate(values)
    except ValidationError:
        return "malformed"
    span = locate(candidate.quote, document, passage.start)
    if span is None:
        return "quote not in the document"
    quote = passage.document.text[slice(*span)]
    read = _Read(candidate, american(" ".join(candidate.quote.split())), american(candidate.text))
    reason = next((reason for reason, holds in _CHECKS.items() if not holds(read)), None)
    return reason or _fact(candidate, passage, Quote(passage.document.document_id, *span, quote))


def _fact(candidate: Candidate, passage: Passage, quote: Quote) -> Fact:
    level: FactLevel | None = None
    if candidate.variable is not None:
        level = "low" if candidate.level == "low" else "high"
    fact = Fact(
        fact_id="",
        text=" ".join(candidate.text.split()),
        diagnoses=tuple(name for name in diagnosis_names() if name in candidate.diagnoses),
        citation=passage.document.citation,
        variable=candidate.variable,
        level=level,
        threshold=candidate.threshold,
        sign=None if candidate.sign is None else " ".join(candidate.sign.split()),
        licence=passage.document.licence,
        quotes=(quote,),
    )
    return replace(fact, fact_id=identity(fact))


def _has_known_diagnoses(read: _Read) -> bool:
    return bool(read.candidate.diagnoses) and set(read.candidate.diagnoses) <= set(diagnosis_names())


def _has_variable_or_sign(read: _Read) -> bool:
    said = read.candidate
    if said.variable is None:
        return bool(said.sign and said.sign.strip()) and said.level is None and said.threshold is None
    return said.sign is None


def _has_known_variable(read: _Read) -> bool:
    return read.candidate.variable is None or read.candidate.variable in variables()


def _has_known_level(read: _Read) -> bool:
    return read.candidate.variable is None or read.candidate.level in ("low", "high")


def _has_quote_of_fair_length(read: _Read) -> bool:
    return SHORTEST_QUOTE <= len(read.quote) <= LONGEST_QUOTE


def _quotes_diagnoses(read: _Read) -> bool:
    return set(read.candidate.diagnoses) <= set(diagnoses(read.quote))


def _quotes_finding(read: _Read) -> bool:
    return _names_finding(read.candidate, read.quote)


def _quotes_threshold(read: _Read) -> bool:
    said = read.candidate
    if said.variable is None or said.threshold is None:
        return True
    told = [value for number in _NUMBER.finditer(read.quote) for value in _values(said.variable, number)]
    is_told = any(abs(value - said.threshold) <= 0.005 * abs(said.threshold) for value in told)
    return is_told and variables()[said.variable].is_plausible(said.threshold)


def _is_not_denied(read: _Read) -> bool:
    return not denies(read.quote)


def _has_sign_of_its_own(read: _Read) -> bool:
    """A sign is a few words that are no variable and not the diagnosis itself."""
    sign = read.candidate.sign
    if sign is None:
        return True
    named = any(
        name in variables() for mention in mentions(american(sign)) for name in mention.word.variables
    )
    is_short = len(sign.split()) <= MOST_WORDS_OF_A_SIGN
    return is_short and not named and set(diagnoses(sign)).isdisjoint(read.candidate.diagnoses)


def _is_one_sentence(read: _Read) -> bool:
    text = read.words.strip()
    return text.endswith(".") and len(text) <= LONGEST_TEXT and re.search(r"[.!?]\s+[A-Z]", text) is None


def _is_in_own_words(read: _Read) -> bool:
    return plain(read.words).text.strip(" .").lower() != plain(read.quote).text.strip(" .").lower()


def _says_what_is_quoted(read: _Read) -> bool:
    said = read.candidate
    names_all = set(diagnoses(read.words)) == set(said.diagnoses)
    numbers = {hit[1] for hit in _NUMBER.finditer(read.words)}
    return (
        names_all
        and _names_finding(said, read.words)
        and not denies(read.words)
        and numbers <= {hit[1] for hit in _NUMBER.finditer(read.quote)}
    )


_CHECKS: Mapping[str, Callable[[_Read], bool]] = {
    "unknown diagnosis": _has_known_diagnoses,
    "neither a variable nor a sign": _has_variable_or_sign,
    "unknown variable": _has_known_variable,
    "unknown level": _has_known_level,
    "quote too short or too long": _has_quote_of_fair_length,
    "diagnosis not in the quote": _quotes_diagnoses,
    "finding not in the quote": _quotes_finding,
    "threshold not in the quote": _quotes_threshold,
    "denied by the quote": _is_not_denied,
    "sign is a variable, a diagnosis or too long": _has_sign_of_its_own,
    "text is not one short sentence": _is_one_sentence,
    "text only repeats the quote": _is_in_own_words,
    "text does not say what the quote says": _says_what_is_quoted,
}
"""What must hold of a candidate whose quote was found, in the order of the checks."""


def _names_finding(said: Candidate, text: str) -> bool:
    """Whether a text tells the variable at its level, or the words of the sign, undenied."""
    if said.variable is not None:
        return any(said.variable in state.variables and state.level == said.level for state in states(text))
    found = find_mentions(plain(text).text, {plain(american(str(said.sign))).text: "sign"})
    return any(mention.status not in ("negated", "family") for mention in found)


def _values(variable: str, number: re.Match[str]) -> Iterator[float]:
    """What a number may be in the variable's own unit: as it stands, or converted from the unit beside it."""
    value, unit = float(number[1]), number[2].rstrip(".")
    try:
        yield convert(variable, value, unit) if unit else value
    except UnknownTermError:
        if "/" not in unit:
            yield value
