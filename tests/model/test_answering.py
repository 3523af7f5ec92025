import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clinragen.clinical.answer import answer_of, parse_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.errors import RunError
from clinragen.model.answering import AnswerPieces, JudgedAnswer, ReadableAnswer
from clinragen.model.text import pieces, train_tokenizer
from model.small import small_student

TEXTS = [f"{answer_of([name])} Note: Mottled knees. Series: Lactate is high." for name in diagnosis_names()]
TOKENIZER = train_tokenizer([*TEXTS, answer_of([]), answer_of(diagnosis_names())] * 2, 600, diagnosis_names())
READABLE = ReadableAnswer(TOKENIZER)
SETS = st.sets(st.sampled_from(diagnosis_names()))


def walk(seed: int) -> list[int]:
    """Write an answer by drawing among the allowed pieces."""
    rng, written = np.random.default_rng(seed), []
    while allowed := READABLE.next_of(tuple(written)):
        written.append(int(rng.choice(sorted(allowed))))
    return written


@given(SETS)
def test_every_answer_can_be_written(diagnoses: set[str]) -> None:
    written = pieces(TOKENIZER, answer_of(diagnoses))
    for place, piece in enumerate(written):
        assert piece in READABLE.next_of(tuple(written[:place]))
    assert not READABLE.next_of(tuple(written)), "after the answer all is free"


@given(st.integers(0, 10**6))
def test_whatever_is_drawn_can_be_read(seed: int) -> None:
    text = TOKENIZER.decode(walk(seed))
    assert parse_answer(text).diagnoses is not None
    assert answer_of(parse_answer(text).diagnoses or ()) == text, "in table order, nothing twice"


@given(SETS)
def test_the_pieces_of_an_answer_are_those_of_its_text(diagnoses: set[str]) -> None:
    assert AnswerPieces(TOKENIZER).of(diagnoses) == tuple(pieces(TOKENIZER, answer_of(diagnoses)))


def test_a_judged_answer_is_written_whatever_the_scores_say() -> None:
    wanted = [diagnosis_names()[:2], ()]
    rule = JudgedAnswer(TOKENIZER, wanted)
    written = torch.zeros(2, 1, dtype=torch.long)
    for _ in range(40):
        scores = rule(written, torch.randn(2, len(TOKENIZER)))
        written = torch.cat([written, scores.argmax(1, keepdim=True)], dim=1)
    for row, diagnoses in zip(written.tolist(), wanted, strict=True):
        assert TOKENIZER.decode(row[1:]).startswith(answer_of(diagnoses))


def test_beams_of_a_stay_share_its_answer() -> None:
    rule = JudgedAnswer(TOKENIZER, [diagnosis_names()[:1], diagnosis_names()[1:2]])
    begun = torch.tensor([[0, *pieces(TOKENIZER, "Diagnoses:")]] * 4)
    first = rule(begun, torch.zeros(4, len(TOKENIZER))).argmax(1).tolist()
    assert first[0] == first[1] != first[2] == first[3]


def test_allowed_pieces_keep_their_scores() -> None:
    allowed = sorted(READABLE.next_of(tuple(pieces(TOKENIZER, "Diagnoses:"))))
    scores = torch.arange(len(TOKENIZER), dtype=torch.float).repeat(1, 1)
    kept = READABLE(torch.tensor([[0, *pieces(TOKENIZER, "Diagnoses:")]]), scores)[0]
    assert kept[allowed].tolist() == [float(piece) for piece in allowed]
    assert int(kept.isfinite().sum()) == len(allowed)


def test_a_tokenizer_that_lacks_letters_is_refused() -> None:
    with pytest.raises(RunError, match="cannot be constrained"):
        AnswerPieces(small_student().tokenizer)


def test_a_tokenizer_that_joins_neighbours_is_refused() -> None:
    class Joining:
        def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
            return {"input_ids": [len(text), *map(ord, text)]}

        def decode(self, written: list[int]) -> str:
            return "".join(map(chr, written))

    with pytest.raises(RunError, match="cannot be constrained"):
        AnswerPieces(Joining())
