"""A student on disk: safetensors, tokenizer, and everything needed to build it again as JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerFast

from clinragen import __version__
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import STATES
from clinragen.clinical.mentions import label_phrases
from clinragen.clinical.variables import judged_variables
from clinragen.errors import RunError
from clinragen.labels import Diagnosis, LabelSet, holding
from clinragen.model.backbones import built, described, kind_of, rebuilt
from clinragen.model.knowledge import as_told, entries, entries_from_json, entries_to_json
from clinragen.model.student import Student
from clinragen.model.text import train_tokenizer
from clinragen.model.trimming import trimmed
from clinragen.recipe import Model
from clinragen.schema import Fact
from clinragen.store import read_json, write_json, written

CONFIG = "config.json"
"""Holds all but the weights and the tokenizer, under the name by which hubs know such a file."""


def new_student(settings: Model, facts: list[Fact], texts: list[str], hours: int, seed: int) -> Student:
    """A student to be trained: its tokenizer is trained on `texts` unless the backbone brings one."""
    brings = kind_of(settings).tokenizer
    kept: list[int] = []
    if brings is None:
        tokenizer = train_tokenizer(texts, settings.vocabulary, terms(facts))
    elif settings.trim_vocabulary:
        tokenizer, kept = trimmed(brings(settings), texts)
    else:
        tokenizer = brings(settings)
    torch.manual_seed(seed)
    backbone = built(settings, len(tokenizer), kept)
    return Student(settings, backbone, entries(facts, tuple(judged_variables()), tokenizer), tokenizer, hours)


def terms(facts: list[Fact]) -> list[str]:
    """What is one word to the student: states, variables, diagnoses as notes call them, signs of facts."""
    names = [*judged_variables(), *map(as_told, judged_variables()), *diagnosis_names()]
    signs = [fact.sign for fact in facts if fact.sign]
    return [*STATES, *names, *label_phrases(), *signs]


def save_student(student: Student, folder: Path) -> None:
    """Write a student; the JSON file comes last and makes it loadable."""
    folder.mkdir(parents=True, exist_ok=True)
    student.tokenizer.save_pretrained(folder)
    with written(folder / "model.safetensors") as draft:
        save_file(_tensors(student), draft)
    values = {
        "model_type": "clinragen",
        "version": __version__,
        "settings": student.settings.model_dump(),
        "hours": student.hours,
        "labels": diagnosis_names(),
        "own_labels": [asdict(label) for label in holding()],
        "backbone": described(student.backbone),
        "rows": entries_to_json(student.rows),
    }
    write_json(folder / CONFIG, values)


def load_student(folder: Path) -> Student:
    """Read a student back, the same to the bit."""
    if not (folder / CONFIG).exists():
        raise RunError(f"no trained student in {folder}", fix="run `clinragen run RECIPE` first")
    values = read_json(folder / CONFIG)
    if tuple(values["labels"]) != diagnosis_names() or labels_of(folder) != holding():
        raise RunError(
            f"{folder} was trained for other labels",
            expected=", ".join(diagnosis_names()),
            found=", ".join(values["labels"]),
            fix="use the recipe, and the cohort.labels, that it was trained with",
        )
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    settings = Model(**values["settings"])
    backbone = rebuilt(values["backbone"], settings)
    rows = entries_from_json(values["rows"])
    student = Student(settings, backbone, rows, tokenizer, values["hours"])
    _fill(student, load_file(folder / "model.safetensors"))
    return student.eval()


def labels_of(folder: Path) -> LabelSet:
    """The labels of its own that a student was trained for, or those of the package."""
    rows = read_json(folder / CONFIG).get("own_labels", ())
    return tuple(Diagnosis(**{key: _frozen(value) for key, value in row.items()}) for row in rows)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _tensors(student: Student) -> dict[str, torch.Tensor]:
    """Every tensor once: tied ones under their first name."""
    seen: set[int] = set()
    kept: dict[str, Any] = {}
    for name, tensor in student.state_dict().items():
        if tensor.data_ptr() not in seen or tensor.numel() == 0:
            kept[name] = tensor.contiguous()
        seen.add(tensor.data_ptr())
    return kept


def _fill(student: Student, tensors: dict[str, torch.Tensor]) -> None:
    missing = set(_tensors(student)) ^ set(tensors)
    if missing:
        raise RunError(
            "checkpoint and code do not fit", found=f"tensors on one side only: {sorted(missing)[:5]}"
        )
    student.load_state_dict(tensors, strict=False)
