"""What an importer is given and what it gives back."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinragen.recipe import Knowledge
from clinragen.schema import Document, Fact

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Importing:
    """What every importer knows: the recipe's section, where fetched things are kept, whom to tell.

    `first_wait` is how long a busy server is left alone before it is asked again, in seconds.
    """

    settings: Knowledge
    cache: Path
    progress: Progress
    first_wait: float = 1.0


@dataclass(frozen=True, slots=True)
class Rejected:
    """What did not enter the base, and why: a document that cannot be read, or a fact without its quote."""

    source: str
    document_id: str
    reason: str
    what: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Imported:
    """Documents that a teacher has yet to read, and facts with the documents that they quote.

    `counts` and `rejected` tell what was passed over.
    """

    documents: tuple[Document, ...] = ()
    quoted: tuple[Document, ...] = ()
    facts: tuple[Fact, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
