"""Fetching politely: at the agreed pace, with patience, and never twice."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from local_sites import Answer, Asked, serving

from clinragen.errors import KnowledgeError
from clinragen.knowledge.web import BusyError, Web


def in_turn(answers: Sequence[Answer]) -> Callable[[Asked], Answer]:
    """The answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def web(folder: Path, per_second: float = 1000.0) -> Web:
    return Web(folder, per_second, "a@b.org", who={"api_key": "secret"}, first_wait=0.01)


def test_requests_keep_the_pace(tmp_path: Path) -> None:
    with serving(in_turn([Answer("x")])) as site:
        polite = web(tmp_path, per_second=50.0)
        for number in range(10):
            polite.get(site.url, {"n": str(number)}, str)
    gaps = [b.at - a.at for a, b in zip(site.asked, site.asked[1:], strict=False)]
    assert min(gaps) >= 1 / 50


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(tmp_path: Path, status: int) -> None:
    with serving(in_turn([Answer("", status), Answer("", status), Answer("here")])) as site:
        polite = web(tmp_path)
        found, _ = polite.get(site.url, {}, str)
    assert found == "here"
    assert polite.counts == {"fetched": 3, "cached": 0, "retried": 2}


def test_the_wait_grows_and_a_wait_that_the_server_names_is_kept(tmp_path: Path) -> None:
    def in_two_seconds(_: Asked) -> Answer:
        soon = datetime.now(UTC) + timedelta(seconds=2)
        return Answer("", 429, {"Retry-After": format_datetime(soon, usegmt=True)})

    first_twice = in_turn([Answer("", 503), Answer("", 503)])
    answers = [first_twice, first_twice, in_two_seconds, in_turn([Answer("here")])]
    with serving(lambda asked: answers.pop(0)(asked)) as site:
        Web(tmp_path, 1000.0, first_wait=0.1).get(site.url, {}, str)
    first, second, named = (b.at - a.at for a, b in zip(site.asked, site.asked[1:], strict=False))
    assert (first >= 0.1, second >= 0.2) == (True, True)
    assert named > 0.9  # a date has whole seconds, so it lies one to two seconds ahead


def test_a_server_that_is_busy_in_words_is_asked_again_and_its_words_are_not_kept(tmp_path: Path) -> None:
    def read(body: str) -> str:
        if body == "later":
            raise BusyError(body)
        return body

    with serving(in_turn([Answer("later"), Answer("here")])) as site:
        assert web(tmp_path).get(site.url, {}, read)[0] == "here"
    assert web(tmp_path).get(site.url, {}, read)[0] == "here"


def test_a_server_that_stays_silent_is_told_with_what_to_do(tmp_path: Path) -> None:
    with serving(in_turn([Answer("", 502)])) as site, pytest.raises(KnowledgeError, match="run again later"):
        web(tmp_path).get(site.url, {}, str)
    assert len(site.asked) == 6
    assert not list(tmp_path.rglob("*.json"))


def test_a_refusal_is_not_asked_again_and_no_secret_is_told(tmp_path: Path) -> None:
    with serving(in_turn([Answer("", 403)])) as site, pytest.raises(KnowledgeError) as told:
        web(tmp_path).get(site.url, {}, str)
    assert len(site.asked) == 1
    assert site.asked[0].query == {"api_key": "secret"}
    assert "secret" not in str(told.value)


def test_what_was_fetched_needs_no_network_and_has_its_day(tmp_path: Path) -> None:
    with serving(in_turn([Answer("héllo")])) as site:
        first = web(tmp_path).get(site.url, {"term": "sepsis"}, str)
    again = web(tmp_path)
    assert again.get(site.url, {"term": "sepsis"}, str) == first
    assert again.counts == {"fetched": 0, "cached": 1, "retried": 0}
    kept = "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    assert "secret" not in kept
    assert first[1].day == datetime.now(UTC).date().isoformat()


def test_who_asks_is_told(tmp_path: Path) -> None:
    with serving(in_turn([Answer("x")])) as site:
        web(tmp_path).get(site.url, {}, str)
    assert site.asked[0].agent.startswith("clinragen/")
    assert "a@b.org" in site.asked[0].agent
