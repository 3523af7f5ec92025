"""What a training step costs in time and memory, as notes, batches and knowledge grow.

Every point is a process of its own that trains a fresh student (width 512, 8 and 8 layers, AdamW, bf16, joint
stage, one thread) for a few invented stays; its peak of memory is the process's, its time the faster of the
last two steps. One of the three grows at a time. Prints a table and draws it in the file that is named.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

PIECES, BATCH, FACTS = (100, 200, 400, 800, 1600), (2, 4, 8, 16, 32), (30, 100, 300, 1000, 3000)
NORMAL = {"pieces": 400, "batch": 8, "facts": 100}
GROWING = {"pieces": PIECES, "batch": BATCH, "facts": FACTS}
TITLES = {"pieces": "pieces of a note", "batch": "stays of a batch", "facts": "facts of the knowledge"}
WIDTH, LAYERS, HEADS, TARGET = 512, 8, 8, 150
STEPS = 3


def measure(pieces: int, batch: int, facts: int) -> tuple[float, float]:
    """Seconds of a step and the peak of memory in MB, in a process of its own."""
    asked = json.dumps({"pieces": pieces, "batch": batch, "facts": facts})
    told = subprocess.run([sys.executable, __file__, asked], capture_output=True, text=True, check=True)
    seconds, peak = json.loads(told.stdout.splitlines()[-1])
    return seconds, peak


def point(pieces: int, batch: int, facts: int) -> tuple[float, float]:
    """Train here for a few steps."""
    import torch

    from clinragen.clinical.diagnoses import diagnosis_names
    from clinragen.clinical.variables import judged_variables, variables
    from clinragen.distill.loop import train
    from clinragen.distill.memory import hold_memory
    from clinragen.distill.stages import stages
    from clinragen.model.batch import examples
    from clinragen.model.checkpoint import new_student
    from clinragen.recipe import Distill, Model, Recipe
    from clinragen.schema import Fact, Measurement, Stay

    hold_memory()
    torch.set_flush_denormal(True)
    torch.set_num_threads(1)
    labels, names, start = diagnosis_names(), list(judged_variables()), datetime(2100, 1, 1)
    known = [
        Fact(
            f"f{i}",
            f"High {names[i % len(names)]} speaks for {labels[i % len(labels)]}.",
            (labels[i % len(labels)],),
            "invented",
            variable=names[i % len(names)],
            level="high",
        )
        for i in range(facts)
    ]
    rows = tuple(
        Measurement(start + timedelta(hours=hour), name, (variables()[name].low or 1.0) * 1.5, "", 0.0, 1.0)
        for hour in range(48)
        for name in names
    )
    stay = Stay(
        "a", 1, "invented", "train", start, start + timedelta(hours=48), "male", 60.0, "well", False, rows,
        frozenset(labels[:3]),
    )  # fmt: skip
    settings = Model(
        width=WIDTH, layers=LAYERS, heads=HEADS, feed_forward=2 * WIDTH, note_tokens=pieces, vocabulary=400
    )
    distill = Distill(
        note_steps=0,
        series_steps=0,
        joint_steps=STEPS,
        batch=batch,
        precision="bf16",
        optimiser="adamw",
        reading_share=0.0,
    )
    recipe = Recipe(name="memory", model=settings, distill=distill)
    student = new_student(settings, known, ["well", *names], 48, 0)
    (shown,) = examples([stay], [""], student.tokenizer, settings, 48)
    rng = np.random.default_rng(0)
    notes = rng.integers(3, 60, (batch, pieces))
    chosen = [replace(shown, note=tuple(note), target=tuple(note[:TARGET])) for note in notes]
    moments = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        train(
            student, stages(recipe), chosen, 0, Path(folder), STEPS + 1,
            lambda *_: moments.append(time.perf_counter()),
        )  # fmt: skip
    return min(np.diff(moments)[1:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def draw(found: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """Three panels; time to the left, memory to the right."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "clinragen"
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    for panel, (name, points) in zip(panels, found.items(), strict=True):
        seconds, peaks = zip(*points, strict=True)
        panel.plot(GROWING[name], seconds, "o-", color="#2b6cb0")
        panel.set_xlabel(TITLES[name])
        panel.set_ylabel("seconds of a step", color="#2b6cb0")
        panel.set_ylim(bottom=0)
        beside = panel.twinx()
        beside.plot(GROWING[name], [peak / 1024 for peak in peaks], "s--", color="#b7472a")
        beside.set_ylabel("peak memory, GB", color="#b7472a")
        beside.set_ylim(bottom=0)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure every point, print, and draw where a file is named."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name, sizes in GROWING.items():
        found[name] = [measure(**{**NORMAL, name: size}) for size in sizes]
        for size, (seconds, peak) in zip(sizes, found[name], strict=True):
            print(f"{size:5} {TITLES[name]}: {seconds:6.2f} s a step, {peak:6.0f} MB", flush=True)
    if len(sys.argv) > 1:
        draw(found, Path(sys.argv[1]))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("{"):
        print(json.dumps(point(**json.loads(sys.argv[1]))))
    else:
        main()
