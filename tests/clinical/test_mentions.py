"""A mention is present unless a cue in its own clause says otherwise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.mentions import STATUSES, find_mentions, label_phrases, sign_phrases
from clinragen.ehr.simulation.notes import write_note

PHRASES = {
    "gout": "gout",
    "chest pain": "pain",
    "pain": "pain",
    "stroke": "stroke",
    "absent P waves": "rhythm",
}


def _status(text: str) -> list[str]:
    return [mention.status for mention in find_mentions(text, PHRASES)]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("History of gout.", "present"),
        ("Gout, since the age of 40.", "present"),
        ("No gout.", "negated"),
        ("Denies fever, chills or gout.", "negated"),
        ("Gout was ruled out.", "negated"),
        ("Gout cannot be ruled out.", "uncertain"),
        ("Possible gout.", "uncertain"),
        ("Gout? never tested.", "uncertain"),
        ("Mother had gout.", "family"),
        ("Brother has gout.", "family"),
        ("Family History:\nGout in two.", "family"),
        ("Gout runs in the family.", "family"),
        ("History of gout, since resolved.", "resolved"),
        ("Had a stroke years ago.", "past"),
        ("Prior stroke long ago.", "past"),
        ("Gout diagnosed ten years ago.", "present"),
        ("Treatment planned for gout.", "planned"),
    ],
)
def test_the_cue_decides(text: str, status: str) -> None:
    assert _status(text) == [status]


@pytest.mark.parametrize(
    "text",
    [
        "No fever but gout.",
        "No fever; gout.",
        "No fever. Gout.",
        "No change in gout.",
        "Not only gout.",
        "Mother well; she has gout.",
        "Per brother, gout.",
        "Her mother reports gout.",
        "Father had asthma, the patient has gout.",
        "No necrosis, gout with tophi.",
        "Gout and absent reflexes.",
    ],
)
def test_a_cue_does_not_reach_past_its_clause(text: str) -> None:
    assert _status(text) == ["present"]


def test_the_longest_phrase_wins_in_whole_words_and_any_case() -> None:
    found = find_mentions("CHEST\nPAIN, painful, pain.", PHRASES)
    assert [(mention.text, mention.start) for mention in found] == [("CHEST\nPAIN", 0), ("pain", 21)]


def test_a_cue_inside_a_phrase_says_nothing_about_its_neighbours() -> None:
    assert _status("Shows pain and absent P waves.") == ["present", "present"]


def test_every_label_and_every_sign_can_be_found() -> None:
    assert set(label_phrases().values()) == set(sign_phrases().values()) == set(diagnosis_names())
    assert all(find_mentions(f"Noted {sign}.", sign_phrases())[0].text == sign for sign in sign_phrases())


def test_the_mentions_of_simulated_notes_are_read_as_they_were_written() -> None:
    rng, names = np.random.default_rng(5), diagnosis_names()
    phrases = {**label_phrases(), **sign_phrases()}
    for _ in range(100):
        present = [names[i] for i in rng.permutation(25)[:4]]
        note, written = write_note(rng, "70-year-old man sent from clinic for weakness.", present, present)
        read = {(mention.start, mention.end): mention.status for mention in find_mentions(note, phrases)}
        assert read == {(mention.start, mention.end): mention.status for mention in written}


@given(
    st.lists(st.sampled_from(["no", "gout", ",", "but", "mother", "?", "\n", ". ", "İ", "pain"]), max_size=12)
)
def test_a_mention_is_exactly_its_text(words: list[str]) -> None:
    text = " ".join(words)
    for mention in find_mentions(text, PHRASES):
        assert text[mention.start : mention.end] == mention.text
        assert mention.status in STATUSES


def test_no_phrases_find_nothing() -> None:
    assert find_mentions("gout", {}) == ()
