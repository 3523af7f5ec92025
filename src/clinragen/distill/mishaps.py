"""What can go wrong in a step, told so that it can be put right: asked to stop, no number, no memory."""

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch

from clinragen.errors import RunError

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


class StopRequest:
    """Whether SIGTERM came; a step is finished and saved before it is obeyed."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        self.came = True


def stopped(step: int) -> RunError:
    """What to raise when asked to stop, once the step is saved."""
    return RunError(
        f"asked to stop, and stopped after step {step} of this stage; nothing is lost",
        fix="run the same command again, and it goes on from there",
    )


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Take SIGTERM as a wish to stop after the step; only the main thread can."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = signal.signal(signal.SIGTERM, request)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def memory_told() -> Iterator[None]:
    """Tell which key to lower where memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as fault:
        if isinstance(fault, RuntimeError) and not any(words in str(fault).lower() for words in _NO_MEMORY):
            raise
        raise RunError(
            "out of memory in training",
            found=str(fault).splitlines()[0],
            fix="lower distill.batch, or set distill.batch_pieces or model.note_tokens lower",
        ) from None


def check_loss(loss: torch.Tensor, stage: str, step: int) -> None:
    """Raise RunError where a loss is no number, before it spoils the weights."""
    if not math.isfinite(float(loss.detach())):
        raise RunError(
            f"the loss of stage {stage} is {float(loss.detach())} at step {step}",
            expected="a finite number",
            fix='lower the rates of that stage (distill.*_rate), or train with distill.precision = "fp32"',
        )
