"""What a completion is, which a server may have filled in any way, as an answer with its cost."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from clinragen.endpoint.ledger import Answer, Status
from clinragen.endpoint.question import Endpoint

REFUSAL_CODES = frozenset({"content_filter", "content_policy_violation"})
REFUSAL: Mapping[str, Any] = MappingProxyType({"choices": [{"finish_reason": "content_filter"}]})
"""A completion that says what such an error code says."""


def answer_of(endpoint: Endpoint, got: Mapping[str, Any], seconds: float) -> Answer:
    """The answer in a completion: refused, malformed where it is not readable, or answered."""
    status, text = _read(endpoint, got)
    usage = got.get("usage")
    tokens_in, tokens_out = (
        int(value) if isinstance(usage, dict) and isinstance(value := usage.get(name), int) else 0
        for name in ("prompt_tokens", "completion_tokens")
    )
    cost = (tokens_in * endpoint.price_in + tokens_out * endpoint.price_out) / 1e6
    return Answer(status, text, 1, tokens_in, tokens_out, seconds, cost)


def _read(endpoint: Endpoint, got: Mapping[str, Any]) -> tuple[Status, str]:
    choices = got.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    refusal = message.get("refusal")
    said = refusal or message.get("content")
    text = encodable(said) if isinstance(said, str) else ""
    if refusal or choice.get("finish_reason") == "content_filter":
        return "refused", text
    return ("answered" if text and endpoint.is_readable(text) else "malformed"), text


def encodable(text: str) -> str:
    """A text without the lone surrogates that no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def both(first: Answer, second: Answer) -> Answer:
    """The second answer, at the price of both."""
    return Answer(
        status=second.status,
        reply=second.reply,
        asked=first.asked + second.asked,
        tokens_in=first.tokens_in + second.tokens_in,
        tokens_out=first.tokens_out + second.tokens_out,
        seconds=first.seconds + second.seconds,
        cost=first.cost + second.cost,
    )
