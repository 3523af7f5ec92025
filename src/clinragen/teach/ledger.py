"""The ledger: every answer of a remote teacher, kept by what was asked, so that nothing is asked twice."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

Status = Literal["answered", "refused", "malformed"]

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, reply TEXT NOT NULL, asked INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, seconds REAL NOT NULL
)"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one key after `asked` calls, what it cost in tokens, and how long it took."""

    status: Status
    reply: str
    asked: int
    tokens_in: int
    tokens_out: int
    seconds: float


class Ledger:
    """An open ledger; one process writes it. An answer is on disk before `put` returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> Answer | None:
        """The answer kept under this key, or None."""
        row = self._connection.execute(
            "SELECT status, reply, asked, tokens_in, tokens_out, seconds FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return Answer(*row) if row else None

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer; the first one kept under a key stays."""
        with self._connection:
            self._connection.execute(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", (key, *astuple(answer))
            )


@contextmanager
def opened(path: Path) -> Iterator[Ledger]:
    """Open a ledger, made if it is not there; a writer that was killed leaves it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)
        yield Ledger(connection)
    finally:
        connection.close()


def key_of(
    messages: Sequence[Mapping[str, str]], prompt_id: str, model: str, settings: Mapping[str, object]
) -> str:
    """The key of a question: the same stay, facts, prompt, model and settings give the same key."""
    asked = json.dumps([list(map(dict, messages)), prompt_id, model, dict(settings)], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()
