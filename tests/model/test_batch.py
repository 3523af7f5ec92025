import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.findings import STATES
from clinragen.clinical.variables import variables
from clinragen.model.batch import NOT_MEASURED, carry_forward, examples, scaled, without_note, without_series
from clinragen.model.text import cut_off, encode, pieces
from model.small import SETTINGS, STAYS, small_batch, small_student
from patients import measured

LACTATE = list(variables()).index("lactate")
POTASSIUM = list(variables()).index("potassium")


def test_an_unmeasured_variable_is_masked_and_has_no_state() -> None:
    batch = small_batch(small_student())
    assert batch.states[0, LACTATE] == STATES.index("high and rising")
    assert batch.states[0, POTASSIUM] == NOT_MEASURED
    assert not batch.measured[0, :, POTASSIUM].any()


def test_a_stay_without_measurements_has_no_state_at_all() -> None:
    batch = small_batch(small_student())
    assert (batch.states[2] == NOT_MEASURED).all()
    assert not batch.measured[2].any()


@pytest.mark.parametrize(("value", "expected"), [(3.5, -1.0), (4.3, 0.0), (5.1, 1.0)])
def test_the_bounds_of_a_range_are_scaled_to_one(value: float, expected: float) -> None:
    # potassium 3.5 to 5.1: the middle is 4.3, half the range .8; log2(1 + 1) = 1
    assert scaled(measured("potassium", value)[0]) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-5, 5)), min_size=2, max_size=20), st.data())
def test_carrying_forward_never_uses_a_later_value(values: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(values)))
    series = np.array(values, dtype=np.float32)[None, :, None]
    assert np.array_equal(carry_forward(series)[:, :cut], carry_forward(series[:, :cut]))


def test_findings_enter_as_text_only_where_the_recipe_says_so() -> None:
    student = small_student()
    as_text = SETTINGS.model_copy(update={"series_as": "text"})
    plain = examples(STAYS, [""] * 3, student.tokenizer, SETTINGS, 48)
    told = examples(STAYS, [""] * 3, student.tokenizer, as_text, 48)
    assert len(told[0].note) > len(plain[0].note)
    assert "high" in student.tokenizer.decode(told[0].note)


def test_withholding_leaves_nothing_of_the_part() -> None:
    batch = small_batch(small_student())
    assert not without_note(batch).note_mask.any()
    assert not without_series(batch).has_series.any()
    assert not torch.any(without_series(batch).values)


def test_what_is_cut_of_a_text_is_counted() -> None:
    student = small_student()
    short, long = "Mottled knees.", "Mottled knees. Lactate is high and rising. Mottled knees."
    whole = len(pieces(student.tokenizer, long)) + 1
    told = cut_off(student.tokenizer, [short, long], whole - 3)
    assert (told["texts"], told["cut"], told["pieces_lost"]) == (2, 1, 3)
    assert len(encode(student.tokenizer, [long], whole - 3)[0]) == whole - 3
