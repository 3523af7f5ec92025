"""Controls alter what is taught or read, and nothing else."""

import pytest
import torch

from clinragen.clinical.answer import parse_answer
from clinragen.distill.targets import Lesson, altered
from clinragen.evaluate.controls import CONTROLS, control_recipe
from clinragen.model.knowledge import entries, known
from clinragen.recipe import Recipe
from model.small import FACTS, SETTINGS, STAYS, small_batch, small_student

LESSONS = [
    Lesson(stay, f"Diagnoses: {'; '.join(stay.diagnoses or ()) or 'none'}. Note: N{i}. Series: S{i}.")
    for i, stay in enumerate(STAYS)
]


def test_label_only_lessons_keep_the_answer_alone() -> None:
    assert [lesson.target for lesson in altered(LESSONS, "label_only", 0)] == [
        "Diagnoses: shock.",
        "Diagnoses: none.",
        "Diagnoses: stroke.",
    ]


def test_shuffled_lessons_keep_every_answer_and_every_reason_once() -> None:
    found = [parse_answer(lesson.target) for lesson in altered(LESSONS, "shuffled", 1)]
    assert [each.diagnoses for each in found] == [stay.diagnoses for stay in STAYS]
    assert sorted(each.note for each in found) == ["N0.", "N1.", "N2."]
    assert [each.note[1] for each in found] == [each.series[1] for each in found], "both parts of one stay"


def test_no_knowledge_leaves_the_states_to_read() -> None:
    student = small_student()
    assert entries(known(FACTS, "none", 0), ("lactate",), student.tokenizer).fact_ids == ()
    assert known(FACTS, "facts", 0) == FACTS


def test_shuffled_knowledge_says_the_same_things_elsewhere() -> None:
    many = FACTS * 5
    found = known(many, "shuffled", 3)
    assert sorted(fact.text for fact in found) == sorted(fact.text for fact in many)
    assert [(f.variable, f.level) for f in found] == [(f.variable, f.level) for f in many]
    assert [fact.diagnoses for fact in found] != [fact.diagnoses for fact in many]
    assert found == known(many, "shuffled", 3) != known(many, "shuffled", 4)


def test_without_names_two_variables_in_one_state_look_alike() -> None:
    named, bare = small_student(), small_student(SETTINGS.model_copy(update={"name_embedding": False}))
    for student, is_alike in ((named, False), (bare, True)):
        batch = small_batch(student)
        batch.states[0] = 0
        tokens = student.pseudo_series(batch).tokens[0]
        albumin, sodium = (student.rows.variables.index(name) for name in ("albumin", "sodium"))
        assert torch.allclose(tokens[albumin], tokens[sodium], atol=1e-6) is is_alike


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_differs_in_one_key_and_its_steps(name: str) -> None:
    recipe = Recipe(name="a")
    section, key, value = CONTROLS[name]
    found = control_recipe(name, recipe.model_copy(update={"evaluate": recipe.evaluate}))
    assert getattr(getattr(found, section), key) == value
    assert found.model_copy(update={section: getattr(recipe, section)}) == recipe
