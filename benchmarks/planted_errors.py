"""Planted errors: one number, level, side, drug or negation of a true claim is flipped; how many are caught?

Claims are those of the labelled sets that annotator and checker both call supported. A flip is caught if the
checker no longer calls what it says of the flipped word supported. Left alone is what may still be true when
flipped: numbers behind a bound ("above", "exceeded"), levels in what is denied ("never tachycardic"), and
"left" where it is a verb. Levels are flipped in claims about the series only.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from clinragen.grounding.accuracy import FILES, Label, LabelledCase, judged, labelled_cases
from clinragen.grounding.claims import check

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
    r"\b(?:above|below|over|under|than|least|most|up to|beyond|within|nearly|almost|about|some|"
    r"exceed\w*|beneath|got to|reach\w*|past|short of)\b",
    re.I,
)
_LEFT_BEHIND = re.compile(r"\b(?:he|she|they|who|was|were|been|be|and|has|have|had)\s+left$", re.I)
_WORD = re.compile(r"[A-Za-z]+")
_AFFIRMED = re.compile(r"\b(is|was|were|are|has been|had been)\b(?! (?:no|not|never)\b)")
_DENIED = re.compile(r"\b(?:no|not|never|without|nor|neither|denies|denied|nil|free of)\b", re.I)


Flip = tuple[int, int, str]
"""From where to where a claim is replaced, and by what."""


def numbers(claim: str, _: str, __: str) -> Iterator[Flip]:
    """The first number half as large again, where it is not a bound."""
    for hit in list(_NUMBER.finditer(claim))[:1]:
        if not _BOUND.search(claim[: hit.start()]):
            yield *hit.span(), f"{float(hit[0]) * 1.5 + 1:.{len(hit[0].partition('.')[2])}f}"


def levels(claim: str, about: str, _: str) -> Iterator[Flip]:
    """Each level, direction or place for its opposite."""
    for hit in _WORD.finditer(claim):
        if about == "series" and hit[0].lower() in LEVELS and not _DENIED.search(claim):
            yield *hit.span(), LEVELS[hit[0].lower()]


def sides(claim: str, _: str, __: str) -> Iterator[Flip]:
    """Left for right."""
    for hit in _WORD.finditer(claim):
        if hit[0].lower() in SIDES and not _LEFT_BEHIND.search(claim[: hit.end()]):
            yield *hit.span(), SIDES[hit[0].lower()]


def drugs(claim: str, _: str, note: str) -> Iterator[Flip]:
    """A drug of the claim for one that the note does not hold."""
    for drug in DRUGS:
        if hit := re.search(rf"\b{drug}\b", claim, re.I):
            yield *hit.span(), next(each for each in DRUGS if each not in note.lower() and each != drug)


def negations(claim: str, _: str, __: str) -> Iterator[Flip]:
    """A plain statement denied."""
    if not _DENIED.search(claim) and (hit := _AFFIRMED.search(claim)):
        yield hit.end(), hit.end(), " not"


FLIPS: dict[str, Callable[[str, str, str], Iterator[Flip]]] = {
    "number": numbers,
    "level": levels,
    "side": sides,
    "drug": drugs,
    "negation": negations,
}


def planted(case: LabelledCase, label: Label) -> Iterator[tuple[str, bool]]:
    """The kind of each flip of one claim, and whether the checker catches it."""
    claim = case.rationale[label.start : label.end]
    for kind, flip in FLIPS.items():
        for start, end, wrong in flip(claim, label.about, case.stay.note):
            at = label.start + start
            text = case.rationale[:at] + wrong + case.rationale[label.start + end :]
            said = [each for each in check(text, case.stay) if each.start < at + len(wrong) and at < each.end]
            yield kind, not any(each.verdict == "supported" for each in said)


def main() -> None:
    """Print the share of flips caught, by kind and part of the chart."""
    caught: Counter[tuple[str, str]] = Counter()
    tried: Counter[tuple[str, str]] = Counter()
    for case in (case for part in FILES for case in labelled_cases(part)):
        for label, said in judged(case).verdicts:
            if label.verdict == said == "supported":
                for kind, is_caught in planted(case, label):
                    tried[label.about, kind] += 1
                    caught[label.about, kind] += is_caught
    for key, n in sorted(tried.items()):
        print(f"{key[0]:7} {key[1]:9} {caught[key]:4} of {n:4} caught ({caught[key] / n:.1%})")
    print(f"all {caught.total()} of {tried.total()} caught ({caught.total() / tried.total():.1%})")


if __name__ == "__main__":
    main()
