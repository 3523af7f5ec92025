"""Training on two processes is training on one: real processes, started as a user starts them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

TESTS = Path(__file__).parents[1]
SCRIPT = """
import json, os, sys
from pathlib import Path
import torch
from safetensors.torch import save_file
torch.set_num_threads(1)
from dataclasses import asdict
from clinragen.distill.loop import _loss, train
from clinragen.distill.processes import add_gradients, is_first
from clinragen.distill.stages import stages
from clinragen.model.batch import examples
from clinragen.recipe import Distill, Recipe
from model.small import SETTINGS, STAYS, TEXTS, small_student

folder, batch = Path(sys.argv[1]), int(sys.argv[2])
plan = Distill(batch=batch, note_steps=4, series_steps=3, joint_steps=6, checkpoint_every=2)
student = small_student()
shown = examples(STAYS * 4, TEXTS * 4, student.tokenizer, SETTINGS, 48)
recipe = Recipe(name="t", model=SETTINGS, distill=plan)
gradients = {}
for index, stage in enumerate(stages(recipe)):
    for step in range(4):
        student.zero_grad(set_to_none=False)
        _loss(student, stage, shown, [0, index], step)[0].backward()
        add_gradients(student.parameters())
        found = [torch.zeros_like(p) if p.grad is None else p.grad for p in student.parameters()]
        gradients[f"{index}.{step}"] = torch.cat([each.flatten() for each in found])
student.zero_grad()
log = train(student, stages(recipe), shown, 0, folder / "checkpoints", 2)
if is_first():
    save_file(gradients, folder / "gradients.safetensors")
    (folder / "log.json").write_text(json.dumps([asdict(row) for row in log]))
"""


def trained(
    folder: Path, processes: int, batch: int
) -> tuple[list[dict[str, float]], dict[str, torch.Tensor]]:
    folder.mkdir()
    script = folder / "script.py"
    script.write_text(SCRIPT)
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *(launch if processes > 1 else []), str(script), str(folder), str(batch)]
    paths = {"PYTHONPATH": f"{TESTS}:{TESTS.parent / 'src'}", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=paths, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "log.json").read_text()), load_file(folder / "gradients.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("batch", [4, 1], ids=["shared out", "too few stays for all"])
def test_two_processes_learn_what_one_does(tmp_path: Path, batch: int) -> None:
    """The same gradients; the losses differ by what Adam makes of the last bits of gradients near 0."""
    log, gradients = trained(tmp_path / "one", 1, batch)
    shared_log, shared_gradients = trained(tmp_path / "two", 2, batch)
    for name, gradient in gradients.items():
        assert torch.allclose(shared_gradients[name], gradient, atol=1e-5), name
    assert [row["stage"] for row in shared_log] == [row["stage"] for row in log]
    for row, shared in zip(log, shared_log, strict=True):
        assert shared["text"] == pytest.approx(row["text"], rel=1e-3)
    assert shared_log[0] == log[0]
