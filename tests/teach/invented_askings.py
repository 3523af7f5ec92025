"""Stays to ask about, and what a teacher is told of them."""

import json
from pathlib import Path
from typing import Any

from clinragen.knowledge.base import curated_facts
from clinragen.recipe import Teach
from clinragen.schema import Stay
from clinragen.teach.asking import Asking
from patients import measured, stay

ROWS = measured("creatinine", 1.5, 2.0, 3.0)
CODED = ("acute kidney injury", "heart failure")


def patient(name: str = "a", note: str = "HPI: Reports orthopnea.") -> Stay:
    """A woman with a high and rising creatinine and one sign in the note."""
    return stay(ROWS, note=note, diagnoses=CODED, stay_id=name)


def asking(folder: Path, endpoint: str = "", kind: str = "remote", **settings: Any) -> Asking:
    """The settings of a teacher whose ledger lies in this folder."""
    credentialed = settings.pop("credentialed", False)
    given = {"kind": kind, "endpoint": endpoint, "model": "tiny", **settings}
    return Asking(Teach.model_validate(given), credentialed, 0, curated_facts(), folder / "ledger.sqlite")


def reply(series: str = "Creatinine is high.", note: str = "The note reports orthopnea.", **more: Any) -> str:
    """What a large model would write."""
    return json.dumps({**more, "note": note, "series": series})
