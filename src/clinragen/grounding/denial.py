"""A statement and its denial cannot both be supported: what is denied is judged as well."""

import re
from collections.abc import Callable
from dataclasses import replace

from clinragen.grounding.sentences import Clause
from clinragen.schema import Claim

_DENIED = re.compile(
    r"\b(is|are|was|were|be|been|being|has|have|had|did|does|do|could|can|would|ca|could|should)"
    r"(?: not\b|n['’]t\b| never\b)",
    re.I,
)

Judge = Callable[[Clause], Claim | None]


def with_denial_judged(claim: Claim | None, clause: Clause, judge: Judge) -> Claim | None:
    """The claim, contradicted if the chart supports the very statement that the clause denies."""
    if claim is None or claim.verdict != "supported":
        return claim
    plain = _DENIED.sub(r"\1", clause.text)
    if plain == clause.text:
        return claim
    denied = judge(replace(clause, text=plain, end=clause.start + len(plain)))
    if denied is None or denied.verdict != "supported":
        return claim
    return replace(
        claim, verdict="contradicted", evidence=denied.evidence, reason="the chart says what is denied"
    )
