"""The spoken names of variables, and the clinical words for their levels."""

import pytest

from clinragen.clinical.severity import severity
from clinragen.clinical.variables import judged_variables
from clinragen.clinical.words import mentions


def found(text: str) -> list[tuple[str, tuple[str, ...], str | None]]:
    return [(text[m.start : m.end], m.word.variables, m.word.level) for m in mentions(text)]


@pytest.mark.parametrize("name", sorted(judged_variables()))
def test_every_variable_is_known_by_its_own_name(name):
    assert found(f"{name} is high") == [(name, (name,), None)]


@pytest.mark.parametrize(
    ("text", "variable", "level"),
    [
        ("Hyperkalaemia was seen", "potassium", "high"),
        ("leucocytosis", "WBC", "high"),
        ("he is thrombocytopenic", "platelets", "low"),
        ("afebrile", "temperature", "not high"),
        ("the white cell count", "WBC", None),
    ],
)
def test_british_and_american_words_mean_the_same(text, variable, level):
    ((_, variables, told),) = found(text)
    assert (variables, told) == ((variable,), level)


def test_abbreviations_are_not_found_in_other_case_or_inside_words():
    assert found("crackles, the rrna and a kick") == []
    assert found("Cr 2.1") == [("Cr", ("creatinine",), None)]


def test_the_longest_name_wins():
    assert found("ionized calcium") == [("ionized calcium", ("ionized calcium",), None)]


def test_a_treatment_is_not_a_measurement():
    assert found("platelet transfusion, potassium repletion") == []


def test_grades_begin_at_their_bound():
    assert severity("potassium", "high", 5.9) == "mild"
    assert severity("potassium", "high", 6.0) == "moderate"
    assert severity("platelets", "low", 50.0) == "severe"
    assert severity("lactate", "high", 9.0) is None
