"""How clinicians call variables ("white count") and their levels ("leukocytosis").

Patterns of `words.csv` in lower case match any case; those with a capital match exactly as written, so
that "K" or "Cr" are never found inside prose. `A+B` names both variables, `A|B` the first one measured.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

WordLevel = Literal["low", "normal", "high", "not high"]

# A variable's name before these words is a treatment, not a measurement.
_TREATMENT = (
    r"(?!\s+(?:transfus|infus|drip|repletion|replacement|supplement|therapy|tablet|binder|control|pills|"
    r"protocol|blanket|regimen|supplements|tablets|challenge|"
    r"products|chloride|bicarbonate|gluconate|sulfate|cultures?\b|pressure (?:control|support|medic)))"
)

_WORD_START = re.compile(r"\b[A-Za-z]")


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


@lru_cache(maxsize=1 << 14)
def mentions(text: str) -> tuple[Mention, ...]:
    """The variables and clinical level words a text names, in order; the longest name wins."""
    finders, found, end = _finders(), [], 0
    for start in _WORD_START.finditer(text):
        finder = finders.get(start[0])
        if finder is None or start.start() < end:
            continue
        pattern, words = finder
        hit = pattern.match(text, start.start())
        if hit and hit.lastindex:
            end = hit.end()
            found.append(Mention(words[hit.lastindex - 1], hit.start(), end))
    return tuple(found)


@cache
def _finders() -> dict[str, tuple[re.Pattern[str], tuple[Word, ...]]]:
    """For every first letter the names that begin with it: one search for all of them is ten times slower."""
    with (files("clinragen.clinical") / "words.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    branches = [(branch, _word(row)) for row in rows for branch in _branches(row["pattern"])]
    branches.sort(key=lambda pair: -len(pair[0]))
    by_letter: dict[str, list[tuple[str, Word]]] = {}
    for branch, word in branches:
        for letter in _first_letters(branch):
            by_letter.setdefault(letter, []).append((branch, word))
    return {
        letter: (_compiled(pairs), tuple(word for _, word in pairs)) for letter, pairs in by_letter.items()
    }


def _compiled(pairs: list[tuple[str, Word]]) -> re.Pattern[str]:
    joined = "|".join(f"({branch})" if _is_exact(branch) else f"((?i:{branch}))" for branch, _ in pairs)
    return re.compile(rf"(?:{joined})(?:s|['’]s)?(?!\w){_TREATMENT}")


def _first_letters(branch: str) -> set[str]:
    """Patterns begin with a letter or a set of letters such as [Mm]."""
    letters = branch[1 : branch.index("]")] if branch[0] == "[" else branch[0]
    return set(letters) if _is_exact(branch) else set(letters.lower() + letters.upper())


def _is_exact(branch: str) -> bool:
    return re.search("[A-Z]", branch) is not None


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
