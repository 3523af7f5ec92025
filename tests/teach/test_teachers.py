"""What holds for every teacher, and how the remote one deals with what a server may do."""

import json
import logging
from pathlib import Path
from typing import Any, get_args

import pytest
from invented_askings import asking, patient

from clinragen.endpoint import calls
from clinragen.endpoint.guard import is_loopback, permit
from clinragen.endpoint.ledger import opened
from clinragen.errors import EndpointError
from clinragen.grounding.checker import Checker
from clinragen.knowledge.base import curated_facts
from clinragen.recipe import Teach
from clinragen.teach import local, remote
from clinragen.teach.asking import Asking
from clinragen.teach.prompt import messages_for, prompt
from clinragen.teach.questions import questions
from clinragen.teach.replies import read_reply
from clinragen.teach.shard import taught
from clinragen.teach.teachers import TEACHERS
from local_endpoint import GOOD, completion, serving
from patients import stay

TOLD = prompt("told-2")


def permitted(about: Asking) -> None:
    permit(remote.endpoint_of(about.settings), about.credentialed, about.settings.agreement)


@pytest.mark.parametrize("kind", TEACHERS)
def test_a_rerun_gives_the_same_replies_without_a_call(
    kind: str, tmp_path: Path, models: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    with serving([(200, completion(GOOD))]) as served:
        about = asking(tmp_path, served.endpoint, kind, model=models[kind], max_tokens=8)
        first = TEACHERS[kind].write([patient("a"), patient("b")], about)
        calls = len(served.requests)
        again = TEACHERS[kind].write([patient("a"), patient("b")], about)
        assert len(served.requests) == calls
    # The server is gone, and no model can be loaded: the ledger answers alone.
    monkeypatch.setattr(local, "load", None)
    gone = TEACHERS[kind].write([patient("b"), patient("a")], about)
    assert first == again == gone[::-1]


@pytest.mark.parametrize("kind", TEACHERS)
def test_replies_come_one_for_each_stay_in_order(kind: str, tmp_path: Path, models: dict[str, str]):
    stays = [patient(name, note=f"Reports orthopnea. Bed {name}.") for name in "dbca"]
    with serving([(200, completion(GOOD))]) as served:
        about = asking(tmp_path, served.endpoint, kind, model=models[kind], max_tokens=8)
        replies = TEACHERS[kind].write(stays, about)
    assert [reply.stay_id for reply in replies] == list("dbca")
    assert TEACHERS[kind].write([], about) == []


BAD: dict[str, tuple[tuple[int, Any], str]] = {
    "prose": ((200, completion("I think it is the kidneys.")), "malformed"),
    "half an object": ((200, completion('{"note": "The note', finish="length")), "malformed"),
    "one part": ((200, completion('{"note": "The note reports orthopnea."}')), "malformed"),
    "an empty part": ((200, completion('{"note": " ", "series": "x"}')), "malformed"),
    "a list for a text": ((200, completion('{"note": ["x"], "series": "x"}')), "malformed"),
    "a deep nest": ((200, completion('{"a":' * 20_000 + "}" * 20_000)), "malformed"),
    "an endless number": ((200, completion('{"note": ' + "1" * 9_000 + "}")), "malformed"),
    "no content": ((200, completion(None)), "malformed"),
    "no choices": ((200, {"id": "1", "choices": []}), "malformed"),
    "a web page": ((200, "<html>maintenance</html>"), "malformed"),
    "a refusal": ((200, completion(None, refusal="I cannot help with that.")), "refused"),
    "a filter": ((200, completion("", finish="content_filter")), "refused"),
    "a filtered prompt": ((400, {"error": {"message": "no", "code": "content_filter"}}), "refused"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_reply_is_a_recorded_rejection_never_a_rationale(case: str, tmp_path: Path):
    answer, reason = BAD[case]
    with serving([answer]) as served:
        done = taught([patient()], asking(tmp_path, served.endpoint), Checker())
        calls = len(served.requests)
        taught([patient()], asking(tmp_path, served.endpoint), Checker())
    assert done.kept == []
    assert [(each.part, each.reason) for each in done.rejected] == [("note", reason), ("series", reason)]
    assert done.tally[f"note/rejected: {reason}"] == 1
    # A malformed reply gets one attempt at repair; neither is asked about again.
    assert calls == len(served.requests) == (2 if reason == "malformed" else 1)


def test_a_reply_that_is_repaired_counts_both_calls(tmp_path: Path):
    with serving([(200, completion("Sure!")), (200, completion(GOOD))]) as served:
        (reply,) = remote.write([patient()], asking(tmp_path, served.endpoint))
    assert (reply.problem, reply.series) == ("", "Creatinine is high.")
    assert [message["role"] for message in served.requests[1]["messages"]][-2:] == ["assistant", "user"]
    with opened(tmp_path / "ledger.sqlite") as ledger:
        (question,) = questions([patient()], asking(tmp_path, served.endpoint))
        kept = ledger.get(question.key)
    # Each call costs 7 tokens in and 3 out.
    assert kept is not None and (kept.asked, kept.tokens_in, kept.tokens_out) == (2, 14, 6)


def test_words_around_the_object_are_passed_over():
    assert read_reply(f"Here you are:\n```json\n{GOOD}\n```\nBye.") == json.loads(GOOD)
    assert read_reply('{"note": "two\nlines", "series": "a  b"}') == {"note": "two lines", "series": "a b"}
    assert read_reply('{"note": "\\ud800", "series": "b"}') == {"note": "?", "series": "b"}


def test_a_contradicted_rationale_is_rejected_with_its_claims(tmp_path: Path):
    wrong = json.dumps({"note": "The note reports orthopnea.", "series": "Creatinine is low."})
    with serving([(200, completion(wrong))]) as served:
        done = taught([patient()], asking(tmp_path, served.endpoint), Checker())
        loose = taught([patient()], asking(tmp_path, served.endpoint, keep_contradicted=True), Checker())
    assert [each.part for each in done.kept] == ["note"]
    (rejection,) = done.rejected
    assert (rejection.part, rejection.reason) == ("series", "contradicted")
    assert [claim.subject for claim in rejection.claims] == ["creatinine"]
    assert [each.part for each in loose.kept] == ["note", "series"] and not loose.rejected


def test_a_changed_note_is_asked_about_again(tmp_path: Path):
    with serving([(200, completion(GOOD))]) as served:
        remote.write([patient()], asking(tmp_path, served.endpoint))
        remote.write([patient(note="Reports orthopnea at night.")], asking(tmp_path, served.endpoint))
        remote.write([patient()], asking(tmp_path, served.endpoint, model="other"))
        assert len(served.requests) == 3


def test_the_prompt_holds_diagnoses_findings_facts_and_note_even_with_dollar_signs():
    _, user = messages_for(patient(note="Reports orthopnea. Paid $note."), curated_facts(), TOLD)
    for words in (
        "acute kidney injury, heart failure",
        "creatinine is high and rising",
        "KDIGO",
        "Framingham",
        "Paid $note.",
    ):
        assert words in user["content"]


@pytest.mark.parametrize("prompt_id", get_args(Teach.model_fields["prompt"].annotation))
def test_every_version_of_a_prompt_is_there_and_shows_the_record(prompt_id: str):
    asked = messages_for(patient(), curated_facts(), prompt(prompt_id))
    assert [message["role"] for message in asked] == ["system", "user"]
    told = "heart rate is normal all the time" if prompt_id == "paper-1" else "creatinine is high and rising"
    assert told in asked[1]["content"]
    assert "Reports orthopnea." in asked[1]["content"]
    assert "JSON" in asked[0]["content"] and "$" not in asked[0]["content"] + asked[1]["content"]


def test_the_prompt_says_that_nothing_was_measured():
    _, user = messages_for(stay(diagnoses=[]), curated_facts(), TOLD)
    assert "Measurements:\nnone" in user["content"] and "Diagnoses: none" in user["content"]


@pytest.mark.parametrize(
    "endpoint", ["https://api.example.org/v1", "http://10.0.0.7:8000/v1", "http://0.0.0.0/"]
)
def test_credentialed_records_leave_this_machine_only_under_an_agreement(endpoint: str, tmp_path: Path):
    with pytest.raises(EndpointError, match="may not be sent"):
        remote.write([patient()], asking(tmp_path, endpoint, credentialed=True))
    permitted(asking(tmp_path, endpoint, credentialed=True, agreement="DUA 12, zero retention"))
    permitted(asking(tmp_path, endpoint))


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:8000/v1", "http://127.0.0.1/v1", "http://[::1]:80/v1"]
)
def test_an_endpoint_on_this_machine_needs_no_agreement(endpoint: str, tmp_path: Path):
    permitted(asking(tmp_path, endpoint, credentialed=True))


def test_a_name_that_only_looks_local_is_not_this_machine():
    assert not is_loopback("http://localhost.example.org/v1")
    assert not is_loopback("http://127.0.0.1@example.org/v1")
    assert not is_loopback("127.0.0.1")


def test_missing_settings_are_named(tmp_path: Path):
    with pytest.raises(EndpointError, match=r"teach\.endpoint"):
        remote.write([patient()], asking(tmp_path))
    with pytest.raises(EndpointError, match=r"teach\.model"):
        remote.write([patient()], asking(tmp_path, "http://127.0.0.1/v1", model=""))


def test_a_wrong_key_ends_the_step_without_repeating_the_note(tmp_path: Path):
    body = {"error": {"message": "bad key for: Reports orthopnea", "code": "invalid_api_key"}}
    with serving([(401, body)]) as served, pytest.raises(EndpointError, match="401") as told:
        remote.write([patient()], asking(tmp_path, served.endpoint))
    assert "orthopnea" not in str(told.value)


def test_a_server_that_is_gone_ends_the_step_and_keeps_what_was_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(calls, "FIRST_WAIT_SECONDS", 0.01)
    with serving([(200, completion(GOOD))]) as served:
        remote.write([patient("a")], asking(tmp_path, served.endpoint))
    other = patient("b", note="Reports asterixis.")
    with pytest.raises(EndpointError, match="cannot be reached"):
        remote.write([patient("a"), other], asking(tmp_path, served.endpoint))
    assert remote.write([patient("a")], asking(tmp_path, served.endpoint))[0].problem == ""


def test_no_log_holds_the_note(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG), serving([(200, completion(GOOD))]) as served:
        remote.write([patient()], asking(tmp_path, served.endpoint))
    assert "orthopnea" not in caplog.text
