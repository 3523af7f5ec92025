"""Check the rationale of a case file against its own chart."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clinragen.case import read_case
from clinragen.errors import CaseError
from clinragen.grounding.checker import Checker, entailment_of
from clinragen.recipe import Grounding
from clinragen.schema import VERDICTS


def check_case(path: Path, settings: Grounding | None = None) -> dict[str, Any]:
    """The claims of a case's rationale with spans and verdicts, and how many there are of each verdict.

    Without settings the rules alone decide. Raises CaseError, and CheckerError where a model cannot be used.
    """
    stay, rationale = read_case(path)
    if rationale is None:
        raise CaseError(
            f"{path} has no rationale to check",
            expected="a text under the key `rationale`",
            fix="add the rationale, or use `clinragen diagnose` to write one",
        )
    checker = Checker(entailment=entailment_of(settings or Grounding()))
    claims = checker.check(rationale, stay)
    counts = Counter(claim.verdict for claim in claims)
    return {
        "case_id": stay.stay_id,
        "checker": checker.name,
        "claims": [asdict(claim) for claim in claims],
        "counts": {verdict: counts[verdict] for verdict in VERDICTS},
    }
