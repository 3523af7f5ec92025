"""The text a student writes, and how it is read: `Diagnoses: a; b. Note: ... Series: ...`.

The answer is read exactly: a name outside the closed vocabulary makes the answer unparsed, which is
counted and never repaired. Paper mode writes `### Disease Diagnosed: a,b. ### Rationale: ...`, both
rationales in one, which is read as the note's (its matching by likeness is `evaluate.matching`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from clinragen.clinical.diagnoses import diagnosis_names

Layout = Literal["clean", "paper"]
NO_DIAGNOSIS = "none"
PAPER_NO_DIAGNOSIS = "no specific disease was identified"
_LAYOUT = re.compile(
    r"\s*Diagnoses:\s*(?P<names>[^.]*)\.(?:\s*Note:\s*(?P<note>.*?))?(?:\s*Series:\s*(?P<series>.*))?\s*",
    re.S,
)
_PAPER_LAYOUT = re.compile(
    r"\s*### Disease Diagnosed:\s*(?P<names>.*?)\.?\s*(?:### Rationale:\s*(?P<note>.*))?", re.S
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A student's text, read. `diagnoses` is None where it could not be read (unparsed)."""

    diagnoses: frozenset[str] | None
    note: str
    series: str


def compose_answer(diagnoses: Iterable[str], note: str, series: str, layout: Layout = "clean") -> str:
    """The text a student learns to write; what is empty is left out of the paper's."""
    if layout == "paper":
        return f"{answer_of(diagnoses, layout)} ### Rationale: {f'{note} {series}'.strip()}"
    return f"{answer_of(diagnoses)} Note: {note} Series: {series}"


def answer_of(diagnoses: Iterable[str], layout: Layout = "clean") -> str:
    """The answer that such a text begins with; diagnoses in table order, an empty set in words."""
    chosen = set(diagnoses)
    names = [name for name in diagnosis_names() if name in chosen]
    if layout == "paper":
        return f"### Disease Diagnosed: {','.join(names) or PAPER_NO_DIAGNOSIS}."
    return f"Diagnoses: {'; '.join(names) or NO_DIAGNOSIS}."


def parse_answer(text: str) -> Answer:
    """Read a student's text, in either layout; unreadable is not the empty set."""
    names, note, series = named(text)
    if names is None:
        return Answer(None, "", "")
    if names in ((NO_DIAGNOSIS,), (PAPER_NO_DIAGNOSIS,)):
        return Answer(frozenset(), note, series)
    known = set(diagnosis_names())
    return Answer(frozenset(names) if known.issuperset(names) else None, note, series)


def named(text: str) -> tuple[tuple[str, ...] | None, str, str]:
    """What stands where diagnoses are named, known or not, and both rationales; None where nothing does."""
    if match := _LAYOUT.fullmatch(text):
        return _split(match["names"], ";"), (match["note"] or "").strip(), (match["series"] or "").strip()
    if match := _PAPER_LAYOUT.fullmatch(text):
        return _split(match["names"], ","), (match["note"] or "").strip(), ""
    return None, "", ""


def _split(names: str, mark: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(mark))


PROMPTS: Mapping[Layout, Callable[[str], str]] = {
    "clean": lambda note: note.strip(),
    "paper": lambda note: f"Diagnose disease from the following medical notes: {note.strip()} and Lab Test: ",
}
"""How a note is shown to the student; the paper's series vectors follow it."""
