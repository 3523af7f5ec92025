"""The step `knowledge`: the facts a run may use, checked and written where the student finds them."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clinragen.knowledge.base import facts_per_diagnosis, validate
from clinragen.knowledge.documents import IMPORTERS
from clinragen.knowledge.extraction import Ask, extract
from clinragen.knowledge.identity import merged, version
from clinragen.knowledge.imported import Imported, Importing, Rejected
from clinragen.knowledge.queries import queries
from clinragen.knowledge.reader import check_that_folder_may_leave, reader
from clinragen.recipe import Recipe
from clinragen.schema import Document, Fact
from clinragen.store import write_nouns, write_text

FETCHED = ".fetched"


def run(recipe: Recipe, run: Path, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Write `knowledge/`: facts, the documents they quote and what was rejected; return the counts.

    Raises KnowledgeError where a source cannot be read, or a label lacks facts. What was fetched and answered
    by then is kept, so that a rerun goes on from there.
    """
    check_that_folder_may_leave(recipe.knowledge)
    queries(recipe.knowledge)
    cache = Path(recipe.knowledge.cache or Path(recipe.runs) / FETCHED)
    importing = Importing(recipe.knowledge, cache, progress)
    ask = reader(recipe.knowledge, run / "knowledge" / "ledger.sqlite", progress)
    found = {str(name): imported(name, importing, ask) for name in recipe.knowledge.sources}
    facts = merged(fact for each in found.values() for fact in each.facts)
    validate(facts, recipe.knowledge.min_facts)
    write(run / "knowledge", facts, found.values())
    progress("facts", len(facts), len(facts))
    return counts(facts, found)


def imported(source: str, importing: Importing, ask: Ask) -> Imported:
    """All that one source gives: its documents are read by the teacher."""
    found = IMPORTERS[source](importing)
    if not found.documents:
        return found
    read = extract(found.documents, ask)
    return Imported(
        documents=found.documents,
        quoted=(*found.quoted, *found.documents),
        facts=(*found.facts, *read.facts),
        rejected=(*found.rejected, *read.rejected),
        counts=found.counts + read.counts,
    )


def write(folder: Path, facts: Iterable[Fact], found: Iterable[Imported]) -> None:
    """Write facts.jsonl, documents.jsonl and rejected.jsonl; the documents are all that were read."""
    found = list(found)
    rejected = [asdict(each) for one in found for each in one.rejected]
    documents: list[Document] = [document for one in found for document in one.quoted]
    write_nouns(folder / "facts.jsonl", facts)
    write_nouns(folder / "documents.jsonl", documents)
    lines = [json.dumps(each, ensure_ascii=False) + "\n" for each in rejected]
    write_text(folder / "rejected.jsonl", "".join(lines))


def counts(facts: tuple[Fact, ...], found: dict[str, Imported]) -> dict[str, Any]:
    """What the manifest tells of the base: its version, its size, and for each source what became of it."""
    return {
        "version": version(facts),
        "facts": len(facts),
        "series_facts": sum(fact.variable is not None for fact in facts),
        "note_facts": sum(fact.sign is not None for fact in facts),
        "sources": len({fact.citation for fact in facts}),
        "facts_per_diagnosis": facts_per_diagnosis(facts),
        "imported": {name: _of_source(each) for name, each in found.items()},
    }


def _of_source(found: Imported) -> dict[str, Any]:
    return {
        "documents": len(found.quoted),
        "facts": len(found.facts),
        "rejected": _by_reason(found.rejected),
        **{what: count for what, count in sorted(found.counts.items()) if count},
    }


def _by_reason(rejected: Iterable[Rejected]) -> dict[str, int]:
    return dict(sorted(Counter(each.reason.split(":")[0] for each in rejected).items()))
