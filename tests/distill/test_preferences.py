"""Learning from pairs: the better grounded text becomes likelier, and resuming changes nothing."""

import json
import math
from pathlib import Path

import pytest
import torch

from clinragen.distill.loop import train
from clinragen.distill.preferences import margins, pairs, preference_loss
from clinragen.distill.stages import stages
from clinragen.errors import RunError
from clinragen.model.backbone import IGNORED
from clinragen.model.batch import examples
from clinragen.model.student import Student
from clinragen.recipe import Distill, Recipe
from model.small import SETTINGS, STAYS, TEXTS, small_student

ROWS = [
    {"stay_id": "a", "part": "note", "chosen": "Mottled knees.", "rejected": "Lactate is high and rising."},
    {"stay_id": "a", "part": "series", "chosen": "Lactate is high and rising.", "rejected": "Mottled knees."},
    {"stay_id": "held", "part": "note", "chosen": "x", "rejected": "y"},
]
RECIPE = Recipe(
    name="t",
    model=SETTINGS,
    distill=Distill(
        batch=2, note_steps=2, series_steps=1, joint_steps=2, preference_steps=12, preference_rate=1e-2
    ),
)


def run_with(folder: Path, rows: list[dict[str, str]] = ROWS) -> Path:
    (folder / "teach" / "preferences").mkdir(parents=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "teach" / "preferences" / "shard-0.jsonl").write_text(lines)
    return folder


def shown(student: Student) -> dict[str, object]:
    made = examples(STAYS, TEXTS, student.tokenizer, SETTINGS, 48)
    return {each.stay_id: each for each in made}


def test_only_stays_that_are_learnt_from_are_compared(tmp_path: Path) -> None:
    student = small_student()
    assert [pair.part for pair in pairs(run_with(tmp_path), student, shown(student))] == ["note", "series"]


def test_a_run_without_pairs_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="preference_steps"):
        pairs(tmp_path, small_student(), {})


def test_a_margin_is_the_difference_of_the_log_likelihoods(tmp_path: Path) -> None:
    student = small_student().eval()
    compared = pairs(run_with(tmp_path), student, shown(student))
    found = margins(student, compared)
    swapped = margins(student, [type(p)(p.part, p.rejected, p.chosen) for p in compared])
    assert torch.allclose(found, -swapped, atol=1e-4)
    assert found.abs().min() > 0


def test_log_likelihoods_are_those_of_the_mean_loss() -> None:
    backbone = small_student().backbone.eval()
    context, mask = torch.randn(2, 3, SETTINGS.width), torch.ones(2, 3).bool()
    target = torch.tensor([[5, 6, 1], [7, 1, IGNORED]])
    total = backbone.log_likelihood(context, mask, target).sum()
    assert torch.allclose(total, -5 * backbone.text_loss(context, mask, target), atol=1e-4)


def test_the_loss_of_a_student_that_has_not_moved_is_log_2(tmp_path: Path) -> None:
    student = small_student().eval()
    compared = pairs(run_with(tmp_path), student, shown(student))
    before = margins(student, compared).detach()
    loss = preference_loss(student, compared, before, 0.1).detach()
    assert float(loss) == pytest.approx(math.log(2), abs=1e-5)


class KilledError(Exception):
    pass


def test_what_is_chosen_becomes_likelier_and_a_resumed_student_is_the_same(tmp_path: Path) -> None:
    def die(_what: str, done: int, _total: int) -> None:
        if done == 11:
            raise KilledError

    run, whole = run_with(tmp_path), small_student()
    lessons = list(shown(whole).values())
    compared = pairs(run, whole, shown(whole))
    log = train(whole, stages(RECIPE), lessons, 0, tmp_path / "whole", 2, compared=compared)
    told = [row.text for row in log if row.stage == "preference"]
    assert told[-1] < told[0] == pytest.approx(math.log(2), abs=1e-3)
    broken = small_student()
    with pytest.raises(KilledError):
        train(broken, stages(RECIPE), lessons, 0, tmp_path / "broken", 2, die, compared)
    resumed = small_student()
    train(resumed, stages(RECIPE), lessons, 0, tmp_path / "broken", 2, compared=compared)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
