"""The remote teacher: any model behind an OpenAI-compatible endpoint, through the ledger.

A refusal or a reply that cannot be read is kept as such and becomes a rejection; only what concerns every
stay (no connection, a wrong key, an unknown model) ends the step, and a rerun goes on where it ended.
"""

import ipaddress
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from clinragen.errors import TeacherError
from clinragen.recipe import Teach
from clinragen.schema import Stay
from clinragen.teach.asking import Asking, Reply
from clinragen.teach.ledger import Answer, Status, key_of, opened
from clinragen.teach.prompt import PROMPT_ID, Message, encodable, messages_for, read_reply, repair_of

ASKED_AT_ONCE = 4
RETRIES = 4
TIMEOUT_SECONDS = 120.0
SETTINGS: Mapping[str, Any] = {"temperature": 0.0, "max_tokens": 500}
KEY_VARIABLE = "OPENAI_API_KEY"

_REFUSAL_CODES = frozenset({"content_filter", "content_policy_violation"})
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain"})


def write(stays: Sequence[Stay], asking: Asking) -> list[Reply]:
    """Ask about each stay that the ledger does not know yet; replies in the order of the stays.

    Raises TeacherError where the endpoint may not be sent these records, or cannot be reached.
    """
    guard(asking)
    chats = {stay.stay_id: messages_for(stay, asking.facts) for stay in stays}
    model = asking.settings.model
    keys = {stay_id: key_of(chat, PROMPT_ID, model, SETTINGS) for stay_id, chat in chats.items()}
    with opened(asking.ledger) as ledger:
        answers = {stay_id: ledger.get(key) for stay_id, key in keys.items()}
        missing = {keys[stay_id]: chats[stay_id] for stay_id, answer in answers.items() if answer is None}
        fresh = {}
        if missing:
            for key, answer in _asked(missing, asking.settings):
                ledger.put(key, answer)
                fresh[key] = answer
    return [_reply(stay.stay_id, answers[stay.stay_id] or fresh[keys[stay.stay_id]], model) for stay in stays]


def guard(asking: Asking) -> None:
    """Raise TeacherError where the settings are incomplete, or patient text would leave without agreement."""
    settings = asking.settings
    for name in ("endpoint", "model"):
        if not getattr(settings, name):
            raise TeacherError("the remote teacher is not told where to ask", fix=f"set teach.{name}")
    if asking.credentialed and not settings.agreement and not is_loopback(settings.endpoint):
        raise TeacherError(
            "credentialed records may not be sent to this endpoint",
            expected="an endpoint on this machine, or teach.agreement naming the agreement that permits it",
            found=f"teach.endpoint = {urlsplit(settings.endpoint).hostname}",
            fix="serve the model on this machine, or name the agreement",
        )


def is_loopback(endpoint: str) -> bool:
    """Whether an endpoint lies on this machine by its very address; other names are not looked up."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return host in _LOCAL_NAMES or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _asked(chats: Mapping[str, list[Message]], settings: Teach) -> Iterator[tuple[str, Answer]]:
    """Each key with its answer, as they come."""
    with _client(settings) as client, ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        futures = {pool.submit(_ask, client, settings.model, chat): key for key, chat in chats.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _client(settings: Teach) -> Iterator[Any]:
    """A client that logs no text of a patient, follows no redirect, and to this machine uses no proxy."""
    import openai

    for name in ("openai", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    http = openai.DefaultHttpxClient(
        follow_redirects=False, trust_env=not is_loopback(settings.endpoint), timeout=TIMEOUT_SECONDS
    )
    with openai.OpenAI(
        base_url=settings.endpoint,
        api_key=os.environ.get(KEY_VARIABLE) or "none",
        max_retries=RETRIES,
        timeout=TIMEOUT_SECONDS,
        http_client=http,
    ) as client:
        yield client


def _ask(client: Any, model: str, chat: list[Message]) -> Answer:
    """Ask once, and once more where the reply cannot be read."""
    first = _call(client, model, chat)
    if first.status != "malformed":
        return first
    second = _call(client, model, repair_of(chat, first.reply))
    return Answer(
        status=second.status,
        reply=second.reply,
        asked=2,
        tokens_in=first.tokens_in + second.tokens_in,
        tokens_out=first.tokens_out + second.tokens_out,
        seconds=first.seconds + second.seconds,
    )


def _call(client: Any, model: str, chat: list[Message]) -> Answer:
    import openai

    began = time.monotonic()
    try:
        got = client.chat.completions.create(model=model, messages=chat, **SETTINGS)
    except openai.APIStatusError as fault:
        if fault.code in _REFUSAL_CODES:
            return Answer("refused", "", 1, 0, 0, time.monotonic() - began)
        raise _refusing_all(fault.status_code) from None
    except openai.APIConnectionError as fault:
        raise TeacherError(
            "the teacher cannot be reached",
            found=type(fault).__name__,
            fix="start the server at teach.endpoint, then run again: answers so far are kept",
        ) from None
    status, text = _read(got)
    tokens_in, tokens_out = (
        int(getattr(getattr(got, "usage", None), name, None) or 0)
        for name in ("prompt_tokens", "completion_tokens")
    )
    return Answer(status, text, 1, tokens_in, tokens_out, time.monotonic() - began)


def _refusing_all(status_code: int) -> TeacherError:
    """The error of a request that would fail for every stay; the body may repeat a note and is not told."""
    return TeacherError(
        f"the teacher answered with status {status_code}",
        fix=f"check teach.endpoint, teach.model and the environment variable {KEY_VARIABLE}",
    )


def _read(got: Any) -> tuple[Status, str]:
    """Status and text of a completion, which a server may have filled in any way."""
    choice = next(iter(getattr(got, "choices", None) or []), None)
    message = getattr(choice, "message", None)
    refusal = getattr(message, "refusal", None)
    said = refusal or getattr(message, "content", None)
    text = encodable(said) if isinstance(said, str) else ""
    if refusal or getattr(choice, "finish_reason", None) == "content_filter":
        return "refused", text
    return ("answered" if read_reply(text) else "malformed"), text


def _reply(stay_id: str, answer: Answer, model: str) -> Reply:
    texts = read_reply(answer.reply) if answer.status == "answered" else None
    if texts is None:
        problem = answer.status if answer.status != "answered" else "malformed"
        return Reply(stay_id, answer.reply, "", model, PROMPT_ID, problem)
    return Reply(stay_id, texts["note"], texts["series"], model, PROMPT_ID)
