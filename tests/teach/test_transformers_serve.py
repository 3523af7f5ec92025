"""A real server: `transformers serve` with a tiny model, asked through the openai client."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from invented_askings import asking, patient
from tiny_models import save_tiny_causal

from clinragen.endpoint.ledger import opened
from clinragen.grounding.checker import Checker
from clinragen.teach import remote
from clinragen.teach.questions import questions
from clinragen.teach.shard import taught

pytestmark = pytest.mark.slow

SECONDS_TO_START = 120.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_causal(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def endpoint(model: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("transformers serve did not start")


def test_a_served_model_is_asked_once_and_its_babble_is_a_recorded_rejection(
    endpoint: str, model: Path, tmp_path: Path
):
    stays = [patient(name, note=f"HPI: Reports orthopnea. Bed {name}.") for name in "ab"]
    about = asking(tmp_path, endpoint, model=str(model), max_tokens=8, at_once=2, credentialed=True)
    done = taught(stays, about, Checker())
    assert {each.reason for each in done.rejected} == {"malformed"} and len(done.rejected) == 4
    with opened(tmp_path / "ledger.sqlite") as ledger:
        answers = [ledger.get(question.key) for question in questions(stays, about)]
    for answer in answers:
        # The model was asked, and once more for repair: 8 tokens each time at most.
        assert answer is not None and answer.status == "malformed" and answer.reply
        assert answer.asked == 2 and answer.tokens_in > 100 and 0 < answer.tokens_out <= 16
        assert answer.seconds > 0
    assert remote.write(stays, asking(tmp_path, "http://127.0.0.1:9/v1", model=str(model), max_tokens=8))
