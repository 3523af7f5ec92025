from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clinragen.distill.draw import draw
from clinragen.distill.loop import train
from clinragen.distill.optimiser import StageOptimiser, schedule
from clinragen.distill.stages import stages
from clinragen.model.batch import Example, examples
from clinragen.model.student import Student
from clinragen.recipe import Distill, Recipe
from model.small import SETTINGS, STAYS, TEXTS, small_batch, small_student

RECIPE = Recipe(
    name="t",
    model=SETTINGS,
    distill=Distill(batch=2, note_steps=6, series_steps=4, joint_steps=6, checkpoint_every=2),
)


def lessons(student: Student) -> list[Example]:
    return examples(STAYS * 4, TEXTS * 4, student.tokenizer, SETTINGS, 48)


def lesson(length: int) -> Example:
    """A lesson of so many pieces, the note's and the text's."""
    blank = np.zeros(1, dtype=np.float32)
    note, target = (2,) * (length - 5), (3,) * 5
    return Example("a", note, (), blank[None], blank.astype(int), blank, target, (), (), ())


class KilledError(Exception):
    pass


@pytest.mark.parametrize("at", [1, 3, 7, 9, 13])
def test_training_killed_anywhere_and_resumed_gives_the_same_bits(tmp_path: Path, at: int) -> None:
    def die(_what: str, done: int, _total: int) -> None:
        if done == at:
            raise KilledError

    whole = small_student()
    undisturbed = train(whole, stages(RECIPE), lessons(whole), 0, tmp_path / "whole", 2)
    broken = small_student()
    with pytest.raises(KilledError):
        train(broken, stages(RECIPE), lessons(broken), 0, tmp_path / "broken", 2, die)
    resumed = small_student()
    log = train(resumed, stages(RECIPE), lessons(resumed), 0, tmp_path / "broken", 2)
    assert log == undisturbed
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_the_language_model_is_frozen_in_the_series_stage() -> None:
    student = small_student()
    before = {name: p.clone() for name, p in student.backbone.named_parameters()}
    stage = stages(RECIPE)[1]
    optimiser = StageOptimiser(student, stage)
    batch = small_batch(student)
    optimiser.step(student.attention.align_loss(student.read_series(batch), batch.states), 0)  # type: ignore[union-attr]
    assert all(torch.equal(before[name], p) for name, p in student.backbone.named_parameters())
    assert any(p.grad is not None and p.grad.any() for p in student.series_encoder.parameters())


@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 5))
def test_an_epoch_shows_no_stay_twice(count: int, size: int, seed: int) -> None:
    student = small_student_examples()
    chosen = [student[i % len(student)] for i in range(count)]
    pool = min(4 * size, count)
    steps = 4 * (count // pool)
    seen = Counter(i for step in range(steps) for i in draw(chosen, size, [seed], step))
    if pool >= 4:
        assert max(seen.values()) == 1
        assert len(seen) == pool * (count // pool)


def small_student_examples() -> list[Example]:
    if not _CACHE:
        _CACHE.extend(lessons(small_student()))
    return _CACHE


_CACHE: list[Example] = []


def test_the_rate_rises_then_falls_to_three_percent() -> None:
    rates = [schedule(step, 200) for step in range(200)]
    assert rates[0] == pytest.approx(1 / 40)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.03, abs=0.01)


@given(st.integers(0, 200), st.integers(40, 400))
def test_a_budget_of_pieces_is_kept_and_every_stay_comes_once_an_epoch(start: int, most: int) -> None:
    chosen = [lesson(length) for length in range(10, 60, 3)]
    seen: list[int] = []
    for step in range(start, start + 40):
        places = draw(chosen, 0, [start], step, most)
        longest = max(len(chosen[i].note) + len(chosen[i].target) for i in places)
        assert len(places) * longest <= most or len(places) == 1
        seen += draw(chosen, 0, [start], step - start, most)
    counts = Counter(seen[: len(chosen)])
    assert set(counts.values()) == {1}


def test_bf16_training_follows_fp32(tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        distill = RECIPE.distill.model_copy(update={"precision": precision})
        recipe = RECIPE.model_copy(update={"distill": distill})
        student = small_student()
        log = train(student, stages(recipe), lessons(student), 0, tmp_path / precision, 10**6)
        losses[precision] = [row.text for row in log if row.text]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)
    assert losses["bf16"] != losses["fp32"]
