"""Sections and sentences keep exact offsets and the abbreviations of clinicians."""

from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.notes import section_titles, sections, sentences

NOTE = """HPI: fell at home. Denies pain.
PAST MEDICAL HISTORY
gout
Family history: mother had a stroke.
Seen by the ward team.
Exam - lungs clear. CXR: small effusion.
Discharge Diagnosis:
pneumonia
"""


def _split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _titles(note: str) -> list[str]:
    return [section.title for section in sections(note)]


def test_headings_of_every_style_are_normalised() -> None:
    assert _titles(NOTE) == [
        "history of present illness",
        "past history",
        "family history",
        "other",
        "exam",
        "imaging",
        "discharge diagnosis",
    ]


def test_a_family_history_in_one_line_does_not_swallow_the_next_line() -> None:
    family = next(section for section in sections(NOTE) if section.title == "family history")
    assert NOTE[family.start : family.end] == "Family history: mother had a stroke.\n"


def test_a_heading_alone_keeps_its_lines_below() -> None:
    note = "Family History:\nMother: gout.\nFather: asthma.\n\nPLAN\nhome"
    family = sections(note)[0]
    assert (family.title, note[family.body : family.end].split()) == (
        "family history",
        ["Mother:", "gout.", "Father:", "asthma."],
    )


def test_text_without_headings_is_one_other_section() -> None:
    assert _titles("She came walking.") == ["other"]
    assert _titles("") == ["other"]


def test_abbreviations_do_not_end_a_sentence() -> None:
    text = "Seen by Dr. Ames. C. difficile grew. Creatinine 2.5 mg. On 3 L. Now better."
    assert _split(text) == [
        "Seen by Dr. Ames.",
        "C. difficile grew.",
        "Creatinine 2.5 mg.",
        "On 3 L.",
        "Now better.",
    ]


def test_a_wrapped_line_goes_on_and_a_list_item_stands_alone() -> None:
    assert _split("pain in the\nleft leg\n1. Aspirin\n2. Insulin") == [
        "pain in the\nleft leg",
        "1. Aspirin",
        "2. Insulin",
    ]


def test_a_question_mark_of_doubt_does_not_end_a_sentence() -> None:
    assert _split("COPD? never tested. Liver up, ? shock liver.") == [
        "COPD? never tested.",
        "Liver up, ? shock liver.",
    ]


@given(st.text(alphabet="ab C.?!\n:1L", max_size=60))
def test_sections_cover_the_note_and_sentences_hold_all_its_words(text: str) -> None:
    parts = sections(text)
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert all(part.title in section_titles() for part in parts)
    assert "".join("".join(_split(text)).split()) == "".join(text.split())
