"""What a teacher is given and what it gives back."""

from dataclasses import dataclass, field
from pathlib import Path

from clinragen.recipe import Engine, Teach
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
    engine: Engine = field(default_factory=Engine)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a teacher wrote of one stay, as its sample of that number.

    `problem` is "" for a rationale in both parts; otherwise it says why there is none ("refused",
    "malformed", "given up: timeout"), and `note` holds what came instead. `diagnoses` are those the teacher
    named where it was not told them, else None.
    """

    stay_id: str
    note: str
    series: str
    author: str
    prompt_id: str
    problem: str = ""
    sample: int = 0
    diagnoses: frozenset[str] | None = None

    def text(self, part: Part) -> str:
        """What it says of this part of the record."""
        return self.note if part == "note" else self.series
