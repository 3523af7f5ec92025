"""`kill -9` at random moments of a run of the step `teach`: nothing is lost, nothing is there twice.

A worker process asks a real server, in another process, about 500 stays, is killed again and again, and is
started again each time. In the end its ledger and its rationales are those of a run nobody disturbed.
"""

import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from clinragen.knowledge.run import run as write_knowledge
from clinragen.recipe import Recipe
from clinragen.store import hash_outputs, write_stays
from invented_stays import invented_stays
from steady_server import counts, steady_server

TABLES = {"answers": "key, status, reply, asked, tokens_in, tokens_out, cost", "failed_calls": "key, kind"}
STAYS = 500
SHARDS = 5
KILLS = 50
AT_ONCE = 4
SERVER_SECONDS = 0.1
LONGEST_LIFE_SECONDS = 0.5
"""After the worker began to ask: a life answers a few questions on average, and some answer none."""


def main() -> None:
    """Run once undisturbed and once killed, and compare; exits with an error where they differ."""
    with tempfile.TemporaryDirectory() as folder, steady_server(SERVER_SECONDS, AT_ONCE) as url:
        calm, killed = Path(folder) / "calm", Path(folder) / "killed"
        for run in (calm, killed):
            prepare(run)
        finished(calm, url)
        before = counts(url)["served"]
        began = time.monotonic()
        seen = kills(killed, url, random.Random(0))
        finished(killed, url)
        answers, calls = contents(killed, "answers"), counts(url)["served"] - before
        if [contents(calm, table) for table in TABLES] != [contents(killed, table) for table in TABLES]:
            raise SystemExit("the ledgers differ")
        if hash_outputs(calm / "teach") != hash_outputs(killed / "teach"):
            raise SystemExit("the rationales differ")
    print(f"{len(seen)} kills in {time.monotonic() - began:.0f} s, the last after {seen[-1]} answers")
    print(f"{len(answers)} answers of {STAYS}; {calls - STAYS:.0f} more calls were under way when killed")
    print("ledger, rationales and verdicts are those of the undisturbed run")


def kills(run: Path, url: str, rng: random.Random) -> list[int]:
    """Kill the worker so many times while it asks; how many answers the ledger held after each kill."""
    held = []
    while len(held) < KILLS:
        with started(run, url) as worker:
            time.sleep(rng.uniform(0.0, LONGEST_LIFE_SECONDS))
            worker.send_signal(signal.SIGKILL)
        if worker.returncode != -signal.SIGKILL:
            raise SystemExit(f"the run ended before {KILLS} kills; make LONGEST_LIFE_SECONDS less")
        held.append(len(contents(run, "answers")))
    return held


def finished(run: Path, url: str) -> None:
    """Let the worker run to its end."""
    with started(run, url) as worker:
        pass
    if worker.returncode:
        raise SystemExit(f"the worker failed with {worker.returncode}")


def started(run: Path, url: str) -> "subprocess.Popen[str]":
    """A worker that is about to ask."""
    command = [sys.executable, __file__, str(run), url]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    worker.stdout.readline()
    return worker


def contents(run: Path, table: str) -> list[tuple[Any, ...]]:
    """The rows of the ledger, without how long each call took."""
    path = run / "teach" / "ledger.sqlite"
    if not path.exists():
        return []
    with sqlite3.connect(path, timeout=30.0) as ledger:
        exists = ledger.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        return (
            ledger.execute(f"SELECT {TABLES[table]} FROM {table} ORDER BY key").fetchall() if exists else []
        )


def prepare(run: Path) -> None:
    """Write what the step `teach` reads."""
    write_knowledge(recipe(""), run, silent)
    stays = invented_stays(STAYS)
    for shard in range(SHARDS):
        write_stays(run / "cohort" / "stays" / f"shard-{shard:03}.parquet", stays[shard::SHARDS])


def recipe(url: str) -> Recipe:
    """The step `teach` with this server as its teacher."""
    teach = {"kind": "remote", "model": "steady", "endpoint": url, "at_once": AT_ONCE}
    return Recipe.model_validate({"name": "kills", "teach": teach, "engine": {"workers": 1}})


def work(run: Path, url: str) -> None:
    """What the worker does: the step itself."""
    import openai  # noqa: F401 - its second of importing is no moment of asking

    from clinragen.teach.run import run as teach

    print("asking", flush=True)
    teach(recipe(url), run, silent)


def silent(what: str, done: int, total: int) -> None:
    """Progress nobody watches."""


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2]) if len(sys.argv) == 3 else main()
