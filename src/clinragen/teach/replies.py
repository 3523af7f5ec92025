"""How a large model's reply is read, and the shape it is asked for."""

import json
from typing import Any

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.endpoint.completions import encodable
from clinragen.schema import Part
from clinragen.teach.asking import PARTS
from clinragen.teach.prompt import Prompt


def schema_of(asked: Prompt) -> dict[str, Any]:
    """The JSON schema of a reply to this prompt, for servers that take one."""
    text = {"type": "string"}
    named = {"type": "array", "items": {"type": "string", "enum": list(diagnosis_names())}}
    properties: dict[str, Any] = {"diagnoses": named} if asked.is_blind else {}
    properties.update(dict.fromkeys(PARTS, text))
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def is_readable(text: str, asked: Prompt) -> bool:
    """Whether a reply holds all that the prompt asks for."""
    return read_reply(text) is not None and (not asked.is_blind or read_diagnoses(text) is not None)


def read_reply(text: str) -> dict[Part, str] | None:
    """The two texts of a reply, or None; whatever stands around the JSON object is passed over."""
    found = {part: _object(text).get(part) for part in PARTS}
    texts = {part: " ".join(encodable(said).split()) for part, said in found.items() if isinstance(said, str)}
    return texts if len(texts) == len(PARTS) and all(texts.values()) else None


def read_diagnoses(text: str) -> frozenset[str] | None:
    """The diagnoses a reply names, or None where it names none and does not say so with an empty list.

    Upper case and blanks aside they are read as written; a name that is not in the table is kept, and
    agrees with nothing.
    """
    named = _object(text).get("diagnoses")
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        return None
    known = {name.lower(): name for name in diagnosis_names()}
    plain = (" ".join(encodable(name).lower().split()) for name in named)
    return frozenset(known.get(name, name) for name in plain)


def _object(text: str) -> dict[str, Any]:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return {}
    try:
        values = json.loads(text[start : end + 1], strict=False)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
