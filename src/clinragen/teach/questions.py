"""From stays to questions and from answers to replies: the same for every large model, here or elsewhere."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clinragen.endpoint.deidentify import deidentified
from clinragen.endpoint.ledger import Answer, key_of
from clinragen.endpoint.question import Question
from clinragen.recipe import Teach
from clinragen.schema import Stay
from clinragen.teach.asking import Asking, Reply
from clinragen.teach.prompt import Prompt, messages_for, prompt
from clinragen.teach.replies import is_readable, read_diagnoses, read_reply

Ask = Callable[[Iterable[Question], Asking], Iterator[tuple[str, Answer]]]
"""Gives each key with its answer as they come, asking only what the ledger does not know."""


def questions(stays: Iterable[Stay], asking: Asking) -> Iterator[Question]:
    """As many questions for each stay as samples are wanted, in order; they differ in seed and key."""
    asked = prompt(asking.settings.prompt)
    for stay in stays:
        shown = replace(stay, note=deidentified(stay.note)) if asking.settings.deidentify else stay
        messages = tuple(messages_for(shown, asking.facts, asked))
        for sample in range(asking.settings.samples):
            settings = settings_of(asking.settings, asking.seed, sample)
            key = key_of(messages, asked.prompt_id, asking.settings.model, settings, sample)
            yield Question(key, messages, settings)


def settings_of(settings: Teach, seed: int, sample: int) -> Mapping[str, Any]:
    """One sample is the likeliest answer; several are drawn, each with a seed of its own."""
    length = {"max_tokens": settings.max_tokens}
    if settings.samples == 1:
        return {"temperature": 0.0, **length}
    return {"temperature": settings.temperature, **length, "seed": seed * 1000 + sample}


def written(stays: Sequence[Stay], asking: Asking, ask: Ask) -> list[Reply]:
    """The replies to all questions about these stays, in the order of the questions."""
    asked = prompt(asking.settings.prompt)
    wanted = list(questions(stays, asking))
    answers = dict(ask(wanted, asking))
    owners = ((stay.stay_id, sample) for stay in stays for sample in range(asking.settings.samples))
    return [
        _reply(stay_id, sample, answers[question.key], asking.settings.model, asked)
        for (stay_id, sample), question in zip(owners, wanted, strict=True)
    ]


def _reply(stay_id: str, sample: int, answer: Answer, model: str, asked: Prompt) -> Reply:
    empty = Reply(stay_id, "", "", model, asked.prompt_id, sample=sample)
    if answer.status == "given up":
        return replace(empty, problem=f"given up: {answer.reply}")
    texts = read_reply(answer.reply)
    if answer.status != "answered" or texts is None or not is_readable(answer.reply, asked):
        problem = answer.status if answer.status != "answered" else "malformed"
        return replace(empty, note=answer.reply, problem=problem)
    named = read_diagnoses(answer.reply) if asked.is_blind else None
    return replace(empty, note=texts["note"], series=texts["series"], diagnoses=named)
