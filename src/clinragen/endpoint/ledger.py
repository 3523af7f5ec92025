"""The ledger: every answer of a large model, kept by what was asked, so that nothing is asked twice.

A call that failed is kept too, with its kind of error; what gave no answer in one run is asked again in a
later one, up to a limit. An answer once kept never changes.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

Status = Literal["answered", "refused", "malformed", "given up"]

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, reply TEXT NOT NULL, asked INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, seconds REAL NOT NULL,
    cost REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS failed_calls (
    key TEXT NOT NULL, kind TEXT NOT NULL, seconds REAL NOT NULL, is_last INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (mark TEXT PRIMARY KEY, batch_id TEXT NOT NULL, keys TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS failed_by_key ON failed_calls (key);
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one key: after `asked` calls, for these tokens, this time, this much money.

    "given up" is no reply but the end of trying: `reply` is then the kind of error.
    """

    status: Status
    reply: str
    asked: int
    tokens_in: int
    tokens_out: int
    seconds: float
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call that gave nothing. `is_last` marks the one after which a run gave this key up for its time."""

    kind: str
    seconds: float
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one question led to in one run; `answer` is None where every call failed."""

    key: str
    answer: Answer | None
    failed: tuple[FailedCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch on its way: `mark` is our own name for it, `batch_id` the server's, "" until it has one."""

    mark: str
    batch_id: str
    keys: tuple[str, ...]


class Ledger:
    """An open ledger; one process writes it. What is recorded is on disk before `record` returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> Answer | None:
        """The answer kept under this key, or None."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM answers WHERE key = ?", (key,)).fetchone()
        return Answer(*row) if row else None

    def settled(self, key: str, failed_runs: int) -> Answer | None:
        """The answer, or that the key is given up after this many failed runs; None: to be asked."""
        return self.get(key) or self._given_up(key, failed_runs)

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer; the first one kept under a key stays."""
        self.record([Outcome(key, answer)])

    def record(self, outcomes: Sequence[Outcome], ended: str = "") -> None:
        """Keep answers and failed calls, and that the batch of this mark has ended, all of it or nothing."""
        answers = [(each.key, *astuple(each.answer)) for each in outcomes if each.answer]
        failed = [(each.key, *astuple(call)) for each in outcomes for call in each.failed]
        with self._connection:
            self._connection.executemany(f"INSERT OR IGNORE INTO answers VALUES ({_MARKS})", answers)
            self._connection.executemany("INSERT INTO failed_calls VALUES (?, ?, ?, ?)", failed)
            self._connection.execute("DELETE FROM batches WHERE mark = ?", (ended,))

    def keep_batch(self, batch: Batch) -> None:
        """Keep what is known of a batch on its way."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO batches VALUES (?, ?, ?)",
                (batch.mark, batch.batch_id, json.dumps(batch.keys)),
            )

    def batches(self) -> list[Batch]:
        """The batches on their way, in the order they were sent."""
        rows = self._connection.execute("SELECT mark, batch_id, keys FROM batches ORDER BY rowid")
        return [Batch(mark, batch_id, tuple(json.loads(keys))) for mark, batch_id, keys in rows]

    def failed(self, key: str) -> list[FailedCall]:
        """The failed calls of a key, in the order they were made."""
        rows = self._connection.execute(
            "SELECT kind, seconds, is_last FROM failed_calls WHERE key = ? ORDER BY rowid", (key,)
        )
        return [FailedCall(kind, seconds, bool(is_last)) for kind, seconds, is_last in rows]

    def spent(self) -> tuple[float, int]:
        """The money and the tokens that all answers together took."""
        money, tokens = self._connection.execute(
            "SELECT COALESCE(SUM(cost), 0.0), COALESCE(SUM(tokens_in + tokens_out), 0) FROM answers"
        ).fetchone()
        return float(money), int(tokens)

    def _given_up(self, key: str, failed_runs: int) -> Answer | None:
        calls = self.failed(key)
        if sum(call.is_last for call in calls) < failed_runs:
            return None
        return Answer("given up", calls[-1].kind, len(calls), 0, 0, sum(call.seconds for call in calls))


_COLUMNS = ", ".join(field.name for field in fields(Answer))
_MARKS = ", ".join("?" for _ in range(1 + len(fields(Answer))))


@contextmanager
def opened(path: Path) -> Iterator[Ledger]:
    """Open a ledger, made if it is not there; a writer that was killed leaves it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_TABLES)
        _add_cost(connection)
        yield Ledger(connection)
    finally:
        connection.close()


def _add_cost(connection: sqlite3.Connection) -> None:
    """Give a ledger of version 0.1.0 the column it did not have."""
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(answers)")}
    if "cost" not in columns:
        connection.execute("ALTER TABLE answers ADD COLUMN cost REAL NOT NULL DEFAULT 0")


def key_of(
    messages: Sequence[Mapping[str, str]],
    prompt_id: str,
    model: str,
    settings: Mapping[str, object],
    sample: int = 0,
) -> str:
    """The key of a question: the same stay, facts, prompt, model, settings and sample give the same key."""
    which = [sample] if sample else []
    asked = json.dumps([list(map(dict, messages)), prompt_id, model, dict(settings), *which], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()
