"""Muon for matrices from scratch and AdamW for everything else; or AdamW for all, as in the paper.

T5 starts its embeddings at a standard deviation of 1 and its norms at 1; one rate for both wastes steps.
The rate of such a tensor is base * max(1e-3, RMS(tensor)), taken anew every step.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn

from clinragen.distill.muon import Muon
from clinragen.distill.processes import add_gradients
from clinragen.distill.sharding import clip, held_as, whole
from clinragen.distill.stages import Stage, Trains
from clinragen.model.student import Student

SMALLEST_SCALE = 1e-3
WARM_UP_STEPS = 40
LAST_SHARE = 0.03
LONGEST_GRADIENT = 1.0
PAPER_WARM_UP_STEPS = 200
PAPER_DECAY = 0.05
"""The paper's AdamW, as its code has it (the paper itself says a tenth of the steps)."""


class StageOptimiser:
    """Updates the tensors a stage trains and leaves the others as they are."""

    def __init__(self, student: Student, stage: Stage) -> None:
        self.stage = stage
        self.parts = [part for name in stage.trains for part in _parts(student, stage)[name]]
        self.parameters = [parameter for part in self.parts for parameter in part.parameters]
        is_paper = stage.optimiser == "adamw"
        matrices = student.backbone.matrices() if "language" in stage.trains and not is_paper else []
        self.muon = Muon(matrices)
        self.schedule = paper_schedule if is_paper else schedule
        for parameter in student.parameters():
            parameter.requires_grad_(False)
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        by_muon = set(self.muon.momentum)
        groups = [
            {"params": [p], "part": part} for part in self.parts for p in part.parameters if p not in by_muon
        ]
        betas, decay = ((0.9, 0.999), PAPER_DECAY) if is_paper else ((0.9, 0.98), 0.0)
        self.adam = torch.optim.AdamW(groups, lr=0.0, betas=betas, weight_decay=decay)

    def step(self, loss: torch.Tensor, step: int) -> None:
        """One update of step number `step` of the stage, counted from 0.

        Gradients are clipped part by part: a large one of the head must not silence the language model.
        Where nothing this stage trains was asked (stays without a series, in the series stage), it stays as
        it is.
        """
        for parameter in self.parameters:
            parameter.grad = None
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        add_gradients(self.parameters)
        for part in self.parts:
            clip(part.parameters, LONGEST_GRADIENT)
        share = self.schedule(step, self.stage.steps)
        for group in self.adam.param_groups:
            part = group["part"]
            group["lr"] = share * part.rate * (_size(group["params"][0]) if part.is_scaled else 1.0)
        self.adam.step()
        self.muon.step(share * self.stage.matrix_rate)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The moments, whole, for a checkpoint."""
        found = {}
        for index, parameter in enumerate(self.parameters):
            for name, value in self._state(parameter).items():
                found[f"optimiser.{index}.{name}"] = whole(value)
        return found

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Continue from the moments of a checkpoint."""
        for index, parameter in enumerate(self.parameters):
            prefix = f"optimiser.{index}."
            state = {
                key.removeprefix(prefix): v
                if key.endswith(".step")
                else held_as(parameter, v.to(parameter.device))
                for key, v in tensors.items()
                if key.startswith(prefix)
            }
            if parameter in self.muon.momentum and state:
                self.muon.momentum[parameter].copy_(state["momentum"])
            elif state:
                self.adam.state[parameter] = state

    def _state(self, parameter: nn.Parameter) -> dict[str, torch.Tensor]:
        if parameter in self.muon.momentum:
            return {"momentum": self.muon.momentum[parameter]}
        state: dict[str, torch.Tensor] = self.adam.state.get(parameter, {})
        return state


@dataclass(frozen=True, slots=True)
class _Part:
    parameters: list[nn.Parameter]
    rate: float
    is_scaled: bool


def _parts(student: Student, stage: Stage) -> dict[Trains, list[_Part]]:
    scaled = stage.optimiser == "muon"
    return {
        "language": [_Part(student.lm_parameters(), stage.rate, is_scaled=scaled)],
        "attention": [_Part(list(student.attention.parameters()), stage.rate, is_scaled=False)],
        "series": [_Part(student.series_parameters(), stage.series_rate, is_scaled=False)],
        "head": [_Part(student.head.deep_parameters(), stage.series_rate, is_scaled=False)],
    }


def _size(tensor: nn.Parameter) -> float:
    return max(SMALLEST_SCALE, float(whole(tensor.detach()).square().mean().sqrt()))


def schedule(step: int, steps: int) -> float:
    """The share of the rate: linear warm-up, then linear decay to 3%."""
    warm = min(WARM_UP_STEPS, max(1, steps // 5))
    if step < warm:
        return (step + 1) / warm
    return 1 - (1 - LAST_SHARE) * (step - warm) / max(1, steps - warm)


def paper_schedule(step: int, steps: int) -> float:
    """The share of the rate in the paper's code: 200 steps of warm-up, then half a cosine to nothing."""
    warm = min(PAPER_WARM_UP_STEPS, max(1, steps // 5))
    if step < warm:
        return (step + 1) / warm
    return (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2
