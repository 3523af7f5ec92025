"""The Batch API: a file of questions is sent once, whatever happens to the run that sent it."""

from pathlib import Path
from typing import Any

import pytest
from batch_server import BatchServer, Row, batch_serving

from clinragen.endpoint import batches
from clinragen.endpoint.batches import ask_in_batches
from clinragen.endpoint.ledger import Answer, Batch, opened
from clinragen.endpoint.question import Endpoint, Question
from clinragen.errors import EndpointError
from local_endpoint import completion, serving

NAMES = ["q0", "q1", "q2"]


def well(asked: Row) -> Row:
    said = completion(f"of {asked['custom_id']}")
    return {"id": "r", "custom_id": asked["custom_id"], "error": None,
            "response": {"status_code": 200, "request_id": "x", "body": said}}  # fmt: skip


def answers(folder: Path, server: BatchServer, names: list[str], **terms: Any) -> dict[str, Answer]:
    asked = [
        Question(name, ({"role": "user", "content": f"Énd of {name}?"},), {"max_tokens": 5}) for name in names
    ]
    with opened(folder / "ledger.sqlite") as ledger:
        given = Endpoint(server.endpoint, "tiny", poll_seconds=0.01, price_out=1e6, **terms)
        return dict(ask_in_batches(asked, given, ledger))


def test_all_questions_go_in_one_file_and_come_back_by_their_keys(tmp_path: Path):
    with batch_serving(BatchServer(well)) as server:
        got = answers(tmp_path, server, NAMES)
        again = answers(tmp_path, server, NAMES)
    assert {key: answer.reply for key, answer in got.items()} == {name: f"of {name}" for name in NAMES}
    assert again == got and len(server.batches) == 1
    # Created at 100 s, completed at 160 s; 3 tokens out at a price of 1 each.
    assert got["q0"] == Answer("answered", "of q0", 1, 7, 3, 60.0, 3.0)
    (sent,) = server.batches.values()
    assert (sent["endpoint"], sent["completion_window"]) == ("/v1/chat/completions", "24h")


def test_only_what_the_ledger_does_not_know_is_sent(tmp_path: Path):
    with batch_serving(BatchServer(well)) as server:
        answers(tmp_path, server, NAMES)
        answers(tmp_path, server, [*NAMES, "q3"])
        assert server.files[server.batches["batch-1"]["input_file_id"]].count("\n") == 1


def test_more_than_one_file_holds_are_sent_in_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batches, "MOST_IN_A_BATCH", 2)
    with batch_serving(BatchServer(well)) as server:
        assert set(answers(tmp_path, server, NAMES)) == set(NAMES)
        assert len(server.batches) == 2


def test_a_run_killed_while_it_waits_takes_up_the_batch_it_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with batch_serving(BatchServer(well, looks=3)) as server:
        with monkeypatch.context() as patched:
            patched.setattr(batches.time, "sleep", killed)
            with pytest.raises(KeyboardInterrupt):
                answers(tmp_path, server, NAMES)
        assert set(answers(tmp_path, server, NAMES)) == set(NAMES)
        assert len(server.batches) == 1
    with opened(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.batches() == []


def test_a_run_killed_before_it_knew_the_id_of_its_batch_finds_it_by_its_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with batch_serving(BatchServer(well)) as server:
        with monkeypatch.context() as patched:
            patched.setattr(batches, "_known_as", killed)
            with pytest.raises(KeyboardInterrupt):
                answers(tmp_path, server, NAMES)
        with opened(tmp_path / "ledger.sqlite") as ledger:
            assert [batch.batch_id for batch in ledger.batches()] == [""]
        assert set(answers(tmp_path, server, NAMES)) == set(NAMES)
        assert len(server.batches) == 1


def test_a_batch_that_was_never_sent_is_forgotten_and_its_questions_are_asked(tmp_path: Path):
    with opened(tmp_path / "ledger.sqlite") as ledger:
        ledger.keep_batch(Batch("mark", "", tuple(NAMES)))
    with batch_serving(BatchServer(well)) as server:
        assert set(answers(tmp_path, server, NAMES)) == set(NAMES)
        assert len(server.batches) == 1


def failing(asked: Row) -> Row | None:
    if asked["custom_id"] == "q1":
        return {**well(asked), "response": {"status_code": 500, "body": {"error": {"message": "note"}}}}
    return None if asked["custom_id"] == "q2" else well(asked)


def test_what_failed_or_is_missing_is_recorded_and_asked_again_by_a_later_run(tmp_path: Path):
    with batch_serving(BatchServer(failing, ends="expired")) as server:
        with pytest.raises(EndpointError, match="2 questions were not answered, 1 were") as told:
            answers(tmp_path, server, NAMES)
        assert "batch expired: 1, status 500: 1" in str(told.value)
        assert len(server.batches) == 1
        server.answer, server.ends = well, "completed"
        assert set(answers(tmp_path, server, NAMES)) == set(NAMES)
        assert len(server.batches) == 2


def test_what_fails_in_every_run_is_given_up(tmp_path: Path):
    with batch_serving(BatchServer(failing)) as server:
        got = answers(tmp_path, server, NAMES, failed_runs=1)
    assert [got[name].status for name in NAMES] == ["answered", "given up", "given up"]


def test_a_filtered_question_is_a_refusal(tmp_path: Path):
    def filtered(asked: Row) -> Row:
        error = {"code": "content_filter", "message": "no"}
        return {**well(asked), "response": {"status_code": 400, "body": {"error": error}}}

    with batch_serving(BatchServer(filtered)) as server:
        assert answers(tmp_path, server, ["q"])["q"].status == "refused"


def test_a_budget_is_minded_before_a_batch_is_sent(tmp_path: Path):
    with batch_serving(BatchServer(well)) as server:
        answers(tmp_path, server, NAMES)
        with pytest.raises(EndpointError, match="budget"):
            answers(tmp_path, server, ["q3"], budget_money=9.0)
        assert len(server.batches) == 1


def test_a_server_without_batches_is_told_by_its_status(tmp_path: Path):
    with serving([(404, {})]) as served, pytest.raises(EndpointError, match="404"):
        answers(tmp_path, BatchServer(well, endpoint=served.endpoint), NAMES)


def killed(*_: Any) -> Any:
    raise KeyboardInterrupt
