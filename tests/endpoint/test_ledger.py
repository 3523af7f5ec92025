"""The ledger keeps what was answered and what failed, through kills and versions."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from clinragen.endpoint.ledger import Answer, FailedCall, Outcome, key_of, opened

ASKED = [{"role": "user", "content": "Why?"}]


def test_the_first_answer_under_a_key_stays(tmp_path: Path):
    first, second = Answer("answered", "one", 1, 7, 3, 0.1), Answer("refused", "two", 1, 7, 3, 0.1)
    with opened(tmp_path / "ledger.sqlite") as ledger:
        ledger.put("k", first)
        ledger.put("k", second)
        assert ledger.get("k") == first
        assert ledger.get("other") is None


def test_an_answer_survives_a_killed_writer(tmp_path: Path):
    script = (
        "import sys, time; from pathlib import Path; from clinragen.endpoint.ledger import Answer, opened\n"
        "with opened(Path(sys.argv[1])) as ledger:\n"
        "    ledger.put('k', Answer('answered', 'kept', 1, 0, 0, 0.0)); print('put', flush=True)\n"
        "    time.sleep(60)\n"
    )
    path = tmp_path / "ledger.sqlite"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"put\n"
        os.kill(writer.pid, signal.SIGKILL)
    with opened(path) as ledger:
        kept = ledger.get("k")
    assert kept is not None and kept.reply == "kept"


def test_a_key_is_given_up_after_as_many_failed_runs_as_allowed(tmp_path: Path):
    with opened(tmp_path / "ledger.sqlite") as ledger:
        ledger.record([Outcome("k", None, (FailedCall("timeout", 2.0), FailedCall("status 500", 1.0, True)))])
        assert ledger.settled("k", failed_runs=2) is None
        ledger.record([Outcome("k", None, (FailedCall("timeout", 2.0, True),))])
        assert ledger.settled("k", failed_runs=2) == Answer("given up", "timeout", 3, 0, 0, 5.0)
        # A later version of the recipe may try once more.
        assert ledger.settled("k", failed_runs=3) is None


def test_an_answer_outlives_the_failures_before_it(tmp_path: Path):
    answer = Answer("answered", "at last", 1, 7, 3, 0.1)
    with opened(tmp_path / "ledger.sqlite") as ledger:
        ledger.record([Outcome("k", None, (FailedCall("timeout", 2.0, True),))])
        ledger.record([Outcome("k", answer)])
        assert ledger.settled("k", failed_runs=1) == answer


def test_the_key_is_what_was_asked_and_nothing_else():
    key = key_of(ASKED, "told-2", "tiny", {"temperature": 0.0, "max_tokens": 5})
    assert key == key_of([dict(ASKED[0])], "told-2", "tiny", {"max_tokens": 5, "temperature": 0.0})
    others = {
        key_of([{"role": "user", "content": "Why not?"}], "told-2", "tiny", {}),
        key_of(ASKED, "told-2", "tiny", {}),
        key_of(ASKED, "blind-1", "tiny", {}),
        key_of(ASKED, "told-2", "large", {}),
        key_of(ASKED, "told-2", "tiny", {"seed": 1}),
        key_of(ASKED, "told-2", "tiny", {}, sample=1),
    }
    assert len(others | {key}) == 7


def test_a_ledger_of_the_first_version_is_read_and_written(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as old:
        old.execute(
            "CREATE TABLE answers (key TEXT PRIMARY KEY, status TEXT NOT NULL, reply TEXT NOT NULL, "
            "asked INTEGER NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, "
            "seconds REAL NOT NULL)"
        )
        old.execute("INSERT INTO answers VALUES ('k', 'answered', 'kept', 1, 7, 3, 0.1)")
    old.close()
    with opened(path) as ledger:
        ledger.put("new", Answer("answered", "x", 1, 7, 3, 0.1, 0.5))
        assert ledger.get("k") == Answer("answered", "kept", 1, 7, 3, 0.1, 0.0)
        assert ledger.spent() == (0.5, 20)
