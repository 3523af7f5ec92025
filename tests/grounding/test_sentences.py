"""Where a rationale is cut into clauses, which of them only comment, and how number words are read."""

import pytest

from clinragen.grounding.plain import plain
from clinragen.grounding.remarks import is_heading, is_remark
from clinragen.grounding.sentences import clauses
from clinragen.grounding.windows import find_window

CUT = """
The white count leapt from 7.0 to 41.9 | and had halved by the end
Creatinine is high and rising | suggesting acute kidney injury
The clot is in the left leg | and the lungs are clear
Lactate fell | while the pH rose
She has no rash | and her sodium was low
Fever had gone by the last reading | the antifungal having brought it down
Every glucose was high | steroids being the reason
E. coli was recovered from the ascites | a strain resistant to ceftriaxone
Potassium rose to 5.8 | a mild elevation
Creatinine climbed throughout, from 159 to 433 µmol/L | urea more than doubled
Bleeding came from an ulcer | which was treated with clips
The white count and CRP both fell | the latter by more than half
Glucose was high. | pCO2 came down
"""

WHOLE = """
Potassium peaked at 5.9, which amounts to a moderate elevation
Potassium, 6.7 mEq/L initially, normalised
pCO2 rose and pO2 fell
BUN, creatinine and potassium were high
She was afebrile with an elevated lactate and a reduced urine output
One antibiotic was dropped because the strain proved sensitive
He was tachycardic on arrival, 149 beats per minute
She takes a drug for which she no longer has a prescription
"""


@pytest.mark.parametrize("line", CUT.strip().splitlines())
def test_a_new_statement_is_a_clause_of_its_own(line):
    wanted = [part.strip(" .") for part in line.split("|")]
    joined = (
        line.replace(". |", ".").replace(" | and", ", and").replace(" | while", ", while").replace(" |", ",")
    )
    assert [clause.text for clause in clauses(joined + ".")] == wanted


@pytest.mark.parametrize("line", WHOLE.strip().splitlines())
def test_what_shares_its_subject_stays_together(line):
    assert [clause.text for clause in clauses(line + ".")] == [line]


def test_marks_of_a_list_are_no_part_of_a_clause():
    told = [clause.text for clause in clauses("1. INR was 1.4. (2) She never smoked. 3) Urine was clear.")]
    assert told == ["INR was 1.4", "She never smoked", "Urine was clear"]


@pytest.mark.parametrize(
    "text",
    [
        "I would not rush the second look",
        "Dear Dr Lowe, thank you for your letter",
        "Patience is the best policy here",
        "Summary for the round",
        "Renal function deserves daily attention",
    ],
)
def test_remarks_claim_nothing(text):
    assert is_remark(text) or is_heading(text, False)


@pytest.mark.parametrize(
    "text", ["Potassium never left the normal range", "His father died", "Sodium was 130"]
)
def test_statements_are_no_remarks(text):
    assert not is_remark(text)


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("the thirty-third hour", "the 33rd hour"),
        ("two of the four samples", "2 of the 4 samples"),
        ("by more than four fifths", "by more than 4/5"),
        ("more than tenfold", "more than 10-fold"),
        ("six and a half hours", "6.5 hours"),
        ("at one point", "at one point"),
        ("the third sample", "the third sample"),
    ],
)
def test_number_words_are_read_as_digits(words, digits):
    assert plain(words) == digits


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("during the first 5 hours", 0, 5.5),
        ("from the 8th hour onwards", 7.5, float("inf")),
        ("from the 4th to the 14th hour", 3.5, 14.5),
        ("by hour 23", 0, 23.5),
        ("some 8 hours in", 6.5, 9.5),
        ("about a day in", 22, 26),
        ("on the second day", 24, 48),
    ],
)
def test_times_are_windows_in_hours(text, start, end):
    window, rest = find_window(text)
    assert window is not None and (window.start, window.end) == (start, end)
    assert not any(char.isdigit() for char in rest)
