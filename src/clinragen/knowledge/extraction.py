"""A teacher reads documents and gives facts, each with the words it read them from; all are checked."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from string import Template
from typing import Any

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.variables import variables
from clinragen.knowledge.candidates import judged
from clinragen.knowledge.imported import Imported, Rejected
from clinragen.knowledge.passages import Passage, can_yield, passages
from clinragen.knowledge.quotes import Plain, plain
from clinragen.schema import Document, Fact

PROMPT_ID, REPAIR_ID = "extract-1", "repair-1"

Chat = tuple[dict[str, str], ...]
Ask = Callable[[Sequence[Chat]], Sequence[str]]
"""A teacher: a reply to each chat, in order; "" where it gave none."""

_USER = "=== user ===\n"


def extract(documents: Iterable[Document], ask: Ask) -> Imported:
    """Have a teacher read every passage that names a label; keep the facts whose quotes hold.

    What is rejected is kept with its reason: a reply that cannot be read, or a fact that failed a check.
    """
    cut = [passage for document in documents for passage in passages(document)]
    asked = [passage for passage in cut if can_yield(passage)]
    replies = ask([chat_about(passage) for passage in asked])
    facts: list[Fact] = []
    rejected: list[Rejected] = []
    for passage, reply in zip(asked, replies, strict=True):
        for found in _found(passage, reply):
            (facts if isinstance(found, Fact) else rejected).append(found)  # type: ignore[arg-type]
    counts = Counter(
        {"passages": len(cut), "passages asked about": len(asked), "facts extracted": len(facts)}
    )
    return Imported(facts=tuple(facts), rejected=tuple(rejected), counts=counts)


def chat_about(passage: Passage) -> Chat:
    """The chat that asks for the facts of one passage."""
    system, _, user = prompt(PROMPT_ID).partition(_USER)
    units = ", ".join(f"{each.name} ({each.unit})" for each in variables().values())
    told = Template(system).substitute(diagnoses=", ".join(diagnosis_names()), variables=units)
    shown = Template(user).substitute(title=passage.document.title, passage=passage.text)
    return {"role": "system", "content": told}, {"role": "user", "content": shown}


@cache
def prompt(prompt_id: str) -> str:
    """The words of a prompt; a changed prompt is a new file with a new number."""
    return (files("clinragen.knowledge") / "prompts" / f"{prompt_id}.txt").read_text(encoding="utf-8")


def read_reply(reply: str) -> list[Any] | None:
    """The candidates of a reply, or None; whatever stands around the JSON object is passed over."""
    start, end = reply.find("{"), reply.rfind("}")
    try:
        values = json.loads(reply[start : end + 1], strict=False) if 0 <= start < end else None
    except (ValueError, RecursionError):
        return None
    found = values.get("facts") if isinstance(values, dict) else None
    return found if isinstance(found, list) else None


def schema() -> Mapping[str, Any]:
    """The JSON schema of a reply, for endpoints that hold a model to one."""
    number, text = {"type": ["number", "null"]}, {"type": "string"}
    properties: dict[str, Any] = {
        "text": text,
        "diagnoses": {"type": "array", "items": {"type": "string", "enum": list(diagnosis_names())}},
        "variable": {"type": ["string", "null"], "enum": [*variables(), None]},
        "level": {"type": ["string", "null"], "enum": ["low", "high", None]},
        "threshold": number,
        "sign": {"type": ["string", "null"]},
        "quote": text,
    }
    fact = {"properties": properties, "required": list(properties)}
    facts = {"type": "array", "items": {"type": "object", "additionalProperties": False, **fact}}
    return {
        "type": "object",
        "properties": {"facts": facts},
        "required": ["facts"],
        "additionalProperties": False,
    }


def _found(passage: Passage, reply: str) -> Iterator[Fact | Rejected]:
    source, document_id = passage.document.source, passage.document.document_id
    candidates = read_reply(reply)
    if candidates is None:
        yield Rejected(source, document_id, "reply cannot be read", {"start": passage.start, "reply": reply})
        return
    for values in candidates:
        verdict = judged(values, passage, _plain(passage.document.text))
        if isinstance(verdict, Fact):
            yield verdict
        else:
            yield Rejected(source, document_id, verdict, {"start": passage.start, "fact": values})


@lru_cache(maxsize=2)
def _plain(text: str) -> Plain:
    return plain(text)
