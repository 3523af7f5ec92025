"""The checker of a run: the facts it may cite, and the entailment model that helps it, if there is one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from clinragen.grounding.backing import curated_index
from clinragen.grounding.claims import check
from clinragen.grounding.entailment import Entailment
from clinragen.grounding.entailment_model import load, model_folder
from clinragen.knowledge.inference import FactIndex, index_facts
from clinragen.recipe import Grounding
from clinragen.schema import Claim, Fact, Stay
from clinragen.store import MANIFEST, read_json, read_nouns

RULES_ONLY = "rules only"


@dataclass(frozen=True, slots=True)
class Checker:
    """What claims are checked with, built once and passed to whoever checks; plain, it is `check` itself.

    It holds a loaded model, so it does not travel between processes: a worker builds its own.
    """

    facts: FactIndex = field(default_factory=curated_index)
    entailment: Entailment | None = None

    def check(self, text: str, stay: Stay) -> tuple[Claim, ...]:
        """Check every clause of a rationale against the stay; see `clinragen.grounding.claims.check`."""
        return check(text, stay, self.facts, self.entailment)

    @property
    def name(self) -> str:
        """What decides, for a report: the rules only, or a model beside them."""
        return RULES_ONLY if self.entailment is None else f"rules, and {self.entailment.name}"

    @property
    def of_rules(self) -> "Checker":
        """The same without its model, for where only claims about the series count."""
        return replace(self, entailment=None)


def checker_of(facts: Iterable[Fact], settings: Grounding) -> Checker:
    """The checker that cites these facts; raises CheckerError where the model named cannot be used."""
    return Checker(index_facts(facts), entailment_of(settings))


def checker_of_run(settings: Grounding, run: Path) -> Checker:
    """The checker that cites the facts of a run's knowledge base, imported ones included."""
    return checker_of(read_nouns(run / "knowledge" / "facts.jsonl", Fact), settings)


def entailment_of(settings: Grounding) -> Entailment | None:
    """The entailment model that the settings name, or None where they name none."""
    return Entailment(load(settings.model), settings.threshold) if settings.model else None


def check_that_model_is_there(settings: Grounding) -> None:
    """Raise CheckerError before any work is done where the model named is none; nothing is loaded."""
    if settings.model:
        model_folder(settings.model)


def settings_of_run(run: Path) -> Grounding:
    """How a run was checked, as its evaluation tells, or else its teacher; by rules where neither does."""
    for step in ("evaluate", "teach"):
        path = run / step / MANIFEST
        if path.exists() and (kept := read_json(path)["recipe"].get("grounding")):
            return Grounding.model_validate(kept)
    return Grounding()
