"""What is asked, of whom, and on what terms: plain values, and the very body that is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """A chat, the settings it is asked with (temperature, max_tokens, seed), and its key in the ledger."""

    key: str
    messages: tuple[Message, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible endpoint and the terms on which it is asked.

    `schema` asks for JSON of that shape where the server takes one. A reply that is not `is_readable` is
    answered with `repair`, once; "" means no second attempt. Prices are of a million tokens; a budget of 0
    is none. `section` is where in the recipe all this is said, for the words of an error.
    """

    url: str
    model: str
    section: str = "teach"
    schema: Mapping[str, Any] | None = None
    is_readable: Callable[[str], bool] = bool
    repair: str = ""
    at_once: int = 8
    retries: int = 4
    timeout_seconds: float = 120.0
    failed_runs: int = 3
    price_in: float = 0.0
    price_out: float = 0.0
    budget_money: float = 0.0
    budget_tokens: int = 0
    poll_seconds: float = 30.0


def body_of(endpoint: Endpoint, question: Question, with_schema: bool = True) -> dict[str, Any]:
    """What is sent for a question, all of it and nothing else."""
    body = {"model": endpoint.model, "messages": list(question.messages), **question.settings}
    if endpoint.schema is not None and with_schema:
        shape = {"name": "answer", "schema": dict(endpoint.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    return body


def repaired(question: Question, reply: str, repair: str) -> Question:
    """The question put again after a reply that cannot be read; an empty one is not quoted back."""
    if not reply:
        return question
    added = ({"role": "assistant", "content": reply}, {"role": "user", "content": repair})
    return replace(question, messages=(*question.messages, *added))
