"""Many questions through the Batch API: sent as a file, answered within a day, for about half the price.

A batch is written into the ledger before it is sent and taken out together with its answers: a run that was
killed, at whatever moment, waits for the batch it sent and sends none twice. A batch gives no second attempt
at a reply that cannot be read.
"""

import io
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from clinragen.endpoint.calls import Line, line_to
from clinragen.endpoint.completions import REFUSAL, REFUSAL_CODES, answer_of
from clinragen.endpoint.endings import over_budget, refusing_all, unanswered
from clinragen.endpoint.ledger import Answer, Batch, FailedCall, Ledger, Outcome
from clinragen.endpoint.question import Endpoint, Question, body_of

MOST_IN_A_BATCH = 20_000
PATH = "/v1/chat/completions"
WINDOW = "24h"

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


def ask_in_batches(
    questions: Iterable[Question], endpoint: Endpoint, ledger: Ledger
) -> Iterator[tuple[str, Answer]]:
    """Each key with its answer: what the ledger knows at once, the rest when its batch ends.

    Raises EndpointError as `client.ask` does.
    """
    failed: dict[str, str] = {}
    answered = 0
    waiting = iter(questions)
    with line_to(endpoint) as line:
        for batch in ledger.batches():
            failed |= _failures(_awaited(line, ledger, batch))
        while chunk := list(islice(waiting, MOST_IN_A_BATCH)):
            missing = {
                each.key: each
                for each in chunk
                if each.key not in failed and ledger.settled(each.key, endpoint.failed_runs) is None
            }
            if missing:
                _mind_the_budget(endpoint, ledger)
                failed |= _failures(_awaited(line, ledger, _sent(line, ledger, list(missing.values()))))
            for each in chunk:
                known = ledger.settled(each.key, endpoint.failed_runs)
                if known is not None:
                    failed.pop(each.key, None)
                    answered += 1
                    yield each.key, known
    if failed:
        raise unanswered(endpoint, failed.values(), answered)


def _mind_the_budget(endpoint: Endpoint, ledger: Ledger) -> None:
    fault = over_budget(endpoint, ledger)
    if fault is not None:
        raise fault


def _failures(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {each.key: each.failed[-1].kind for each in outcomes if each.answer is None}


def _sent(line: Line, ledger: Ledger, questions: Sequence[Question]) -> Batch:
    """Write down that a batch will be sent, then send it."""
    batch = Batch(secrets.token_hex(16), "", tuple(question.key for question in questions))
    ledger.keep_batch(batch)
    rows = (
        {"custom_id": each.key, "method": "POST", "url": PATH, "body": body_of(line.endpoint, each)}
        for each in questions
    )
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    with _server(line) as server:
        file = server.files.create(file=("questions.jsonl", io.BytesIO(text.encode())), purpose="batch")
        made = server.batches.create(
            input_file_id=file.id, endpoint=PATH, completion_window=WINDOW, metadata={"mark": batch.mark}
        )
    return _known_as(ledger, batch, made.id)


def _known_as(ledger: Ledger, batch: Batch, batch_id: str) -> Batch:
    known = replace(batch, batch_id=batch_id)
    ledger.keep_batch(known)
    return known


def _awaited(line: Line, ledger: Ledger, batch: Batch) -> list[Outcome]:
    """Wait until a batch has ended and record what came of it; nothing where it was never sent."""
    if not batch.batch_id:
        found = _found_by_mark(line, batch.mark)
        if found is None:
            ledger.record([], ended=batch.mark)
            return []
        batch = _known_as(ledger, batch, found)
    ended = _ended(line, batch.batch_id)
    outcomes = _outcomes(line, ended, batch.keys)
    ledger.record(outcomes, ended=batch.mark)
    return outcomes


def _found_by_mark(line: Line, mark: str) -> str | None:
    """The batch that a run sent before it was killed, if it got that far."""
    with _server(line) as server:
        for made in server.batches.list():
            if (made.metadata or {}).get("mark") == mark:
                return str(made.id)
    return None


def _ended(line: Line, batch_id: str) -> Any:
    while True:
        with _server(line) as server:
            batch = server.batches.retrieve(batch_id)
        if batch.status in _ENDED:
            return batch
        time.sleep(line.endpoint.poll_seconds)


def _outcomes(line: Line, batch: Any, keys: Sequence[str]) -> list[Outcome]:
    """One outcome for every key: as the files say, or that the batch ended without it."""
    seconds = float((batch.completed_at or batch.created_at or 0) - (batch.created_at or 0))
    rows: dict[str, Mapping[str, Any]] = {}
    for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
        with _server(line) as server:
            text = server.files.content(file_id).text
        rows.update({row["custom_id"]: row for row in map(json.loads, filter(str.strip, text.splitlines()))})
    return [_outcome(line.endpoint, key, rows.get(key), str(batch.status), seconds) for key in keys]


def _outcome(
    endpoint: Endpoint, key: str, row: Mapping[str, Any] | None, ended: str, seconds: float
) -> Outcome:
    if row is None:
        return Outcome(key, None, (FailedCall(f"batch {ended}", seconds, is_last=True),))
    response = row.get("response") or {}
    body = response.get("body") or {}
    error = row.get("error") or body.get("error") or {}
    if error.get("code") in REFUSAL_CODES:
        return Outcome(key, answer_of(endpoint, REFUSAL, seconds))
    if error or response.get("status_code") != 200:
        kind = f"status {response.get('status_code')}" if response else "batch error"
        return Outcome(key, None, (FailedCall(kind, seconds, is_last=True),))
    return Outcome(key, answer_of(endpoint, body, seconds))


@contextmanager
def _server(line: Line) -> Iterator[Any]:
    """The client with its own retries; an error is told without its body, which may repeat a note."""
    import openai

    try:
        yield line.client.with_options(max_retries=line.endpoint.retries)
    except openai.APIStatusError as fault:
        raise refusing_all(line.endpoint, fault.status_code) from None
    except openai.APIConnectionError:
        raise unanswered(line.endpoint, Counter({"connection": 1}), 0) from None
