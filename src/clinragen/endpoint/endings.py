"""Why asking ends before every question is answered, in words that repeat no patient text."""

from collections import Counter
from collections.abc import Iterable

from clinragen.endpoint.ledger import Ledger
from clinragen.endpoint.question import Endpoint
from clinragen.errors import EndpointError

KEY_VARIABLE = "OPENAI_API_KEY"


def refusing_all(endpoint: Endpoint, status: int) -> EndpointError:
    """The endpoint refuses for a reason that holds for every question."""
    return EndpointError(
        f"the endpoint answered with status {status}",
        fix=f"check {endpoint.section}.endpoint, {endpoint.section}.model and the environment variable "
        f"{KEY_VARIABLE}",
    )


def over_budget(endpoint: Endpoint, ledger: Ledger) -> EndpointError | None:
    """The budget is used up by what the ledger holds, or None."""
    if not (endpoint.budget_money or endpoint.budget_tokens):
        return None
    money, tokens = ledger.spent()
    if not (0 < endpoint.budget_money <= money or 0 < endpoint.budget_tokens <= tokens):
        return None
    return EndpointError(
        "the budget is used up",
        expected=f"at most {endpoint.budget_money:g} in money, {endpoint.budget_tokens} tokens (0: no limit)",
        found=f"{money:.4f} in money and {tokens} tokens, for all answers in the ledger",
        fix=f"raise the budget in [{endpoint.section}] and run again: every answer is kept",
    )


def unanswered(endpoint: Endpoint, kinds: Iterable[str], answered: int) -> EndpointError:
    """Questions whose calls failed, by kind of error, that a later run may ask again."""
    failed = Counter(kinds)
    problem = (
        f"{failed.total()} questions were not answered, {answered} were"
        if answered
        else "the endpoint cannot be reached, or answers nothing"
    )
    return EndpointError(
        problem,
        found=", ".join(f"{kind}: {count}" for kind, count in sorted(failed.items())),
        fix=f"see that the server at {endpoint.section}.endpoint is well, then run again: answers are kept "
        f"and only these are asked again; after {endpoint.failed_runs} failed runs a question is given up",
    )
