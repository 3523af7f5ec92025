"""The teacher that reads documents: a model behind an OpenAI-compatible endpoint, through a ledger."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clinragen.endpoint.client import ask
from clinragen.endpoint.guard import is_loopback, permit
from clinragen.endpoint.ledger import Answer, key_of, opened
from clinragen.endpoint.question import Endpoint, Question
from clinragen.errors import KnowledgeError
from clinragen.knowledge.extraction import PROMPT_ID, REPAIR_ID, Ask, Chat, prompt, read_reply, schema
from clinragen.recipe import Knowledge

SETTINGS: Mapping[str, Any] = {"temperature": 0.0, "max_tokens": 2000}


def reader(settings: Knowledge, ledger: Path, progress: Callable[[str, int, int], None]) -> Ask:
    """A teacher as the recipe names it; it is asked nothing twice, whatever ends a run."""

    def read(chats: Sequence[Chat]) -> list[str]:
        endpoint = _endpoint(settings)
        permit(endpoint, credentialed=False, agreement="")
        keys = [key_of(chat, PROMPT_ID, settings.model, SETTINGS) for chat in chats]
        answers: dict[str, Answer] = {}
        with opened(ledger) as kept:
            for key, answer in ask(_questions(keys, chats), endpoint, kept):
                answers[key] = answer
                progress("passages read", len(answers), len(keys))
        return [answers[key].reply if answers[key].status == "answered" else "" for key in keys]

    return read


def check_that_folder_may_leave(settings: Knowledge) -> None:
    """Raise KnowledgeError where a folder's texts would go to another machine without leave."""
    if "folder" in settings.sources and not settings.folder_may_leave and not is_loopback(settings.endpoint):
        raise KnowledgeError(
            "the documents of knowledge.folder may not be sent to another machine",
            expected="an endpoint on this machine, or knowledge.folder_may_leave = true",
            found=f"knowledge.endpoint = {settings.endpoint}",
            fix="serve the model on this machine, or say that these texts may leave it",
        )


def _questions(keys: Sequence[str], chats: Sequence[Chat]) -> Iterator[Question]:
    return (Question(key, chat, SETTINGS) for key, chat in zip(keys, chats, strict=True))


def _endpoint(settings: Knowledge) -> Endpoint:
    return Endpoint(
        url=settings.endpoint,
        model=settings.model,
        section="knowledge",
        schema=schema(),
        is_readable=lambda reply: read_reply(reply) is not None,
        repair=prompt(REPAIR_ID),
    )
