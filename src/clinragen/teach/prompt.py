"""What a large model is asked. The words are files in `prompts/`: a changed prompt is a new file.

A told prompt names the diagnoses the stay was coded with, as the paper does; a blind one does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import findings, sentence
from clinragen.clinical.mentions import find_mentions
from clinragen.clinical.paper_series import anomalies
from clinragen.endpoint.question import Message
from clinragen.knowledge.base import facts_for
from clinragen.labels import per_labels
from clinragen.schema import Fact, Finding, Stay

_REPAIR = "repair-2"
_USER = "=== user ===\n"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as its file gives it: what is said of the task, and how a stay is shown."""

    prompt_id: str
    system: str
    user: str

    @property
    def is_blind(self) -> bool:
        """Whether it asks for the diagnoses instead of telling them."""
        return self.prompt_id.startswith("blind")


@per_labels
def prompt(prompt_id: str) -> Prompt:
    """The prompt of this name and version."""
    system, _, user = _text(prompt_id).partition(_USER)
    return Prompt(prompt_id, Template(system).safe_substitute(labels=", ".join(diagnosis_names())), user)


def messages_for(stay: Stay, facts: Sequence[Fact], asked: Prompt) -> list[Message]:
    """The chat that asks about one stay: its findings, its note, and the facts these call up."""
    shown = findings(stay.measurements)
    coded = stay.diagnoses or frozenset()
    possible = [fact for fact in facts if asked.is_blind or not coded.isdisjoint(fact.diagnoses)]
    relevant = facts_for(possible, shown, find_mentions(stay.note, _signs(tuple(facts))))
    filled = Template(asked.user).substitute(
        diagnoses=", ".join(name for name in diagnosis_names() if name in coded) or "none",
        findings="; ".join(sentence(finding) for finding in shown) or "none",
        anomalies=anomalies(stay),
        values="\n".join(f"- {_with_values(finding, stay)}" for finding in shown) or "none",
        facts="\n".join(f"- {fact.text} ({fact.citation})" for fact in relevant) or "none",
        note=stay.note or "(no note)",
    )
    return [{"role": "system", "content": asked.system}, {"role": "user", "content": filled}]


def repair_text() -> str:
    """What is said after a reply that could not be read."""
    return _text(_REPAIR).strip()


def _with_values(finding: Finding, stay: Stay) -> str:
    """A finding with the numbers behind it: the worst value and its hour, the first, the last, the range."""
    hour = (finding.when - stay.start).total_seconds() / 3600
    which = {"high": "highest", "low": "lowest", "normal": "last"}[finding.level]
    numbers = [f"{which} {finding.extreme:g} {finding.unit} at hour {hour:.0f}"]
    if finding.measured > 1:
        numbers += [f"first {finding.first:g}, last {finding.last:g}", f"{finding.measured} values"]
    return f"{sentence(finding)} ({'; '.join(numbers)}; {_range(finding)})"


def _range(finding: Finding) -> str:
    if finding.low is None or finding.high is None:
        return f"range up to {finding.high:g}" if finding.high is not None else f"range from {finding.low:g}"
    return f"range {finding.low:g} to {finding.high:g}"


@cache
def _signs(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {fact.sign: fact.fact_id for fact in facts if fact.sign}


@cache
def _text(prompt_id: str) -> str:
    return (files("clinragen.teach") / "prompts" / f"{prompt_id}.txt").read_text(encoding="utf-8")
