"""The local teacher: a Hugging Face model, causal or sequence to sequence, loaded on this machine.

Answers go through the same ledger as those of an endpoint. A batch is always the same questions, so a resumed
run gives the same words.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from clinragen.endpoint.ledger import Answer, Ledger, Outcome, opened
from clinragen.endpoint.question import Question
from clinragen.errors import TeacherError
from clinragen.schema import Stay
from clinragen.teach.asking import Asking, Reply
from clinragen.teach.generate import Batch, Loaded, answer, load
from clinragen.teach.questions import written
from clinragen.teach.spread import spread


def write(stays: Sequence[Stay], asking: Asking) -> list[Reply]:
    """The replies about these stays; asks about those that the ledger does not know yet."""
    return written(stays, asking, ask_model)


def ask_model(questions: Iterable[Question], asking: Asking) -> Iterator[tuple[str, Answer]]:
    """Each key with its answer, batch by batch; a batch the ledger knows is not generated again.

    Raises TeacherError where no such model can be loaded.
    """
    if not asking.settings.model:
        raise TeacherError("no model to load is named", fix="set teach.model to the path of a local model")
    known: list[tuple[str, Answer]] = []
    way = spread if asking.engine.kind == "ray" else in_turn
    with opened(asking.ledger) as ledger:
        for batch, answers in way(_missing(questions, asking, ledger, known), asking):
            pairs = [(question.key, answer) for question, answer in zip(batch, answers, strict=True)]
            ledger.record([Outcome(key, answer) for key, answer in pairs])
            yield from (*known, *pairs)
            known.clear()
        yield from known


def _missing(
    questions: Iterable[Question], asking: Asking, ledger: Ledger, known: list[tuple[str, Answer]]
) -> Iterator[Batch]:
    """The batches of which the ledger does not know every answer; those it knows are added to `known`."""
    rest = iter(questions)
    while batch := tuple(islice(rest, asking.settings.at_once)):
        kept = [(question.key, answer) for question in batch if (answer := ledger.get(question.key))]
        if len(kept) < len(batch):
            yield batch
        else:
            known.extend(kept)


def in_turn(batches: Iterator[Batch], asking: Asking) -> Iterator[tuple[Batch, list[Answer]]]:
    """Each batch with its answers, one after the other; the model is loaded for the first."""
    loaded: Loaded | None = None
    for batch in batches:
        loaded = loaded or load(asking.settings.model)
        yield batch, answer(loaded, batch, asking.settings.prompt)
