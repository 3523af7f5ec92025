"""How busy the remote teacher's client keeps a server that answers in a fixed time, and what it costs itself.

The server runs in a process of its own; the client is the whole of it: questions, calls, replies, ledger.
"""

import tempfile
import time
from pathlib import Path

from clinragen.endpoint.client import ask
from clinragen.endpoint.ledger import opened
from clinragen.knowledge.base import curated_facts
from clinragen.recipe import Teach
from clinragen.teach.asking import Asking
from clinragen.teach.questions import questions
from clinragen.teach.remote import endpoint_of
from invented_stays import invented_stays
from steady_server import counts, steady_server

RECORDS = 1920
SERVER_AT_ONCE = 32
CLIENT_AT_ONCE = 48
SECONDS = (0.5, 0.1, 0.05)


def main() -> None:
    """Ask the same questions of servers of several speeds."""
    for seconds in SECONDS:
        print(bench(seconds))


def bench(seconds: float) -> str:
    """One server: the share of its places kept busy, and the client's processor time for a record."""
    stays = invented_stays(RECORDS)
    with (
        tempfile.TemporaryDirectory() as folder,
        steady_server(seconds, SERVER_AT_ONCE) as url,
        opened(Path(folder) / "ledger.sqlite") as ledger,
    ):
        settings = Teach(kind="remote", endpoint=url, model="steady", at_once=CLIENT_AT_ONCE)
        asking = Asking(settings, True, 0, curated_facts(), Path(folder) / "ledger.sqlite")
        began = time.process_time()
        asked = list(questions(stays, asking))
        prompts = time.process_time() - began
        began = time.process_time()
        answered = sum(1 for _ in ask(asked, endpoint_of(settings), ledger))
        calls = time.process_time() - began
        told = counts(url)
    assert answered == told["served"] == RECORDS
    return (
        f"{seconds * 1000:.0f} ms, {SERVER_AT_ONCE} at once: {told['busy_share']:.1%} of the server busy; "
        f"a record takes the client {1000 * calls / RECORDS:.2f} ms of processor time for call and ledger, "
        f"{1000 * prompts / RECORDS:.2f} ms for its prompt"
    )


if __name__ == "__main__":
    main()
