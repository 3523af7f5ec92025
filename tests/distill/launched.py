"""What every process of a launch does in test_processes.py: train a tiny student, and tell how it went.

launched.py FOLDER BATCH [--stop STEP] [--sharded] [--alone]: the last process asks itself to stop after
STEP; the language model is held in shares; the first process trains while the others wait.
"""

import argparse
import os
import signal
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.distributed.tensor import DTensor

from clinragen.distill.loop import train
from clinragen.distill.processes import alone, is_first
from clinragen.distill.sharding import learner_of, take_weights
from clinragen.distill.stages import stages
from clinragen.model.batch import examples
from clinragen.recipe import Distill, Engine, Recipe
from clinragen.store import write_json
from model.small import SETTINGS, STAYS, TEXTS, small_student


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("batch", type=int)
    parser.add_argument("--stop", type=int, default=0)
    parser.add_argument("--sharded", action="store_true")
    parser.add_argument("--alone", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.alone:
        alone(lambda: learn(asked), None)
    else:
        learn(asked)


def learn(asked: argparse.Namespace) -> None:
    plan = Distill(batch=asked.batch, note_steps=8, series_steps=4, joint_steps=12, checkpoint_every=5)
    recipe = Recipe(name="t", model=SETTINGS, distill=plan, engine=Engine(sharded=asked.sharded))

    def tell(_what: str, done: int, _total: int) -> None:
        if done == asked.stop and os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGTERM)

    student = small_student()
    shown = examples(STAYS * 4, TEXTS * 4, student.tokenizer, SETTINGS, 48)
    learner = learner_of(student, recipe)
    held = sum(map(held_here, learner.parameters())) / sum(p.numel() for p in student.parameters())
    log = train(learner, stages(recipe), shown, 0, asked.folder, 5, tell)
    take_weights(student, learner)
    if is_first():
        save_file(dict(student.named_parameters()), asked.folder / "student.safetensors")
        curve = [[row.text, row.head, row.align] for row in log]
        write_json(asked.folder / "log.json", {"curve": curve, "held": held})


def held_here(parameter: torch.nn.Parameter) -> int:
    return (parameter.to_local() if isinstance(parameter, DTensor) else parameter).numel()


if __name__ == "__main__":
    main()
