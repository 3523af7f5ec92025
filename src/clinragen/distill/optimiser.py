"""AdamW with a rate for each tensor, scaled by the tensor's own size.

T5 starts its embeddings at a standard deviation of 1 and its queries at 1/128; one rate for both wastes
steps. The rate of a language model tensor is base * max(1e-3, RMS(tensor)), taken anew every step.
"""

from typing import Any

import torch
from torch import nn

from clinragen.distill.stages import Stage
from clinragen.model.student import Student

SMALLEST_SCALE = 1e-3
WARM_UP_STEPS = 40
LAST_SHARE = 0.03
LONGEST_GRADIENT = 1.0


class StageOptimiser:
    """Updates the tensors a stage trains and leaves the others as they are."""

    def __init__(self, student: Student, stage: Stage) -> None:
        self.stage = stage
        groups: list[dict[str, Any]] = [
            *(
                [{"params": [p], "scaled": True} for p in student.lm_parameters()]
                if "language" in stage.trains
                else []
            ),
            *([_plain(student.series_parameters(), stage)] if "series" in stage.trains else []),
            *([_plain(list(student.head.parameters()), stage)] if "head" in stage.trains else []),
        ]
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        for parameter in student.parameters():
            parameter.requires_grad_(False)
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        self.adam = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0)

    def step(self, loss: torch.Tensor, step: int) -> None:
        """One update of step number `step` of the stage, counted from 0."""
        self.adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters, LONGEST_GRADIENT)
        share = schedule(step, self.stage.steps)
        for group in self.adam.param_groups:
            group["lr"] = share * (
                self._scaled_rate(group["params"][0]) if group["scaled"] else group["base"]
            )
        self.adam.step()

    def _scaled_rate(self, tensor: nn.Parameter) -> float:
        rms = float(tensor.detach().square().mean().sqrt())
        return self.stage.rate * max(SMALLEST_SCALE, rms)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The moments, for a checkpoint."""
        found = {}
        for index, parameter in enumerate(self.parameters):
            for name, value in self.adam.state.get(parameter, {}).items():
                found[f"optimiser.{index}.{name}"] = value
        return found

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Continue from the moments of a checkpoint."""
        for index, parameter in enumerate(self.parameters):
            prefix = f"optimiser.{index}."
            state = {key.removeprefix(prefix): v for key, v in tensors.items() if key.startswith(prefix)}
            if state:
                self.adam.state[parameter] = state


def _plain(parameters: list[nn.Parameter], stage: Stage) -> dict[str, Any]:
    return {"params": parameters, "scaled": False, "base": stage.series_rate}


def schedule(step: int, steps: int) -> float:
    """The share of the rate: linear warm-up, then linear decay to 3%."""
    warm = min(WARM_UP_STEPS, max(1, steps // 5))
    if step < warm:
        return (step + 1) / warm
    return 1 - (1 - LAST_SHARE) * (step - warm) / max(1, steps - warm)
