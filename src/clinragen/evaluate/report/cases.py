"""Worked cases: one stay with its note, its series, what the student wrote, and what the chart says of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clinragen.clinical.answer import parse_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import findings, sentence
from clinragen.clinical.mentions import find_mentions, label_phrases, sign_phrases
from clinragen.evaluate.rationale import PARTS
from clinragen.evaluate.report import plots
from clinragen.evaluate.report.context import Case, UsedFact
from clinragen.schema import Claim, Stay

CLAIM_MARKS = {"supported": "✓", "contradicted": "✗", "unverifiable": "?"}
LEAST_SHOWN = 0.05


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, marked as `kind` with a sign and an explanation, or plain."""

    text: str
    kind: str = ""
    sign: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability of one label, whether the text names it and whether it was coded."""

    name: str
    probability: float
    is_named: bool
    is_coded: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as the templates show it."""

    title: str
    about: str
    note: Sequence[Piece]
    plot: str
    findings: Sequence[str]
    answer: str
    coded: str
    is_unparsed: bool
    written: str
    rationale: dict[str, Sequence[Piece]]
    chances: Sequence[Chance]
    facts: Sequence[UsedFact]


def case_view(case: Case) -> CaseView:
    """Everything a template needs of a case."""
    stay, named = case.stay, parse_answer(case.prediction.text).diagnoses
    return CaseView(
        title=stay.stay_id,
        about=_about(stay),
        note=note_pieces(stay.note),
        plot=plots.series_of(stay),
        findings=[sentence(each) for each in findings(stay.measurements) if each.level != "normal"],
        answer="" if named is None else _listed(named),
        coded="not known" if stay.diagnoses is None else _listed(stay.diagnoses),
        is_unparsed=named is None,
        written=case.prediction.text,
        rationale={part: claim_pieces(case.checked.texts[part], case.checked.claims[part]) for part in PARTS},
        chances=chances(case, named or frozenset()),
        facts=case.facts,
    )


def claim_pieces(text: str, claims: Sequence[Claim]) -> list[Piece]:
    """A text cut at its claims, each with its verdict, its evidence and the reason."""
    return _cut(text, [(claim.start, claim.end, _claim_piece(claim)) for claim in claims])


def note_pieces(note: str) -> list[Piece]:
    """A note with what it says of the labels: present mentions, and others with their status."""
    found = find_mentions(note, {**sign_phrases(), **label_phrases()})
    return _cut(
        note,
        [
            (
                each.start,
                each.end,
                Piece(
                    each.text,
                    "present" if each.status == "present" else "other",
                    "" if each.status == "present" else f"({each.status})",
                    f"{each.concept}: {each.status}",
                ),
            )
            for each in found
        ],
    )


def chances(case: Case, named: Iterable[str]) -> list[Chance]:
    """The labels that are likely, named or coded, the likeliest first."""
    coded, said = case.stay.diagnoses or frozenset(), set(named)
    rows = [
        Chance(name, case.prediction.probabilities[name], name in said, name in coded)
        for name in diagnosis_names()
    ]
    shown = [row for row in rows if row.probability >= LEAST_SHOWN or row.is_named or row.is_coded]
    return sorted(shown, key=lambda row: -row.probability)


def _claim_piece(claim: Claim) -> Piece:
    told = "; ".join((f"{claim.verdict}: {claim.reason}", *claim.evidence))
    return Piece(claim.text, claim.verdict, CLAIM_MARKS[claim.verdict], told)


def _cut(text: str, marked: Sequence[tuple[int, int, Piece]]) -> list[Piece]:
    """The whole text in pieces, the marked ones in their places."""
    pieces, done = [], 0
    for start, end, piece in sorted(marked, key=lambda each: each[0]):
        pieces += [Piece(text[done:start]), Piece(text[start:end], piece.kind, piece.sign, piece.title)]
        done = end
    return [piece for piece in (*pieces, Piece(text[done:])) if piece.text]


def _about(stay: Stay) -> str:
    age = "age unknown" if stay.age is None else f"{stay.age:.0f} years"
    hours = (stay.prediction_time - stay.start).total_seconds() / 3600
    note = (
        "no note"
        if not stay.note
        else "note composed from charted facts"
        if stay.note_is_composed
        else "note"
    )
    measured = f"{len(stay.measurements)} measurements in {hours:.0f} hours"
    return f"{stay.sex or 'sex unknown'}, {age}; {note}; {measured}"


def _listed(names: Iterable[str]) -> str:
    chosen = set(names)
    return ", ".join(name for name in diagnosis_names() if name in chosen) or "none of the labels"
