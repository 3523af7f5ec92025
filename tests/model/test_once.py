import torch
from hypothesis import given
from hypothesis import strategies as st

from clinragen.model.once import EachSentenceOnce
from clinragen.model.text import pieces
from model.small import small_student

TOKENIZER = small_student().tokenizer
ONCE = EachSentenceOnce(TOKENIZER)
SAID = "Diagnoses: shock. Note: Mottled knees."


def written(text: str) -> list[int]:
    return pieces(TOKENIZER, text)


def test_a_sentence_said_twice_in_the_note_part_brings_the_series_part() -> None:
    text = written(f"{SAID} Mottled knees.")
    heading = written("Series:")
    for place, piece in enumerate(heading):
        assert ONCE.due([*text, *heading[:place]]) == piece
    assert ONCE.due([*text, *heading]) is None


def test_a_sentence_said_twice_in_the_series_part_ends_the_text() -> None:
    text = f"{SAID} Series: Lactate is high. Potassium is high. Lactate is high."
    assert ONCE.due(written(text)) == TOKENIZER.eos_token_id


def test_a_text_without_repeats_is_free() -> None:
    text = written(f"{SAID} Series: Lactate is high. Potassium is high.")
    assert all(ONCE.due(text[:end]) is None for end in range(1, len(text) + 1))


def test_all_but_the_due_piece_are_forbidden_and_other_rows_are_left_alone() -> None:
    repeats, free = written(f"{SAID} Mottled knees."), written(f"{SAID} Lactate high.")
    assert len(repeats) == len(free)
    scores = ONCE(torch.tensor([repeats, free]), torch.ones(2, len(TOKENIZER)))
    assert scores[0].argmax() == written("Series:")[0]
    assert scores[0].isfinite().sum() == 1
    assert (scores[1] == 1).all()


def test_a_decimal_point_ends_no_sentence() -> None:
    assert len(list(ONCE.sentences(written("Lactate 4.5 high. Potassium 4.5 high.")))) == 3


def test_a_repeat_is_left_out_and_its_heading_stays() -> None:
    text = f"{SAID} Mottled knees. Series: Mottled knees. Lactate is high. Lactate is high."
    left = TOKENIZER.decode(ONCE.without_repeats(written(text)))
    assert left == f"{SAID} Series: Lactate is high."


@given(
    st.lists(st.sampled_from(["Lactate is high.", "Mottled knees.", "Series:", "4.5", "Note:"]), max_size=12)
)
def test_leaving_out_repeats_twice_changes_no_more_and_adds_nothing(parts: list[str]) -> None:
    text = written(" ".join(parts))
    left = ONCE.without_repeats(text)
    assert ONCE.without_repeats(left) == left
    rest = iter(text)
    assert all(piece in rest for piece in left)
