"""One question to an endpoint: calls with retries, what a reply is, and what kind a failure is."""

import email.utils
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from clinragen.endpoint.completions import REFUSAL, REFUSAL_CODES, answer_of, both
from clinragen.endpoint.endings import KEY_VARIABLE, refusing_all
from clinragen.endpoint.guard import hush, is_loopback
from clinragen.endpoint.ledger import Answer, FailedCall, Outcome
from clinragen.endpoint.question import Endpoint, Question, body_of, repaired
from clinragen.errors import EndpointError

UNREACHABLE = "unreachable"
"""The kind of error that is no fault of a question, and never counts towards giving it up."""
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 600.0

_REFUSING_ALL = frozenset({401, 403, 404})
_PASSING = frozenset({408, 409, 425, 429})
_SHAPE_NOT_TAKEN = frozenset({400, 422, 501})


@dataclass
class Line:
    """An open connection to an endpoint, for many threads. `closing` ends waits between calls."""

    client: Any
    endpoint: Endpoint
    closing: Event = field(default_factory=Event)
    takes_schema: bool = True


class CallError(Exception):
    """One call gave nothing: which kind of error, whether to call again, and how long to wait before."""

    def __init__(self, kind: str, passes: bool, wait_seconds: float | None = None) -> None:
        super().__init__(kind)
        self.kind, self.passes, self.wait_seconds = kind, passes, wait_seconds


@contextmanager
def line_to(endpoint: Endpoint) -> Iterator[Line]:
    """A line that logs no text of a patient, follows no redirect, and to this machine uses no proxy."""
    import openai

    hush()
    http = openai.DefaultHttpxClient(
        follow_redirects=False, trust_env=not is_loopback(endpoint.url), timeout=endpoint.timeout_seconds
    )
    with openai.OpenAI(
        base_url=endpoint.url,
        api_key=os.environ.get(KEY_VARIABLE) or "none",
        max_retries=0,
        timeout=endpoint.timeout_seconds,
        http_client=http,
    ) as client:
        yield Line(client, endpoint)


def outcome_of(line: Line, question: Question) -> Outcome:
    """Ask, again where a call fails in passing, and once more where the reply cannot be read.

    Raises EndpointError where the answer shows that every question would fail.
    """
    failed: list[FailedCall] = []
    first = _called(line, question, failed)
    answer = first
    if first is not None and first.status == "malformed" and line.endpoint.repair:
        second = _called(line, repaired(question, first.reply, line.endpoint.repair), failed)
        answer = second and both(first, second)
    return Outcome(question.key, answer, tuple(failed))


def _called(line: Line, question: Question, failed: list[FailedCall]) -> Answer | None:
    """The first answer, or None after the last retry; failed calls are added to `failed`."""
    for number in range(line.endpoint.retries + 1):
        if line.closing.is_set():
            return None
        began = time.monotonic()
        try:
            return answer_of(line.endpoint, _sent(line, question), time.monotonic() - began)
        except CallError as fault:
            is_last = number == line.endpoint.retries or not fault.passes
            counts = is_last and fault.kind != UNREACHABLE
            failed.append(FailedCall(fault.kind, time.monotonic() - began, counts))
            wait = fault.wait_seconds if fault.wait_seconds is not None else _backoff(question.key, number)
            if is_last or line.closing.wait(wait):
                return None
        except EndpointError:
            line.closing.set()
            raise
    return None


def _backoff(key: str, number: int) -> float:
    """Seconds before the next call: doubled each time, spread by key so that calls do not come in step."""
    spread = 0.5 + zlib.crc32(key.encode()) % 1000 / 1000
    doubled: float = FIRST_WAIT_SECONDS * 2**number
    return min(LONGEST_WAIT_SECONDS, doubled) * spread


def _sent(line: Line, question: Question) -> Mapping[str, Any]:
    """The body of a completion. A server that does not take the shape is asked without it from then on."""
    if not line.takes_schema or line.endpoint.schema is None:
        return _posted(line, body_of(line.endpoint, question, with_schema=False))
    try:
        return _posted(line, body_of(line.endpoint, question))
    except CallError as fault:
        if fault.kind not in {f"status {code}" for code in _SHAPE_NOT_TAKEN}:
            raise
    got = _posted(line, body_of(line.endpoint, question, with_schema=False))
    line.takes_schema = False
    return got


def _posted(line: Line, body: dict[str, Any]) -> Mapping[str, Any]:
    import openai

    try:
        got = line.client.post("/chat/completions", body=body, cast_to=object)
    except openai.APIConnectionError as fault:
        raise CallError(_kind_of(fault), passes=True) from None
    except openai.APIStatusError as fault:
        return _status(line.endpoint, fault.status_code, fault.code, fault.response.headers)
    return got if isinstance(got, dict) else {}


def _kind_of(fault: Exception) -> str:
    """A server that is not there, one that does not answer in time, or one that broke off."""
    if type(fault.__cause__).__name__ in ("ConnectError", "ConnectTimeout"):
        return UNREACHABLE
    return "timeout" if "Timeout" in type(fault).__name__ else "connection"


def _status(endpoint: Endpoint, status: int, code: object, headers: Mapping[str, str]) -> Mapping[str, Any]:
    """A refusal as a completion would tell it, or the error; the body may repeat a note and is not told."""
    if code in REFUSAL_CODES:
        return REFUSAL
    if status in _REFUSING_ALL:
        raise refusing_all(endpoint, status)
    passes = status >= 500 or status in _PASSING
    raise CallError(f"status {status}", passes, retry_after(headers.get("retry-after"))) from None


def retry_after(header: str | None) -> float | None:
    """The seconds a server asks to wait, given as seconds or as a date; None where it does not say."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
