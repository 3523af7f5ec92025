"""The step `knowledge`: the facts a run may use, checked and written where the student finds them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clinragen.knowledge.base import curated_facts, facts_per_diagnosis, validate
from clinragen.recipe import Recipe
from clinragen.store import write_nouns

SOURCES_OF_FACTS = {"curated": curated_facts}


def run(recipe: Recipe, run: Path, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Write `knowledge/facts.jsonl` and return the counts; raise KnowledgeError where a label lacks facts."""
    facts = SOURCES_OF_FACTS[recipe.knowledge.kind]()
    validate(facts, recipe.knowledge.min_facts)
    write_nouns(run / "knowledge" / "facts.jsonl", facts)
    progress("facts", len(facts), len(facts))
    return {
        "facts": len(facts),
        "series_facts": sum(fact.variable is not None for fact in facts),
        "note_facts": sum(fact.sign is not None for fact in facts),
        "sources": len({fact.citation for fact in facts}),
        "facts_per_diagnosis": facts_per_diagnosis(facts),
    }
