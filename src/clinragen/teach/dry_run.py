"""What a run would send, exactly and before anything is sent."""

import json
from collections.abc import Iterator
from pathlib import Path

from clinragen.endpoint.guard import permit
from clinragen.endpoint.ledger import opened
from clinragen.endpoint.question import body_of
from clinragen.errors import TeacherError
from clinragen.recipe import Recipe
from clinragen.teach.questions import questions
from clinragen.teach.remote import endpoint_of
from clinragen.teach.run import jobs_of, stays_of


def would_be_sent(recipe: Recipe, run: Path) -> Iterator[str]:
    """The body of every request that a run would begin with, one JSON text each; nothing is sent.

    What the ledger knows is not sent, so it is not here. A second attempt after a reply that cannot be read
    would repeat the body and add that reply. Raises TeacherError where the teacher sends nothing at all,
    and EndpointError where the guard would refuse to send.
    """
    if recipe.teach.kind != "remote":
        raise TeacherError(
            f"the teacher {recipe.teach.kind!r} sends nothing anywhere",
            expected="teach.kind = remote",
            fix="run it without --dry-run",
        )
    jobs = jobs_of(recipe, run)
    asking, endpoint = jobs[0].asking, endpoint_of(recipe.teach)
    permit(endpoint, asking.credentialed, recipe.teach.agreement)
    with opened(asking.ledger) as ledger:
        for question in questions(stays_of(jobs), asking):
            if ledger.settled(question.key, endpoint.failed_runs) is None:
                yield json.dumps(body_of(endpoint, question), ensure_ascii=False)
