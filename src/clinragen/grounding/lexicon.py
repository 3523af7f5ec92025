"""The words with which a text speaks of a series: levels, scopes, places, trends, extremes, severities.

They stand in `series_words.csv` as (kind, meaning, pattern); the leftmost match counts, and on a tie the
earlier row. What makes a clause one for the note, or a remark, stands in `clause_cues.csv`.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic, Literal, TypeVar

from clinragen.clinical.severity import Severity

SaidLevel = Literal["high", "low", "normal", "abnormal"]
Scope = Literal["all", "most", "any", "none", "first", "second", "third", "middle", "penultimate", "last"]
SaidTrend = Literal[
    "rising", "falling", "stable", "fluctuating", "normalised", "improved", "recovered", "worsened"
]
Extreme = Literal["highest", "lowest", "worst"]
Said = TypeVar("Said")
SAMPLES = (
    r"(?:samples?|values?|measurements?|readings?|recordings?|checks?|counts?|draws?|results?|gas(?:es)?|"
    r"occasions?|specimens?|tests?|determinations?|levels?|figures?|points?|times?|ones|panels?|assays?|"
    r"numbers?|observations?|entries)"
)
"""What a single measurement may be called, as a pattern."""


@dataclass(frozen=True, slots=True)
class Lexicon(Generic[Said]):
    """Patterns compiled into one, and what each of them means."""

    pattern: re.Pattern[str]
    meanings: tuple[Said, ...]

    def find(self, text: str, start: int = 0) -> tuple[Said, int] | None:
        """The meaning and place of the first word found, or None."""
        hit = self.pattern.search(text, start)
        return (self.meanings[hit.lastindex - 1], hit.start()) if hit and hit.lastindex else None

    def find_all(self, text: str) -> Iterator[tuple[Said, int, int]]:
        """The meaning and span of every word found, in order."""
        for hit in self.pattern.finditer(text):
            if hit.lastindex:
                yield self.meanings[hit.lastindex - 1], hit.start(), hit.end()


def _lexicon(*kinds: str) -> Lexicon[Any]:
    """One group for every run of rows of one meaning: inside a group a wrong first letter costs nothing."""
    with (files("clinragen.grounding") / "series_words.csv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["kind"] in kinds]
    runs = [(meaning, list(run)) for meaning, run in groupby(rows, key=itemgetter("meaning"))]
    groups = "|".join("(" + "|".join(row["pattern"] for row in run) + ")" for _, run in runs)
    return Lexicon(re.compile(rf"\b(?:{groups})\b"), tuple(meaning for meaning, _ in runs))


def cues(kind: str) -> str:
    """The cues of one kind in `clause_cues.csv` as alternatives of one pattern."""
    with (files("clinragen.grounding") / "clause_cues.csv").open(encoding="utf-8") as table:
        return "|".join(row["pattern"] for row in csv.DictReader(table) if row["kind"] == kind)


LEVELS: Lexicon[SaidLevel] = _lexicon("level")
SCOPES: Lexicon[Scope] = _lexicon("scope", "place")
PLACES: Lexicon[Scope] = _lexicon("place")
TRENDS: Lexicon[SaidTrend] = _lexicon("trend")
EXTREMES: Lexicon[Extreme] = _lexicon("extreme")
SEVERITIES: Lexicon[Severity] = _lexicon("severity")
