"""The fact behind an inference: the chart cannot decide "which suggests sepsis", knowledge can back it."""

from dataclasses import replace

from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.inference import FactIndex, index_facts, supporting
from clinragen.labels import per_labels
from clinragen.schema import Claim

BACKED = "an inference that a fact backs"


def with_fact(claim: Claim, sentence: str, facts: FactIndex) -> Claim:
    """An unverifiable claim of the note with the fact that backs its sentence as evidence, if one does.

    The verdict stays: a fact is true of medicine, not of this patient.
    """
    if claim.about != "note" or claim.verdict != "unverifiable":
        return claim
    found = supporting(sentence, facts)
    if not found:
        return claim
    told = f"fact {found[0].fact_id}: {found[0].text} ({found[0].citation})"
    return replace(claim, evidence=(told,), reason=BACKED)


@per_labels
def curated_index() -> FactIndex:
    """The facts that come with the package, indexed once."""
    return index_facts(curated_facts())
