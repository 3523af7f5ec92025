"""The word tables are read once before any test: the first clause would miss its deadline for it."""

import pytest

from clinragen.grounding.note import check_note_clause, note_index


@pytest.fixture(scope="session", autouse=True)
def _read_tables() -> None:
    check_note_clause("She has gout", 0, note_index("Mother with gout."))
