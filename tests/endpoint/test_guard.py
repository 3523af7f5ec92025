"""Patient text leaves this machine only on purpose, and is never logged."""

import logging
from pathlib import Path

import pytest

from clinragen.endpoint.client import ask
from clinragen.endpoint.deidentify import deidentified
from clinragen.endpoint.guard import is_loopback, permit
from clinragen.endpoint.ledger import opened
from clinragen.endpoint.question import Endpoint, Question
from clinragen.errors import EndpointError
from local_endpoint import completion, serving

AWAY = "https://api.example.org/v1"


def test_an_agreement_is_a_name_not_a_blank():
    permit(Endpoint(AWAY, "m"), credentialed=True, agreement="DUA 12, zero retention")
    permit(Endpoint(AWAY, "m"), credentialed=False, agreement="")
    permit(Endpoint("http://127.0.0.1:8000/v1", "m"), credentialed=True, agreement="")
    for blank in ("", "  "):
        with pytest.raises(EndpointError, match="may not be sent") as told:
            permit(Endpoint(AWAY, "m"), credentialed=True, agreement=blank)
        assert r"api.example.org" in str(told.value) and "teach.agreement" in str(told.value)


def test_the_section_that_asks_is_named():
    with pytest.raises(EndpointError, match=r"knowledge\.endpoint"):
        permit(Endpoint("", "m", section="knowledge"), credentialed=False, agreement="")


def test_a_name_that_only_looks_local_is_not_this_machine():
    assert not is_loopback("http://localhost.example.org/v1")
    assert not is_loopback("http://127.0.0.1@example.org/v1")
    assert not is_loopback("http://0.0.0.0/v1")
    assert not is_loopback("127.0.0.1")


@pytest.mark.parametrize("answer", [(200, completion("unreadable orthopnea")), (500, {"e": "orthopnea"})])
def test_no_log_record_at_any_level_holds_patient_text(
    answer: tuple[int, object], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    question = Question("q", ({"role": "user", "content": "Reports orthopnea."},), {})
    for name in ("openai", "openai._base_client", "httpx2", "httpcore2", "httpcore2.http11"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG), serving([answer]) as served, opened(tmp_path / "l") as ledger:
        endpoint = Endpoint(
            served.endpoint, "m", retries=1, failed_runs=1, is_readable=lambda _: False, repair="Again."
        )
        list(ask([question], endpoint, ledger))
        assert len(served.requests) == 2
    assert "orthopnea" not in "".join(map(repr, (record.__dict__ for record in caplog.records)))


IDENTIFYING = {
    "Seen by Dr. Jane Smith today.": "Seen by Dr. [NAME] today.",
    "Mrs. O'Brien-Lee denies pain.": "Mrs. [NAME] denies pain.",
    "Name: Smith, John  Sex: M": "Name: [NAME]  Sex: M",
    "Attending: J. Miller": "Attending: [NAME]",
    "Signed, Ann B. Jones, MD": "Signed, [NAME], MD",
    "Admitted 3/14/2130, discharged 2130-03-20.": "Admitted [DATE], discharged [DATE].",
    "Seen on March 3rd, 2130 and 5 Apr 2130.": "Seen on [DATE] and [DATE].",
    "Stopped on 3/14.": "Stopped on [DATE].",
    "Last visit in June 2129.": "Last visit in [DATE].",
    "Call (617) 555-0123 or 617-555-0123.": "Call [PHONE] or [PHONE].",
    "Pager 31234, fax: 555 1234": "Pager [PHONE], fax: [PHONE]",
    "MRN: 1234567, unit no 455-66-7": "MRN: [ID], unit no [ID]",
    "SSN 123-45-6789": "SSN [ID]",
    "Mail a.b@example.org": "Mail [EMAIL]",
    "Transferred from [**Hospital 12**].": "Transferred from [REMOVED].",
}


@pytest.mark.parametrize("said", IDENTIFYING)
def test_what_identifies_a_person_is_replaced_by_what_it_was(said: str):
    assert deidentified(said) == IDENTIFYING[said]


CLINICAL = (
    "BP 120/80, HR 101, T 38.5, SpO2 92% on 2-3 L.",
    "Creatinine 1.2 -> 3.4 mg/dL over 3 days, lactate 4.1.",
    "Grade 2/6 murmur; strength 4/5; 3/4 blood cultures grew gram-positive cocci.",
    "WBC 12.5, platelets 450000, troponin 0.04; pH 7.21/55/80.",
    "Patient: alert. May take 2 tablets. Marked 3 cm mass. Decreased 5 days ago.",
    "Parkinson disease, Crohn disease; Foley placed.",
)


@pytest.mark.parametrize("said", CLINICAL)
def test_what_is_clinical_stays(said: str):
    assert deidentified(said) == said
