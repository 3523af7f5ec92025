"""What a teacher is given and what it gives back."""

from dataclasses import dataclass
from pathlib import Path

from clinragen.recipe import Teach
from clinragen.schema import Fact, Part

PARTS: tuple[Part, ...] = ("note", "series")


@dataclass(frozen=True, slots=True)
class Asking:
    """What every teacher knows beside the stays: its settings, the facts, and where its ledger lies.

    `credentialed` records are of real patients: their text may leave this machine only under an agreement.
    """

    settings: Teach
    credentialed: bool
    seed: int
    facts: tuple[Fact, ...]
    ledger: Path


@dataclass(frozen=True, slots=True)
class Reply:
    """What a teacher wrote of one stay.

    `problem` is "" for a rationale in both parts; otherwise it says why there is none ("refused",
    "malformed"), and `note` holds what came instead.
    """

    stay_id: str
    note: str
    series: str
    author: str
    prompt_id: str
    problem: str = ""
