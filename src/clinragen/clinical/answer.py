"""The text a student writes, and how it is read: `Diagnoses: a; b. Note: ... Series: ...`.

The answer is read exactly: a name outside the closed vocabulary makes the answer unparsed, which is
counted and never repaired (the paper's matching by cosine similarity is paper mode only).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clinragen.clinical.diagnoses import diagnosis_names

NO_DIAGNOSIS = "none"
_LAYOUT = re.compile(
    r"\s*Diagnoses:\s*(?P<names>[^.]*)\.(?:\s*Note:\s*(?P<note>.*?))?(?:\s*Series:\s*(?P<series>.*))?\s*",
    re.S,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A student's text, read. `diagnoses` is None where it could not be read (unparsed)."""

    diagnoses: frozenset[str] | None
    note: str
    series: str


def compose_answer(diagnoses: Iterable[str], note: str, series: str) -> str:
    """The text a student learns to write."""
    return f"{answer_of(diagnoses)} Note: {note} Series: {series}"


def answer_of(diagnoses: Iterable[str]) -> str:
    """The answer that such a text begins with; diagnoses in table order, an empty set as `none`."""
    chosen = set(diagnoses)
    names = [name for name in diagnosis_names() if name in chosen]
    return f"Diagnoses: {'; '.join(names) or NO_DIAGNOSIS}."


def parse_answer(text: str) -> Answer:
    """Read a student's text; unreadable is not the empty set."""
    match = _LAYOUT.fullmatch(text)
    if match is None:
        return Answer(None, "", "")
    note, series = (match["note"] or "").strip(), (match["series"] or "").strip()
    names = [name.strip() for name in match["names"].split(";")]
    if names == [NO_DIAGNOSIS]:
        return Answer(frozenset(), note, series)
    known = set(diagnosis_names())
    return Answer(frozenset(names) if known.issuperset(names) else None, note, series)
