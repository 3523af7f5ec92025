"""Who, whether and when: awaited, conditional and dated matters, relatives, and what a pronoun means."""

import re

import pytest

from clinragen.clinical.phrases import any_phrase
from clinragen.grounding.note import check_note_clause, note_index
from clinragen.grounding.note_alike import is_akin
from clinragen.grounding.note_kinds import kinds_of

NOTE = note_index(
    "PMH: splenectomy 2131, DVT left leg 2122. FHx: mother lupus. Sleeps in a chair since the spring.\n"
    "Ceftriaxone -> rash. Pressure sores of both heels, the right one deep.\n"
    "CT head: no bleed, small left effusion. Echocardiogram requested, report awaited.\n"
    "Plan: plasmapheresis in reserve should steroids fail. AF no, gout yes."
)


def _verdict(text: str, before: str = "") -> str:
    claim = check_note_clause(text, 0, NOTE, before)
    assert claim is not None
    return claim.verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("The echocardiogram has been reported", "contradicted"),
        ("The echocardiogram is still awaited", "supported"),
        ("Plasma exchange will be given", "unverifiable"),
        ("She is being treated for a DVT in the left leg", "contradicted"),
        ("She has lupus", "contradicted"),
        ("Her mother has lupus", "supported"),
        ("There is a left effusion", "supported"),
        ("The effusion is on the right", "contradicted"),
        ("She sleeps in a chair", "supported"),
        ("She has atrial fibrillation", "contradicted"),
    ],
)
def test_what_is_awaited_conditional_dated_or_a_relatives(text: str, verdict: str) -> None:
    assert _verdict(text) == verdict


def test_a_clause_about_a_pronoun_is_read_with_the_one_before() -> None:
    note = note_index("Obstructing 8 mm stone. Cyst of 30 mm.")
    claim = check_note_clause("it is 11 mm across", 0, note, "A stone was found")
    assert claim is not None and claim.verdict == "contradicted"


def test_without_a_difference_nothing_is_contradicted() -> None:
    assert _verdict("She plays the violin") == "unverifiable"


def test_what_a_compound_is_made_of_answers_it() -> None:
    assert {"spleen", "removal"} <= set(kinds_of("splenectomy"))
    assert _verdict("Her spleen was removed") == "supported"


@pytest.mark.parametrize(
    ("said", "told", "akin"),
    [
        ("cavity", "cavitation", True),
        ("peripheral", "periph", True),
        ("hypotension", "hypertension", False),
        ("pneumonia", "pneumothorax", False),
    ],
)
def test_words_of_one_root_are_akin(said: str, told: str, akin: bool) -> None:
    assert is_akin(said, told) is akin


def test_the_longest_phrase_is_found_first() -> None:
    assert re.compile(any_phrase(["heart", "heart failure"])).findall("heart  failure, heart") == [
        "heart  failure",
        "heart",
    ]
