"""Distill: rationales in, a trained student out."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from clinragen.distill.evidence import fit_evidence
from clinragen.distill.loop import Tell, train
from clinragen.distill.memory import hold_memory
from clinragen.distill.preferences import pairs
from clinragen.distill.processes import cores, is_first
from clinragen.distill.sharding import learner_of, take_weights
from clinragen.distill.stages import stages
from clinragen.distill.targets import Lesson, altered, lessons
from clinragen.model.batch import Example, examples
from clinragen.model.checkpoint import new_student, save_student, terms
from clinragen.model.generate import label_logits
from clinragen.model.knowledge import known
from clinragen.model.student import Student
from clinragen.model.text import cut_off
from clinragen.recipe import Recipe
from clinragen.schema import Fact
from clinragen.store import read_nouns, read_stays, write_text


def run(recipe: Recipe, run: Path, progress: Tell) -> dict[str, Any]:
    """Train the student of a recipe and write it to `distill/student`."""
    use_threads(recipe)
    taught = lessons(run, "train")
    student, log = teach_student(
        recipe, run, taught, facts_of(run), run / "distill" / "checkpoints", progress
    )
    tuning = read_stays(run / "cohort" / "stays", "tuning")
    shown = examples(tuning, [""] * len(tuning), student.tokenizer, student.settings, student.hours)
    set_operating_point(student, shown)
    if is_first():
        save_student(student, run / "distill" / "student")
        write_text(run / "distill" / "log.jsonl", "".join(json.dumps(asdict(row)) + "\n" for row in log))
    return {
        "lessons": len(taught),
        "parameters": sum(parameter.numel() for parameter in student.parameters()),
        "vocabulary": len(student.tokenizer),
        "operating_point": round(float(student.operating_point), 3),
        "notes": cut_off(student.tokenizer, [each.stay.note for each in taught], recipe.model.note_tokens),
        "targets": cut_off(student.tokenizer, [each.target for each in taught], recipe.model.target_tokens),
    }


def teach_student(
    recipe: Recipe, run: Path, taught: Sequence[Lesson], facts: list[Fact], checkpoints: Path, progress: Tell
) -> tuple[Student, list[Any]]:
    """A new student, trained through the three stages on these lessons, altered as the recipe says."""
    facts = known(facts, recipe.model.knowledge, recipe.seed)
    taught = altered(taught, recipe.distill.lessons, recipe.seed)
    texts = [text for lesson in taught for text in (lesson.stay.note, lesson.target)]
    words = 20 * [*terms(facts), "yes no"]
    hours = recipe.cohort.grid_hours
    student = new_student(recipe.model, facts, [*texts, *words], hours, recipe.seed)
    stays, targets = [lesson.stay for lesson in taught], [lesson.target for lesson in taught]
    student.to(device_of(recipe))
    shown = examples(stays, targets, student.tokenizer, recipe.model, hours)
    every = recipe.distill.checkpoint_every
    fit_evidence(student, shown, recipe.distill.evidence_steps, recipe.seed)
    asks = recipe.distill.preference_steps > 0
    compared = pairs(run, student, {each.stay_id: each for each in shown}) if asks else []
    learner = learner_of(student, recipe)
    log = train(learner, stages(recipe), shown, recipe.seed, checkpoints, every, progress, compared)
    take_weights(student, learner)
    return student, log


def facts_of(run: Path) -> list[Fact]:
    """The facts of a run, in their order."""
    return read_nouns(run / "knowledge" / "facts.jsonl", Fact)


def device_of(recipe: Recipe) -> torch.device:
    """Where the student lives: a GPU where there is one and the recipe does not say otherwise."""
    if recipe.engine.device != "auto":
        return torch.device(recipe.engine.device)
    return (
        torch.device("cuda", torch.cuda.current_device())
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


def use_threads(recipe: Recipe) -> None:
    """Let torch use the cores the recipe allows, and call numbers too small to matter zero.

    Subnormal numbers, which Adam's moments and far attention weights become after some hundred steps, made
    a step several times slower. Memory once used is kept, see `memory.py`.
    """
    hold_memory()
    torch.set_flush_denormal(True)
    torch.set_num_threads(recipe.engine.threads or cores())


def set_operating_point(student: Student, tuning: Sequence[Example]) -> None:
    """Shift the logits the decoder reads so that micro-F1 on the tuning patients is greatest.

    Without tuning stays, a positive label among them, or a head that judges, the shift stays 0.
    """
    if not tuning or student.settings.judgement == "text":
        return
    logits = label_logits(student, tuning, batch=64)
    truth = torch.stack([torch.from_numpy(example.labels) for example in tuning]).bool()
    shifts = torch.arange(-1.0, 2.01, 0.05)
    scores = torch.stack([_micro_f1(logits + shift > 0, truth) for shift in shifts])
    if scores.max() > 0:
        best = shifts[scores >= scores.max() - 1e-9]
        student.operating_point.fill_(float(best[best.abs().argmin()]))


def _micro_f1(chosen: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return 2 * (chosen & truth).sum() / (chosen.sum() + truth.sum()).clamp_min(1)
