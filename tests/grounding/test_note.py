"""What a note says of a clause: supported, contradicted, or nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinragen.clinical.diagnoses import signs
from clinragen.clinical.mentions import sign_phrases
from clinragen.grounding.note import check_note_clause, note_index
from clinragen.schema import Claim

NOTE = note_index(
    "HPI: reports crushing chest pain. Denies palpitations. Right foot cool and pale; left foot warm.\n"
    "History: hypothyroidism. Formerly on metformin, none now. Appendectomy in childhood.\n"
    "Family: mother with gout, father with asthma.\n"
    "Medications: home lisinopril 10 mg, warfarin held for the procedure.\n"
    "CT: possible abscess in the left psoas, spleen normal. Blood cultures grew Klebsiella.\n"
    "Plan: thoracentesis tomorrow. Dialysis if the potassium rises. Echo pending."
)


def _verdict(text: str) -> str:
    claim = check_note_clause(text, 0, NOTE)
    assert claim is not None
    return claim.verdict


@pytest.mark.parametrize(
    "text",
    [
        "The note reports crushing chest pain",
        "The note mentions no palpitations",
        "Palpitations are denied",
        "The right foot is cool",
        "Her mother had gout",
        "Home lisinopril is recorded",
        "He takes lisinopril 10 mg",
        "Metformin was formerly taken",
        "Warfarin is being held",
        "An appendectomy was done in childhood",
        "An abscess in the left psoas is possible",
        "Klebsiella grew in the blood cultures",
        "Thoracentesis is planned for tomorrow",
    ],
)
def test_what_the_note_says_is_supported(text: str) -> None:
    assert _verdict(text) == "supported"


@pytest.mark.parametrize(
    "text",
    [
        "There is no crushing chest pain",
        "The note reports palpitations",
        "The left foot is cool",
        "The patient has gout",
        "Her father had gout",
        "He takes lisinopril 40 mg",
        "Home losartan 10 mg is recorded",
        "He is currently on metformin",
        "He takes warfarin",
        "There is an abscess in the left psoas",
        "The spleen is enlarged",
        "Pseudomonas grew in the blood cultures",
        "Thoracentesis was performed",
        "An echo was completed",
    ],
)
def test_what_the_note_tells_otherwise_is_contradicted(text: str) -> None:
    assert _verdict(text) == "contradicted"


@pytest.mark.parametrize(
    "text",
    [
        "The note mentions black tarry stools",
        "which suggests myocardial infarction",
        "the chest pain is due to a dissection",
        "Dialysis was started",
        "The cause of the abscess is diverticulitis",
    ],
)
def test_what_the_note_leaves_out_or_does_not_conclude_is_unverifiable(text: str) -> None:
    assert _verdict(text) == "unverifiable"


@pytest.mark.parametrize(
    ("note", "before", "text", "verdict"),
    [
        (
            "Possible wound dehiscence.",
            "Creatinine is high",
            "suggesting acute kidney injury",
            "unverifiable",
        ),
        ("Possible ground-glass changes on CT.", "The note reports them", "suggesting COPD", "unverifiable"),
        ("Type 2 diabetes.", "The note reports type 2 diabetes", "pointing to diabetes", "unverifiable"),
        ("Creatinine is up. Septic shock.", "Creatinine is high", "suggesting septic shock", "unverifiable"),
        (
            "Mottled knees consistent with septic shock.",
            "The knees are mottled",
            "suggesting septic shock",
            "supported",
        ),
    ],
)
def test_an_inference_is_supported_only_where_the_note_draws_it(
    note: str, before: str, text: str, verdict: str
) -> None:
    claim = check_note_clause(text, 0, note_index(note), before)
    assert claim is not None and claim.verdict == verdict


@pytest.mark.parametrize(
    ("note", "text", "verdict"),
    [
        ("The skin is warm.", "The kidney is warm", "unverifiable"),
        ("History of COPD.", "The note reports COPD", "supported"),
        ("DVT left leg (warfarin 6 months, then stopped).", "She takes warfarin", "contradicted"),
        ("HBsAg neg, HEV pending.", "Hepatitis E has been excluded", "contradicted"),
        ("Chest film: heart size normal.", "The heart is not enlarged", "supported"),
        ("Chest film: heart enlarged.", "The heart is not enlarged", "contradicted"),
        ("Seizure-free on lamotrigine.", "She has seizures on lamotrigine", "contradicted"),
        ("Four appropriate ICD shocks.", "He was shocked six times", "contradicted"),
        ("Encephalopathy grade 3.", "She has grade 2 encephalopathy", "contradicted"),
        ("Burns 9% BSA.", "Burns cover 19 percent of the body surface", "contradicted"),
        ("Klebsiella: R pip-tazo, S meropenem.", "The Klebsiella is resistant to meropenem", "contradicted"),
        ("Old L MCA stroke w/ residual R arm weakness.", "Her left arm is weak", "contradicted"),
        ("R leg swollen, L leg normal.", "The left leg is swollen", "contradicted"),
        ("R and L legs swollen.", "The left leg is swollen", "supported"),
    ],
)
def test_details_decide(note: str, text: str, verdict: str) -> None:
    claim = check_note_clause(text, 0, note_index(note))
    assert claim is not None and claim.verdict == verdict


def test_a_cause_that_the_note_states_is_supported() -> None:
    note = note_index("Missed torsemide because of a refill mix-up.")
    claim = check_note_clause("She missed torsemide because of a refill mix-up", 0, note)
    assert claim is not None and claim.verdict == "supported"


@pytest.mark.parametrize("text", ["", "She may need a few days of care", "He is as she was"])
def test_a_clause_that_states_nothing_gives_no_claim(text: str) -> None:
    assert check_note_clause(text, 0, NOTE) is None


def test_an_empty_note_supports_and_contradicts_nothing() -> None:
    claim = check_note_clause("She has gout", 7, note_index(""))
    assert claim == Claim(
        "She has gout", 7, 19, "note", "gout", "unverifiable", (), "the note does not speak of this"
    )


def test_the_evidence_is_the_place_in_the_note() -> None:
    claim = check_note_clause("Her mother had gout", 0, NOTE)
    assert claim is not None
    place, quoted = claim.evidence[0].split(": ", 1)
    start, end = map(int, place.removeprefix("note[").removesuffix("]").split(":"))
    assert quoted == " ".join(NOTE.text[start:end].split()) == "Family: mother with gout, father with asthma."


def test_the_same_amount_in_another_unit_agrees() -> None:
    note = note_index("8 kg wt gain in 3 wks.")
    for text, verdict in (
        ("Her weight rose by 18 pounds", "supported"),
        ("She gained 8 pounds", "contradicted"),
    ):
        claim = check_note_clause(text, 0, note)  # 18 lb = 8.16 kg
        assert claim is not None and claim.verdict == verdict


SIGNS = sorted(sign_phrases())


@settings(max_examples=60)
@given(
    sign=st.sampled_from(SIGNS),
    frame=st.sampled_from(["The note reports {}", "On exam there is {}", "{} is noted"]),
)
def test_a_present_sign_reads_back_and_its_denial_does_not(sign: str, frame: str) -> None:
    note = note_index(f"Resting in bed. Noted {sign}. Full code.")
    said, denied = (
        check_note_clause(frame.format(sign), 0, note),
        check_note_clause(f"There is no {sign}", 0, note),
    )
    assert said is not None and said.verdict == "supported"
    assert denied is not None and denied.verdict == "contradicted"


@settings(max_examples=60)
@given(pair=st.lists(st.sampled_from(signs()), min_size=2, max_size=2))
def test_a_sign_that_shares_no_word_with_the_note_is_unverifiable(pair: list[tuple[str, str]]) -> None:
    (_, told), (_, asked) = pair
    if not set(told.lower().split()) & set(asked.lower().split()):
        claim = check_note_clause(f"The note mentions {asked}", 0, note_index(f"Noted {told}."))
        assert claim is not None and claim.verdict == "unverifiable"


def test_invented_claims_get_the_verdict_of_a_reader() -> None:
    """At least four of five; the part "check" was first looked at when all was done (32 of 44)."""
    lines = (Path(__file__).parent / "note_claims.jsonl").read_text(encoding="utf-8").splitlines()
    verdicts = [
        (claim["verdict"], found.verdict if found else None)
        for case in map(json.loads, lines)
        for claim in case["claims"]
        for found in [check_note_clause(claim["text"], 0, note_index(case["note"]))]
    ]
    assert len(verdicts) > 80
    assert sum(wanted == found for wanted, found in verdicts) >= 0.8 * len(verdicts)
