"""The remote teacher: any model behind an OpenAI-compatible endpoint, through the ledger.

A refusal or a reply that cannot be read is kept as such and becomes a rejection; only what concerns every
stay (no connection, a wrong key, an unknown model) ends the step, and a rerun goes on where it ended.
"""

from collections.abc import Iterable, Iterator, Sequence

from clinragen.endpoint.batches import ask_in_batches
from clinragen.endpoint.client import ask
from clinragen.endpoint.guard import permit
from clinragen.endpoint.ledger import Answer, opened
from clinragen.endpoint.question import Endpoint, Question
from clinragen.recipe import Teach
from clinragen.schema import Stay
from clinragen.teach.asking import Asking, Reply
from clinragen.teach.prompt import prompt, repair_text
from clinragen.teach.questions import written
from clinragen.teach.replies import is_readable, schema_of


def write(stays: Sequence[Stay], asking: Asking) -> list[Reply]:
    """The replies about these stays; asks about those that the ledger does not know yet.

    Raises EndpointError where the endpoint may not be sent these records, or cannot be reached.
    """
    return written(stays, asking, ask_endpoint)


def ask_endpoint(questions: Iterable[Question], asking: Asking) -> Iterator[tuple[str, Answer]]:
    """Each key with its answer, as they come, from the ledger or from the endpoint."""
    endpoint = endpoint_of(asking.settings)
    permit(endpoint, asking.credentialed, asking.settings.agreement)
    way = ask_in_batches if asking.settings.batch_api else ask
    with opened(asking.ledger) as ledger:
        yield from way(questions, endpoint, ledger)


def endpoint_of(settings: Teach) -> Endpoint:
    """The endpoint that the recipe names, on the recipe's terms."""
    asked = prompt(settings.prompt)
    return Endpoint(
        url=settings.endpoint,
        model=settings.model,
        schema=schema_of(asked) if settings.json_schema else None,
        is_readable=lambda text: is_readable(text, asked),
        repair=repair_text(),
        at_once=settings.at_once,
        retries=settings.retries,
        timeout_seconds=settings.timeout_seconds,
        failed_runs=settings.failed_runs,
        price_in=settings.price_in,
        price_out=settings.price_out,
        budget_money=settings.budget_money,
        budget_tokens=settings.budget_tokens,
        poll_seconds=settings.poll_seconds,
    )
