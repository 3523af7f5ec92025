"""How clinicians call variables ("white count") and their levels ("leukocytosis").

Patterns of `words.csv` in lower case match any case; those with a capital match exactly as written, so
that "K" or "Cr" are never found inside prose. `A+B` names both variables, `A|B` the first one measured.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

WordLevel = Literal["low", "normal", "high", "not high"]

# A variable's name before these words is a treatment, not a measurement.
_TREATMENT = (
    r"(?!\s+(?:transfus|infus|drip|repletion|replacement|supplement|therapy|tablet|binder|control|pills|"
    r"products|chloride|bicarbonate|gluconate|sulfate|cultures?\b|pressure (?:control|support|medic)))"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One row of the table: the variables meant, whether all of them or the first measured, and a level."""

    variables: tuple[str, ...]
    is_joint: bool
    level: WordLevel | None


@dataclass(frozen=True, slots=True)
class Mention:
    """A word found in a text, as `text[start:end]`."""

    word: Word
    start: int
    end: int


def mentions(text: str) -> list[Mention]:
    """The variables and clinical level words a text names, in order; the longest name wins."""
    pattern, words = _finder()
    return [Mention(words[hit.lastindex - 1], *hit.span()) for hit in pattern.finditer(text) if hit.lastindex]


@cache
def _finder() -> tuple[re.Pattern[str], tuple[Word, ...]]:
    with (files("clinragen.clinical") / "words.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    branches = [(branch, _word(row)) for row in rows for branch in _branches(row["pattern"])]
    branches.sort(key=lambda pair: -len(pair[0]))
    joined = "|".join(
        f"({branch})" if re.search("[A-Z]", branch) else f"((?i:{branch}))" for branch, _ in branches
    )
    return re.compile(rf"\b(?:{joined})(?!\w){_TREATMENT}"), tuple(word for _, word in branches)


def _branches(pattern: str) -> list[str]:
    """The alternatives of a pattern outside its brackets."""
    found, depth = [""], 0
    for char in pattern:
        depth += (char == "(") - (char == ")")
        if char == "|" and not depth:
            found.append("")
        else:
            found[-1] += char
    return found


def _word(row: dict[str, str]) -> Word:
    is_joint = "+" in row["variables"]
    names = tuple(row["variables"].split("+" if is_joint else "|"))
    return Word(names, is_joint, row["level"] or None)  # type: ignore[arg-type]
