"""Probabilities of students without a head: one reading of the record, every name weighed."""

from pathlib import Path

import pytest
import torch

from clinragen.clinical.answer import answer_of
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.model.backbone import IGNORED, Backbone
from clinragen.model.batch import examples
from clinragen.model.generate import predict
from clinragen.model.naming import chances_of_naming
from clinragen.model.student import Encoded, Student
from clinragen.model.t5 import demo_t5
from clinragen.model.text import pieces
from model.small import SETTINGS, STAYS, small_batch, small_student
from model.test_backbones import FAMILIES, WORDS, from_folder

TEXT_ALONE = SETTINGS.model_copy(update={"judgement": "text", "target_tokens": 12})


def t5(_: Path) -> Backbone:
    torch.manual_seed(0)
    return demo_t5(SETTINGS, WORDS).eval()


@pytest.mark.parametrize("family", ["t5", *FAMILIES])
def test_reading_once_gives_the_likelihoods_of_reading_every_time(family: str, tmp_path: Path) -> None:
    backbone = t5(tmp_path) if family == "t5" else from_folder(FAMILIES[family](), tmp_path)
    context, mask = torch.randn(1, 5, backbone.width), torch.tensor([[True, True, False, False, True]])
    targets = torch.tensor([[5, 6, 7, 1], [8, 1, IGNORED, IGNORED], [5, 9, IGNORED, IGNORED]])
    once = backbone.likelihoods(context, mask, targets)
    every_time = backbone.log_likelihood(context.expand(3, -1, -1), mask.expand(3, -1), targets)
    assert torch.allclose(once, every_time, atol=1e-4)


@pytest.fixture(params=["t5-demo", "causal-demo"])
def read(request: pytest.FixtureRequest) -> tuple[Student, Encoded]:
    student = small_student(TEXT_ALONE.model_copy(update={"backbone": request.param})).eval()
    shown = small_batch(student)
    with torch.no_grad():
        return student, student.encode(shown, student.read_series(shown))


def likelihood(read: tuple[Student, Encoded], answer: str) -> float:
    """Of the beginning of a text, for the first stay, the slow way."""
    student, encoded = read
    target = torch.tensor([pieces(student.tokenizer, answer)])
    with torch.no_grad():
        return float(student.backbone.log_likelihood(encoded.context[:1], encoded.mask[:1], target).exp())


def test_a_name_is_as_probable_as_it_is_among_all_that_could_stand_there(
    read: tuple[Student, Encoded],
) -> None:
    """Stroke was written: what comes before it competes with all, what comes after it only with the later."""
    names = diagnosis_names()
    place = names.index("stroke")
    (chances,) = chances_of_naming(*read, ["Diagnoses: stroke."])
    first = {name: likelihood(read, answer_of([name]).removesuffix(".")) for name in names}
    nothing = likelihood(read, answer_of([]))
    wanted = first["stroke"] / (sum(first[name] for name in names[place:]) + nothing)
    assert float(chances[place]) == pytest.approx(wanted, rel=1e-3)
    after = {
        name: likelihood(read, answer_of(["stroke", name]).removesuffix(".")) for name in names[place + 1 :]
    }
    last = names[-1]
    wanted = after[last] / (after[last] + likelihood(read, answer_of(["stroke"])))
    assert float(chances[-1]) == pytest.approx(wanted, rel=1e-3)


def test_every_diagnosis_has_a_probability_whatever_was_written(read: tuple[Student, Encoded]) -> None:
    everything = answer_of(diagnosis_names())
    for chances in chances_of_naming(*read, [everything, "no answer at all", answer_of([])]):
        assert ((chances >= 0) & (chances <= 1)).all()
        assert ((chances > 0) & (chances < 1)).any()


def test_the_recipe_decides_whether_names_are_weighed() -> None:
    student = small_student(TEXT_ALONE)
    shown = examples(STAYS, [""] * 3, student.tokenizer, TEXT_ALONE, 48)
    told = predict(student, shown, "m", 2)
    weighed = predict(student, shown, "m", 2, weighs_names=True)
    assert {p for row in told for p in row.probabilities.values()} <= {0.0, 1.0}
    assert all(any(0 < p < 1 for p in row.probabilities.values()) for row in weighed)
    assert [row.text for row in told] == [row.text for row in weighed]
