"""Training on several processes: each takes its share of every batch, and gradients are added up.

Started by `accelerate launch` or `torchrun`, which set RANK and WORLD_SIZE; without them there is one process
and nothing here changes a number. All processes draw the same batch of a step, so that the sum of their
gradients is that of one process. What is not shared out (the other steps, files) is the first one's.
"""

import atexit
import os
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor

Thing = TypeVar("Thing")
LONGEST_WAIT = timedelta(days=7)
"""The others wait while the first process does a step alone."""
_is_alone = ContextVar("_is_alone", default=False)


def count() -> int:
    """How many processes work together: all of the launch, or one where the first works alone."""
    return 1 if _is_alone.get() else int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that writes files and tells progress."""
    return int(os.environ.get("RANK", "0")) == 0


def cores() -> int:
    """How many cores each of the processes on this machine may take."""
    beside = 1 if count() == 1 else int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, (os.cpu_count() or 1) // beside)


def share(whole: Sequence[Thing]) -> tuple[list[Thing], int]:
    """The part of a batch for this process and how many it holds; of too few stays one that counts 0."""
    _join()
    mine = list(whole[int(os.environ.get("RANK", "0")) :: count()])
    return (mine, len(mine)) if mine else (list(whole[:1]), 0)


def weighted(loss: Tensor, parts: Tensor | int) -> Tensor:
    """A mean over `parts` things of this process as its part of the mean over those of all."""
    if count() == 1:
        return loss
    total = added(torch.as_tensor(float(parts), device=loss.device))
    return loss * (float(parts) / total.clamp_min(1.0))


def added(number: Tensor) -> Tensor:
    """The sum of a number over all processes, the same in each."""
    if count() == 1:
        return number
    _join()
    total = number.detach().clone()
    distributed.all_reduce(total)
    return total


def add_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Add up the gradients of all processes, in one message.

    A tensor without one counts as 0 in the sum; one that has none in any process keeps none, because an
    optimiser passes over it and does not over zeros. Those of tensors in shares are summed already.
    """
    if count() == 1:
        return
    learning = [p for p in parameters if not isinstance(p, DTensor)]
    has = torch.tensor([float(p.grad is not None) for p in learning], device=learning[0].device)
    flat = [(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in learning]
    whole = added(torch.cat([has, *flat]))
    sums = torch.split(whole[len(learning) :], [p.numel() for p in learning])
    for parameter, holders, total in zip(learning, whole[: len(learning)].tolist(), sums, strict=True):
        parameter.grad = total.view_as(parameter) if holders else None


def alone(work: Callable[[], Thing], otherwise: Thing) -> Thing:
    """Let the first process work while the others wait; they get `otherwise`.

    Whatever it does meanwhile, training too, it does as if there were no others.
    """
    if count() == 1:
        return work()
    _join()
    done = _by_itself(work) if is_first() else otherwise
    all_know(False)
    return done


def _by_itself(work: Callable[[], Thing]) -> Thing:
    before = _is_alone.set(True)
    try:
        return work()
    finally:
        _is_alone.reset(before)


def all_know(is_so: bool) -> bool:
    """Whether it is so for any process; each waits for all."""
    return bool(added(torch.tensor(int(is_so))))


def _join() -> None:
    """Meet the others; tensors on CPUs are sent by Gloo, those on GPUs by NCCL."""
    if count() > 1 and not distributed.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group(timeout=LONGEST_WAIT)
        atexit.register(distributed.destroy_process_group)
