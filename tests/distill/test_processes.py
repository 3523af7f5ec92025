"""Training on two processes is training on one: real processes, started as a user starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from clinragen.distill.sharding import learner_of
from clinragen.errors import RecipeError
from clinragen.recipe import Distill, Engine, Model, Recipe
from model.small import small_student

TESTS = Path(__file__).parents[1]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
ACCELERATE = ("-m", "accelerate.commands.launch", "--num_processes=2", "--main_process_port=0")
UNDECIDED = ("attention.norm.bias", "in_proj_bias")
"""What is added to all keys of an attention alike changes nothing; Adam makes steps of rounding errors."""


def launched(folder: Path, batch: int, launcher: tuple[str, ...] = (), *options: str, code: int = 0) -> None:
    """Train in this folder; the launcher must end with `code`."""
    command = [sys.executable, *launcher, str(TESTS / "distill/launched.py"), str(folder), str(batch)]
    paths = {"PYTHONPATH": f"{TESTS}:{TESTS.parent / 'src'}", "OMP_NUM_THREADS": "1"}
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [*command, *options], env=os.environ | paths, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stderr[-3000:]


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "log.json").read_text())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "student.safetensors")


@pytest.fixture(scope="module")
def of_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    for batch in (4, 1):
        launched(folder / str(batch), batch)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "launcher", "options"),
    [
        pytest.param(4, (*ACCELERATE, "--multi_gpu"), (), id="shared out, by accelerate"),
        pytest.param(1, TORCHRUN, (), id="too few stays for all, by torchrun"),
        pytest.param(4, TORCHRUN, ("--sharded",), id="weights in shares"),
        pytest.param(4, (*ACCELERATE, "--use_fsdp"), (), id="weights in shares, by accelerate"),
    ],
)
def test_two_processes_learn_what_one_does(
    tmp_path: Path, of_one: Path, batch: int, launcher: tuple[str, ...], options: tuple[str, ...]
) -> None:
    one = of_one / str(batch)
    launched(tmp_path, batch, launcher, *options)
    for losses, expected in zip(told(tmp_path)["curve"], told(one)["curve"], strict=True):
        assert losses == pytest.approx(expected, abs=1.1e-5)
    assert (told(tmp_path)["held"] < 1) == ("--sharded" in options or "--use_fsdp" in launcher)
    learnt = weights(tmp_path)
    for name, expected in weights(one).items():
        if not name.endswith(UNDECIDED):
            assert torch.allclose(learnt[name], expected, rtol=0, atol=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--stop=3",), ("--stop=15", "--sharded")], ids=["whole", "in shares"])
def test_a_wish_to_stop_to_one_stops_all_and_they_go_on_to_the_same_bits(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    launched(tmp_path / "whole", 4, TORCHRUN, *options[1:])
    launched(tmp_path / "broken", 4, TORCHRUN, *options, code=1)
    launched(tmp_path / "broken", 4, TORCHRUN, *options[1:])
    assert told(tmp_path / "broken") == told(tmp_path / "whole")
    expected = weights(tmp_path / "whole")
    for name, learnt in weights(tmp_path / "broken").items():
        assert torch.equal(learnt, expected[name]), name


@pytest.mark.slow
def test_what_the_first_process_trains_alone_is_as_if_there_were_no_others(
    tmp_path: Path, of_one: Path
) -> None:
    launched(tmp_path, 4, TORCHRUN, "--alone")
    assert told(tmp_path) == told(of_one / "4")
    expected = weights(of_one / "4")
    for name, learnt in weights(tmp_path).items():
        assert torch.equal(learnt, expected[name]), name


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(name="t", distill=Distill(preference_steps=5)),
        Recipe(name="t", model=Model(attention="tokens")),
    ],
    ids=["pairs", "token bag"],
)
def test_stages_that_would_wait_for_ever_in_shares_are_refused(
    monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(RecipeError, match="different blocks"):
        learner_of(small_student(), recipe)


def test_on_one_process_shares_are_all_there_is() -> None:
    student = small_student()
    assert learner_of(student, Recipe(name="t", engine=Engine(sharded=True))) is student
