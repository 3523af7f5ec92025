"""The language model in shares (FSDP): each process holds a part of every weight, gradient and moment.

A block of layers is put together for as long as it computes, and taken apart again. What lies outside the
blocks (word embeddings, series encoder, head) every process holds whole. Nothing here changes a number.
"""

import os
from collections.abc import Iterator, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from clinragen.distill.processes import added, count
from clinragen.distill.stages import Stage, stages
from clinragen.errors import RecipeError
from clinragen.model.student import Student
from clinragen.recipe import Recipe


def learner_of(student: Student, recipe: Recipe) -> Student:
    """The student that is trained: itself, or a copy in shares while it waits in the memory of the host."""
    asked = recipe.engine.sharded or os.environ.get("ACCELERATE_USE_FSDP") == "true"
    if not asked or count() == 1:
        return student
    if uneven := [stage.name for stage in stages(recipe) if stage.steps and _is_uneven(stage)]:
        raise RecipeError(
            f"engine.sharded cannot train the stage {uneven[0]}: processes would compute different blocks",
            fix=f"set engine.sharded = false, or distill.{uneven[0]}_steps = 0",
        )
    learner = deepcopy(student)
    student.cpu()
    shard(learner)
    return learner


def _is_uneven(stage: Stage) -> bool:
    """Whether what is computed depends on the stays of a share: pairs of one part, or no series to learn."""
    return stage.preference_beta > 0 or (stage.text_weight > 0 and "language" not in stage.trains)


def shard(student: Student) -> None:
    """Leave each process its share of every block; gradients are summed, as those of the other tensors."""
    mesh = init_device_mesh(student.device.type, (count(),))
    for block in _blocks(student.backbone.model):
        held = fully_shard(block, mesh=mesh, reshard_after_forward=True)
        held.set_gradient_divide_factor(1.0)
        held.set_force_sum_reduction_for_comms(True)


def _blocks(model: nn.Module) -> Iterator[nn.Module]:
    """The blocks of a transformer: what its outermost lists of modules hold."""
    for child in model.children():
        yield from child if isinstance(child, nn.ModuleList) else _blocks(child)


@torch.no_grad()
def take_weights(student: Student, learner: Student) -> None:
    """Give the student what its copy has learnt."""
    if learner is student:
        return
    student.to(learner.device)
    for parameter, learnt in zip(student.parameters(), learner.parameters(), strict=True):
        parameter.copy_(whole(learnt))


def whole(tensor: Tensor) -> Tensor:
    """A tensor put together from its shares, where it is held in shares; then every process must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def held_as(other: Tensor, tensor: Tensor) -> Tensor:
    """A whole tensor as another of its shape is held: this process's share of it, or all."""
    if not isinstance(other, DTensor):
        return tensor
    return distribute_tensor(tensor, other.device_mesh, other.placements, src_data_rank=None)


def clip(parameters: Sequence[nn.Parameter], longest: float) -> None:
    """Shorten the gradients together to a length of at most `longest`, be they held whole or in shares."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    shares = [gradient.to_local() for gradient in gradients if isinstance(gradient, DTensor)]
    if not shares:
        nn.utils.clip_grad_norm_(parameters, longest)
        return
    wholes = [gradient for gradient in gradients if not isinstance(gradient, DTensor)]
    square = nn.utils.get_total_norm(wholes) ** 2 + added(nn.utils.get_total_norm(shares) ** 2)
    for gradient in wholes + shares:
        gradient.mul_((longest / (square.sqrt() + 1e-6)).clamp(max=1.0))
