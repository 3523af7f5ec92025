"""Many questions to a server that fails in every way a server can: nothing is lost, nothing asked twice."""

import time
from collections.abc import Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from clinragen.endpoint import calls, client
from clinragen.endpoint.calls import retry_after
from clinragen.endpoint.client import ask
from clinragen.endpoint.ledger import Answer, opened
from clinragen.endpoint.question import Endpoint, Question
from clinragen.errors import EndpointError
from local_endpoint import CUT, DROP, HANG, Said, completion, serving

WELL = (200, completion("fine"))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "FIRST_WAIT_SECONDS", 0.01)


def question(name: str) -> Question:
    return Question(name, ({"role": "user", "content": f"What of {name}?"},), {"temperature": 0.0})


def answers(folder: Path, url: str, names: Sequence[str], **terms: Any) -> dict[str, Answer]:
    with opened(folder / "ledger.sqlite") as ledger:
        given = Endpoint(url, "tiny", **{"retries": 3, "at_once": 2, **terms})
        return dict(ask(map(question, names), given, ledger))


def by_name(bad: str, *said: Said) -> Any:
    """Answers in turn to the one question named, and well to every other."""
    turn = iter(said)
    return lambda asked: next(turn, said[-1]) if bad in asked["messages"][0]["content"] else WELL


def test_every_question_is_answered_once_and_paid_for_once(tmp_path: Path):
    names = [f"q{number}" for number in range(20)]
    with serving([WELL]) as served:
        got = answers(tmp_path, served.endpoint, [*names, *names], price_in=1.0, price_out=10.0)
        again = answers(tmp_path, served.endpoint, names)
        assert len(served.requests) == 20
    assert again == got and set(got) == set(names)
    # 7 tokens in at 1 and 3 out at 10 a million.
    assert got["q0"].cost == pytest.approx(37e-6)
    with opened(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.spent() == (pytest.approx(20 * 37e-6), 200)


PASSING: dict[str, tuple[Said, str]] = {
    "an error of the server": ((500, {"error": {"message": "oh"}}), "status 500"),
    "a server that is starting": ((503, "not yet"), "status 503"),
    "a rate limit": ((429, {"error": {"message": "slow"}}, {"Retry-After": "0"}), "status 429"),
    "a dropped connection": ((DROP, {}), "connection"),
    "a body cut short": ((CUT, completion("fine")), "connection"),
    "an answer too late": ((HANG, completion("fine")), "timeout"),
}


@pytest.mark.parametrize("case", PASSING)
def test_a_failure_in_passing_is_recorded_and_tried_again(case: str, tmp_path: Path):
    said, kind = PASSING[case]
    with serving([said, said, WELL]) as served:
        got = answers(tmp_path, served.endpoint, ["q"], timeout_seconds=1.0 if said[0] == HANG else 60.0)
    assert (got["q"].status, got["q"].reply) == ("answered", "fine")
    with opened(tmp_path / "ledger.sqlite") as ledger:
        assert [(call.kind, call.is_last) for call in ledger.failed("q")] == [(kind, False)] * 2


def test_retry_after_is_obeyed(tmp_path: Path):
    with serving([(429, {}, {"Retry-After": "0.4"}), WELL]) as served:
        answers(tmp_path, served.endpoint, ["q"])
        first, second = served.times
    assert second - first >= 0.4


def test_retry_after_may_be_seconds_or_a_date_and_is_never_for_ever():
    assert retry_after(None) is None and retry_after("soon") is None
    assert retry_after("7") == 7.0 and retry_after("-1") == 0.0 and retry_after("1e9") == 600.0
    in_a_minute = retry_after(formatdate(time.time() + 60, usegmt=True))
    assert in_a_minute is not None and 50 < in_a_minute <= 60


def test_a_question_that_fails_does_not_keep_the_others(tmp_path: Path):
    names = [f"q{number}" for number in range(9)] + ["bad"]
    with serving(by_name("bad", (500, {}))) as served:
        with pytest.raises(EndpointError, match="1 questions were not answered, 9 were") as told:
            answers(tmp_path, served.endpoint, names)
        assert "status 500: 1" in str(told.value)
        asked = len(served.requests)
        # Only the one that failed is asked again, and this time the server is well.
    with serving([WELL]) as served:
        assert set(answers(tmp_path, served.endpoint, names)) == set(names)
        assert (asked, len(served.requests)) == (9 + 4, 1)


def test_a_question_that_fails_in_every_run_is_given_up_and_counted(tmp_path: Path):
    with serving(by_name("bad", (500, {}))) as served:
        with pytest.raises(EndpointError):
            answers(tmp_path, served.endpoint, ["bad", "q"], failed_runs=2, retries=1)
        second = answers(tmp_path, served.endpoint, ["bad", "q"], failed_runs=2, retries=1)
        calls_so_far = len(served.requests)
        third = answers(tmp_path, served.endpoint, ["bad", "q"], failed_runs=2, retries=1)
        assert len(served.requests) == calls_so_far == 1 + 2 * 2
    assert second["bad"].status == third["bad"].status == "given up"
    assert third["bad"].reply == "status 500"


def test_a_fault_of_the_question_itself_is_not_tried_again_in_the_same_run(tmp_path: Path):
    too_long = (413, {"error": {"message": "too long: the note", "code": "too_long"}})
    with serving(by_name("bad", too_long)) as served:
        with pytest.raises(EndpointError, match="status 413: 1") as told:
            answers(tmp_path, served.endpoint, ["q", "bad"])
        assert len(served.requests) == 2
    assert "note" not in str(told.value)


def test_a_server_that_answers_nothing_ends_the_run_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "MOST_FAILURES_IN_A_ROW", 4)
    with serving([(500, {})]) as served:
        with pytest.raises(EndpointError, match="cannot be reached"):
            answers(tmp_path, served.endpoint, [f"q{n}" for n in range(100)], retries=0)
        assert len(served.requests) < 12


def test_a_server_that_is_not_there_never_makes_a_question_be_given_up(tmp_path: Path):
    with serving([WELL]) as served:
        gone = served.endpoint
    for _ in range(3):
        with pytest.raises(EndpointError, match="cannot be reached") as told:
            answers(tmp_path, gone, ["q"], failed_runs=1, retries=0)
        assert "unreachable: 1" in str(told.value)
    with opened(tmp_path / "ledger.sqlite") as ledger:
        assert [(call.kind, call.is_last) for call in ledger.failed("q")] == [("unreachable", False)] * 3
    with serving([WELL]) as served:
        assert answers(tmp_path, served.endpoint, ["q"], failed_runs=1)["q"].status == "answered"


def test_a_wrong_key_ends_the_run_at_once_and_keeps_what_was_answered(tmp_path: Path):
    with serving([WELL, WELL, (401, {"error": {"message": "bad key"}})]) as served:
        with pytest.raises(EndpointError, match="401"):
            answers(tmp_path, served.endpoint, [f"q{n}" for n in range(50)], at_once=1)
        assert len(served.requests) == 3
    with opened(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.get("q0") and ledger.get("q1") and not ledger.get("q2")


@pytest.mark.parametrize("budget", [{"budget_tokens": 50}, {"budget_money": 50e-6}])
def test_a_budget_stops_cleanly_and_a_rerun_with_more_goes_on(budget: dict[str, Any], tmp_path: Path):
    names = [f"q{number}" for number in range(12)]
    prices = {"price_in": 1.0, "price_out": 1.0, "at_once": 1}
    with serving([WELL]) as served:
        # 10 tokens each: the fifth answer reaches 50; one more may already be on its way.
        with pytest.raises(EndpointError, match="budget is used up"):
            answers(tmp_path, served.endpoint, names, **prices, **budget)
        spent = len(served.requests)
        assert 5 <= spent <= 6
        with pytest.raises(EndpointError, match="budget is used up"):
            answers(tmp_path, served.endpoint, names, **prices, **budget)
        assert len(served.requests) == spent
        assert set(answers(tmp_path, served.endpoint, names, **prices)) == set(names)
        assert len(served.requests) == 12


def test_what_the_ledger_knows_is_given_even_when_the_budget_is_used_up(tmp_path: Path):
    with serving([WELL]) as served:
        answers(tmp_path, served.endpoint, ["q"])
        assert set(answers(tmp_path, served.endpoint, ["q"], budget_tokens=1)) == {"q"}


def test_questions_are_drawn_only_as_the_endpoint_takes_them(tmp_path: Path):
    drawn: list[int] = []

    def endless() -> Any:
        for number in range(10_000):
            drawn.append(number)
            yield question(f"q{number}")

    with serving([WELL]) as served, opened(tmp_path / "ledger.sqlite") as ledger:
        asking = ask(endless(), Endpoint(served.endpoint, "tiny", at_once=2), ledger)
        next(asking)
        asking.close()
        # Two under way, two waiting behind them, and those that had come by then.
        assert len(drawn) <= 12
        # What was under way when nobody listened any more is kept.
        assert sum(ledger.get(f"q{number}") is not None for number in drawn) == len(served.requests)


SHAPE = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def test_a_server_that_takes_no_schema_is_asked_without_it_from_then_on(tmp_path: Path):
    def answer(asked: dict[str, Any]) -> Said:
        return (400, {"error": {"message": "response_format"}}) if "response_format" in asked else WELL

    with serving(answer) as served:
        names = [f"q{number}" for number in range(5)]
        got = answers(tmp_path, served.endpoint, names, schema=SHAPE, at_once=1)
        assert [each.status for each in got.values()] == ["answered"] * 5
        assert ["response_format" in asked for asked in served.requests] == [True] + [False] * 5


def test_a_server_that_takes_a_schema_is_sent_it(tmp_path: Path):
    with serving([WELL]) as served:
        answers(tmp_path, served.endpoint, ["q"], schema=SHAPE)
    sent = served.requests[0]["response_format"]
    assert sent["type"] == "json_schema" and sent["json_schema"]["schema"] == SHAPE


def test_a_question_at_fault_takes_no_schema_from_the_others(tmp_path: Path):
    with serving(by_name("bad", (400, {}))) as served, pytest.raises(EndpointError, match="1 questions"):
        answers(tmp_path, served.endpoint, ["bad", "q1", "q2"], schema=SHAPE, at_once=1)
    assert ["response_format" in asked for asked in served.requests] == [True, False, True, True]
