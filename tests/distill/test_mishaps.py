import os
import signal
from pathlib import Path

import pytest
import torch

from clinragen.distill.loop import train
from clinragen.distill.mishaps import check_loss, memory_told, stop_request
from clinragen.distill.stages import stages
from clinragen.errors import RunError
from distill.test_loop import RECIPE, lessons
from model.small import small_student


@pytest.mark.parametrize("at", [1, 5, 8])
def test_sigterm_saves_the_step_and_going_on_gives_the_same_bits(tmp_path: Path, at: int) -> None:
    def ask(_what: str, done: int, _total: int) -> None:
        if done == at:
            os.kill(os.getpid(), signal.SIGTERM)

    whole = small_student()
    undisturbed = train(whole, stages(RECIPE), lessons(whole), 0, tmp_path / "whole", 10**6)
    stopped = small_student()
    with pytest.raises(RunError, match="nothing is lost"):
        train(stopped, stages(RECIPE), lessons(stopped), 0, tmp_path / "stopped", 10**6, ask)
    resumed, ran = small_student(), []
    log = train(
        resumed, stages(RECIPE), lessons(resumed), 0, tmp_path / "stopped", 10**6, lambda *a: ran.append(a)
    )
    assert len(ran) == len(undisturbed) - at
    assert log == undisturbed
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_the_old_handler_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_request():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_at_once(value: float) -> None:
    with pytest.raises(RunError, match=r"stage note is .* at step 7"):
        check_loss(torch.tensor(value), "note", 7)
    check_loss(torch.tensor(1.0), "note", 7)


@pytest.mark.parametrize(
    "fault", [MemoryError("no"), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_no_memory_tells_which_key_to_lower(fault: Exception) -> None:
    with pytest.raises(RunError, match=r"distill\.batch_pieces"), memory_told():
        raise fault


def test_other_faults_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shape"), memory_told():
        raise RuntimeError("shape mismatch")
