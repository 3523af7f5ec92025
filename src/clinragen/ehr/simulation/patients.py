"""Which diseases a stay has, and where each of them shows."""

from typing import Literal

from numpy.random import Generator

from clinragen.ehr.simulation.tables import diseases, signatures

Evidence = Literal["note", "series", "both", "neither"]

EVIDENCE_SHARES: dict[Evidence, float] = {"note": 0.35, "series": 0.30, "both": 0.28, "neither": 0.07}
NOTE_ONLY_SHARES: dict[Evidence, float] = {"note": 0.93, "neither": 0.07}
MOST_LIKELY = 0.95


def draw_diagnoses(rng: Generator, chronic: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Draw the diseases of a stay, given those that earlier stays showed to be chronic."""
    draws = rng.random(len(diseases()))
    found: list[str] = []
    for disease, draw in zip(diseases(), draws, strict=True):
        probability = disease.base
        for given, factor in disease.factors:
            if given in found:
                probability *= factor
        if draw < min(probability, MOST_LIKELY) or (disease.name in chronic and probability > 0):
            found.append(disease.name)
    return tuple(found)


def draw_evidence(rng: Generator, diagnosis: str) -> Evidence:
    """Draw where a disease shows; one without a specific series sign shows in the note or nowhere."""
    shares = EVIDENCE_SHARES if signatures()[diagnosis] else NOTE_ONLY_SHARES
    draw = rng.random()
    for place, share in shares.items():
        draw -= share
        if draw < 0:
            return place
    return "neither"


def chronic_of(diagnoses: tuple[str, ...]) -> frozenset[str]:
    """Those of a patient's diseases that a later stay still has."""
    return frozenset(
        disease.name for disease in diseases() if disease.is_chronic and disease.name in diagnoses
    )
