from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.answer import compose_answer, parse_answer
from clinragen.clinical.diagnoses import diagnosis_names


@given(st.sets(st.sampled_from(diagnosis_names())))
def test_what_is_composed_is_read_back(chosen: set[str]) -> None:
    answer = parse_answer(compose_answer(chosen, "Black tarry stools.", "Lactate is high."))
    assert answer.diagnoses == chosen
    assert (answer.note, answer.series) == ("Black tarry stools.", "Lactate is high.")


def test_diagnoses_stand_in_table_order() -> None:
    assert compose_answer({"shock", "stroke"}, "", "").startswith("Diagnoses: stroke; shock.")


def test_no_diagnosis_is_not_an_unparsed_answer() -> None:
    assert parse_answer("Diagnoses: none. Note: a. Series: b.").diagnoses == frozenset()
    assert parse_answer("Diagnoses: a cold. Note: a. Series: b.").diagnoses is None
    assert parse_answer("I do not know").diagnoses is None
    assert parse_answer("Diagnoses: none; shock.").diagnoses is None
