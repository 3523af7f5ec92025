"""Sentences and clauses of a rationale, with exact character spans."""

import re
from dataclasses import dataclass

_VERB = (
    r"(?:is|are|was|were|be|has|had|have|does|did|do|can|could|may|might|will|would|should|must|rose|rises|fell|"
    r"falls|stays|runs|ran|remains|came|comes|went|goes|kept|keeps|began|grew|shrank|swung|hit|got|gets|"
    r"drops|climbs|peaks|climbing|increases|decreases|declines|improves|worsens|normali[sz]es|fluctuates|"
    r"carries|takes|took|lives|uses|denies|reports|presents|shows|showed|confirms?|reads|indicates?|"
    r"suggests?|supports?|points?|means|makes|made|drinks|drank|smokes|held|felt|found|gave|given|left|saw|"
    r"seen|lost|said|told|underwent|needs?|wears?|receives?|states?|appears?|seems?|looks?|bled|accounts?|"
    r"drives?|explains?|reaches|exceeds?|begins?|starts?|becomes?|became|leapt|sank|stood|stands|spiked|"
    r"[a-z]{2,}ed)"
)
_SENTENCE_END = re.compile(
    r"(?<![\s(][A-Z])(?<!\bDr)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)[.!?]+[\"')]*\s+(?=[^a-z\s])|\n+|;\s+"
)
_HAS_VERB = re.compile(rf"\b{_VERB}\b", re.I)
_INFERENCE = (
    r"(?:which|a sign|a picture|suggest(?:s|ing|ive)|indicat(?:es|ing)|indicative|consistent with|"
    r"(?:is|are) consistent with|in keeping with|point(?:s|ing) to|reflecting|supporting|compatible with|"
    r"as (?:expected|seen) (?:from|in|with))\b"
)
_OPENER = re.compile(_INFERENCE, re.I)
_CUT = re.compile(
    rf",?\s+(?={_INFERENCE}|(?:while|whereas|although|though|because|and|but|yet)\s)|,\s+(?=(?:as|since|so)\s)|"
    r"\s+[–—]\s+|,\s+(?=(?!and\b|but\b)(?:\w+\s+){1,4}(?:is|are|was|were|stays|runs|remains|rose|fell)\b)",
    re.I,
)
_NEW_SUBJECT = re.compile(
    rf"(?:(?:and|but|yet|while|whereas|although|though|because|as|since|so)\s+)?+(?!{_VERB}\b|(?:ris|fall|climb|increas|decreas|declin|improv|worsen|dropp|trend|reach|peak|requir|be)ing\b)(?:[\w'.()/-]+\s+){{1,6}}?{_VERB}\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """`text` is the rationale from `start` to `end`; clauses of one sentence share its number."""

    text: str
    start: int
    end: int
    sentence: int


def clauses(text: str) -> list[Clause]:
    """The clauses of a text in order; between them lie only separators."""
    found = []
    for number, (start, end) in enumerate(_pieces(text)):
        for a, b in _split(text, start, end):
            if trimmed := _trim(text, a, b):
                found.append(Clause(text[trimmed[0] : trimmed[1]], *trimmed, number))
    return found


def _pieces(text: str) -> list[tuple[int, int]]:
    ends = [hit.end() for hit in _SENTENCE_END.finditer(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True))


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    edges = [start]
    for cut in (hit.end() for hit in _CUT.finditer(text, start, end)):
        if _is_statement(text[edges[-1] : cut]) and _starts_anew(text[cut:end]):
            edges.append(cut)
    return list(zip(edges, [*edges[1:], end], strict=True))


def _is_statement(left: str) -> bool:
    return _HAS_VERB.search(left) is not None


def _starts_anew(right: str) -> bool:
    """Whether what follows says something of its own: an inference, or a new subject with its verb."""
    return bool(_OPENER.match(right) or _NEW_SUBJECT.match(right))


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start] in " \n\t,;":
        start += 1
    while start < end and text[end - 1] in " \n\t,;.!?":
        end -= 1
    return (start, end) if start < end else None
