"""What a large model is asked, and how its reply is read. The words are files in `prompts/`."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import findings, sentence
from clinragen.clinical.mentions import find_mentions
from clinragen.endpoint.calls import encodable
from clinragen.endpoint.question import Message
from clinragen.knowledge.base import facts_for
from clinragen.schema import Fact, Part, Stay
from clinragen.teach.asking import PARTS

PROMPT_ID = "told-1"
REPAIR_ID = "repair-1"

_USER = "=== user ===\n"


def messages_for(stay: Stay, facts: Sequence[Fact]) -> list[Message]:
    """The chat that asks about one stay: its diagnoses, findings, note, and the facts these call up."""
    system, _, user = _text(PROMPT_ID).partition(_USER)
    shown = findings(stay.measurements)
    mentions = find_mentions(stay.note, {fact.sign: fact.fact_id for fact in facts if fact.sign})
    relevant = [
        fact
        for fact in facts_for(facts, shown, mentions)
        if not (stay.diagnoses or frozenset()).isdisjoint(fact.diagnoses)
    ]
    filled = Template(user).substitute(
        diagnoses=", ".join(name for name in diagnosis_names() if name in (stay.diagnoses or ())) or "none",
        findings="; ".join(sentence(finding) for finding in shown) or "none",
        facts="\n".join(f"- {fact.text} ({fact.citation})" for fact in relevant) or "none",
        note=stay.note or "(no note)",
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": filled}]


def repair_text() -> str:
    """What is said after a reply that could not be read."""
    return _text(REPAIR_ID)


def read_reply(text: str) -> dict[Part, str] | None:
    """The two texts of a reply, or None; whatever stands around the JSON object is passed over."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        values = json.loads(text[start : end + 1], strict=False)
    except (ValueError, RecursionError):
        return None
    found = {part: values.get(part) for part in PARTS} if isinstance(values, dict) else {}
    texts = {part: " ".join(encodable(said).split()) for part, said in found.items() if isinstance(said, str)}
    return texts if len(texts) == len(PARTS) and all(texts.values()) else None


@cache
def _text(prompt_id: str) -> str:
    return (files("clinragen.teach") / "prompts" / f"{prompt_id}.txt").read_text(encoding="utf-8")
