"""The facts that bear on one case file, with scores and citations: `clinragen facts`."""

from pathlib import Path
from typing import Any

from clinragen.case import read_case
from clinragen.knowledge.base import curated_facts
from clinragen.knowledge.retrieval import retrieve, retriever
from clinragen.schema import Fact
from clinragen.store import read_nouns


def facts_of_case(path: Path, run: Path | None, top: int) -> dict[str, Any]:
    """The facts of a run's base, or of the curated one, that bear most on a case file."""
    stay, _ = read_case(path)
    facts = curated_facts() if run is None else read_nouns(run / "knowledge" / "facts.jsonl", Fact)
    return {
        "case_id": stay.stay_id,
        "facts": [
            {
                "score": score,
                "by": by,
                "fact_id": fact.fact_id,
                "text": fact.text,
                "diagnoses": fact.diagnoses,
                "citation": fact.citation,
                "licence": fact.licence,
            }
            for fact, score, by in retrieve(stay, retriever(facts), top)
        ],
    }
