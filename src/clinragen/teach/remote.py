"""The remote teacher: any model behind an OpenAI-compatible endpoint, through the ledger.

A refusal or a reply that cannot be read is kept as such and becomes a rejection; only what concerns every
stay (no connection, a wrong key, an unknown model) ends the step, and a rerun goes on where it ended.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clinragen.endpoint.client import ask
from clinragen.endpoint.guard import permit
from clinragen.endpoint.ledger import Answer, key_of, opened
from clinragen.endpoint.question import Endpoint, Question
from clinragen.recipe import Teach
from clinragen.schema import Stay
from clinragen.teach.asking import Asking, Reply
from clinragen.teach.prompt import PROMPT_ID, messages_for, read_reply, repair_text

SETTINGS: Mapping[str, Any] = {"temperature": 0.0, "max_tokens": 500}


def write(stays: Sequence[Stay], asking: Asking) -> list[Reply]:
    """Ask about each stay that the ledger does not know yet; replies in the order of the stays.

    Raises EndpointError where the endpoint may not be sent these records, or cannot be reached.
    """
    endpoint = endpoint_of(asking.settings)
    permit(endpoint, asking.credentialed, asking.settings.agreement)
    questions = [_question(stay, asking) for stay in stays]
    with opened(asking.ledger) as ledger:
        answers = dict(ask(questions, endpoint, ledger))
    pairs = zip(stays, questions, strict=True)
    return [_reply(stay.stay_id, answers[question.key], endpoint.model) for stay, question in pairs]


def endpoint_of(settings: Teach) -> Endpoint:
    """The endpoint that the recipe names, on the recipe's terms."""
    return Endpoint(
        url=settings.endpoint,
        model=settings.model,
        is_readable=lambda text: read_reply(text) is not None,
        repair=repair_text(),
    )


def _question(stay: Stay, asking: Asking) -> Question:
    messages = messages_for(stay, asking.facts)
    return Question(key_of(messages, PROMPT_ID, asking.settings.model, SETTINGS), tuple(messages), SETTINGS)


def _reply(stay_id: str, answer: Answer, model: str) -> Reply:
    texts = read_reply(answer.reply) if answer.status == "answered" else None
    if texts is None:
        problem = answer.status if answer.status != "answered" else "malformed"
        return Reply(stay_id, answer.reply, "", model, PROMPT_ID, problem)
    return Reply(stay_id, texts["note"], texts["series"], model, PROMPT_ID)
