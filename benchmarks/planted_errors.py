"""Planted errors: one number, level, side, drug or negation of a true claim is flipped; how many are caught?

Claims are those of the labelled sets that annotator and checker both call supported. A flip is caught if the
checker no longer calls the claim supported. Numbers behind "above", "at least" and the like are left alone,
for a flipped one may still be true.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from clinragen.grounding.accuracy import Label, LabelledCase, judged, labelled_cases

PAIRS = (
    ("high", "low"),
    ("higher", "lower"),
    ("highest", "lowest"),
    ("raised", "lowered"),
    ("elevated", "depressed"),
    ("above", "below"),
    ("rose", "fell"),
    ("rising", "falling"),
    ("rise", "fall"),
    ("climbed", "dropped"),
    ("increased", "decreased"),
    ("peaked", "bottomed"),
    ("first", "last"),
    ("tachycardic", "bradycardic"),
    ("hypertensive", "hypotensive"),
    ("hyperkalemia", "hypokalemia"),
    ("hypernatremia", "hyponatremia"),
    ("leukocytosis", "leukopenia"),
)
LEVELS = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
SIDES = {"left": "right", "right": "left"}
DRUGS = (
    "warfarin",
    "amiodarone",
    "ceftriaxone",
    "insulin",
    "metoprolol",
    "vancomycin",
    "heparin",
    "morphine",
)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)")
_BOUND = re.compile(
    r"\b(?:above|below|over|under|than|least|most|up to|beyond|within|nearly|almost|about|some)\b", re.I
)
_WORD = re.compile(r"[A-Za-z]+")
_AFFIRMED = re.compile(r"\b(is|was|were|are|has been|had been)\b(?! (?:no|not|never)\b)")
_DENIED = re.compile(r"\b(?:no|not|never|without|nor|neither|denies|denied|nil|free of)\b", re.I)


def numbers(claim: str, _: str) -> Iterator[str]:
    """The first number half as large again, or the last, where it is not a bound."""
    for hit in list(_NUMBER.finditer(claim))[:1]:
        if not _BOUND.search(claim[: hit.start()]):
            wrong = f"{float(hit[0]) * 1.5 + 1:.{len(hit[0].partition('.')[2])}f}"
            yield claim[: hit.start()] + wrong + claim[hit.end() :]


def swapped(table: dict[str, str]) -> Callable[[str, str], Iterator[str]]:
    """Each word of the table for its opposite."""

    def flips(claim: str, _: str) -> Iterator[str]:
        for hit in _WORD.finditer(claim):
            if hit[0].lower() in table:
                yield claim[: hit.start()] + table[hit[0].lower()] + claim[hit.end() :]

    return flips


def drugs(claim: str, note: str) -> Iterator[str]:
    """A drug of the claim for one that the note does not hold."""
    for drug in DRUGS:
        if re.search(rf"\b{drug}\b", claim, re.I):
            other = next(each for each in DRUGS if each not in note.lower() and each != drug)
            yield re.sub(rf"\b{drug}\b", other, claim, flags=re.I)


def negations(claim: str, _: str) -> Iterator[str]:
    """A plain statement denied."""
    if not _DENIED.search(claim) and (hit := _AFFIRMED.search(claim)):
        yield f"{claim[: hit.end()]} not{claim[hit.end() :]}"


FLIPS: dict[str, Callable[[str, str], Iterator[str]]] = {
    "number": numbers,
    "level": swapped(LEVELS),
    "side": swapped(SIDES),
    "drug": drugs,
    "negation": negations,
}


def planted(case: LabelledCase, label: Label) -> Iterator[tuple[str, LabelledCase]]:
    """Each flip of one claim, as a case with that label alone."""
    claim = case.rationale[label.start : label.end]
    for kind, flip in FLIPS.items():
        for wrong in flip(claim, case.stay.note):
            text = case.rationale[: label.start] + wrong + case.rationale[label.end :]
            flipped = replace(label, end=label.start + len(wrong))
            yield kind, replace(case, rationale=text, labels=(flipped,))


def main() -> None:
    """Print the share of flips caught, by kind and part of the chart."""
    caught: Counter[tuple[str, str]] = Counter()
    tried: Counter[tuple[str, str]] = Counter()
    for case in (*labelled_cases("development"), *labelled_cases("test")):
        for label, said in judged(case).verdicts:
            if label.verdict == said == "supported":
                for kind, wrong in planted(case, label):
                    ((_, verdict),) = judged(wrong).verdicts
                    tried[label.about, kind] += 1
                    caught[label.about, kind] += verdict != "supported"
    for key, n in sorted(tried.items()):
        print(f"{key[0]:7} {key[1]:9} {caught[key]:4} of {n:4} caught ({caught[key] / n:.1%})")
    print(f"all {caught.total()} of {tried.total()} caught ({caught.total() / tried.total():.1%})")


if __name__ == "__main__":
    main()
