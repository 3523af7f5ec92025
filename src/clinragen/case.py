"""Case files: one stay as JSON, the input of `clinragen check` and `clinragen diagnose`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clinragen.errors import CaseError
from clinragen.schema import Measurement, Stay


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    time: datetime
    variable: str
    value: Annotated[float, Field(allow_inf_nan=False)]
    unit: str
    low: float | None = None
    high: float | None = None


class _Case(BaseModel):
    model_config = ConfigDict(extra="ignore")
    case_id: str
    prediction_time: datetime
    note: str = ""
    measurements: list[_Row] = []
    rationale: str | None = None
    sex: str | None = None
    age: float | None = None


def read_case(path: Path) -> tuple[Stay, str | None]:
    """Read a case file as a stay and the rationale to check, if the file has one.

    Measurements after the prediction time are an error: a case must not see its future.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text)
    except FileNotFoundError:
        raise CaseError(f"no case file at {path}", fix="give the path of a JSON file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise CaseError(f"{path} is not JSON", found=str(fault), fix="one JSON object per file") from None
    return parse_case(values, str(path))


def parse_case(values: Any, where: str) -> tuple[Stay, str | None]:
    """Read a case from its JSON values; `where` names it in errors."""
    try:
        case = _Case.model_validate(values)
    except ValidationError as faults:
        told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults.errors()]
        raise CaseError(
            f"{where} is not a case file", found="; ".join(told[:8]), fix="see docs/case-file.md"
        ) from None
    zones = {row.time.tzinfo is not None for row in case.measurements}
    if zones - {case.prediction_time.tzinfo is not None}:
        raise CaseError(f"{where}: some times have a zone and some have none", fix="give all or none a zone")
    late = [row for row in case.measurements if row.time > case.prediction_time]
    if late:
        raise CaseError(
            f"{where}: {len(late)} measurements after the prediction time",
            expected=f"none after {case.prediction_time}",
            found=f"{late[0].variable} at {late[0].time}",
            fix="leave them out, or set a later prediction_time",
        )
    rows = sorted(Measurement(**dict(row)) for row in case.measurements)
    if case.sex not in {None, "female", "male"}:
        raise CaseError(f"{where}: sex {case.sex!r}", expected="female, male, or none")
    stay = Stay(
        stay_id=case.case_id,
        subject_id=0,
        source="case",
        split=None,
        start=min((row.time for row in rows), default=case.prediction_time),
        prediction_time=case.prediction_time,
        sex=case.sex,  # type: ignore[arg-type]
        age=case.age,
        note=case.note,
        note_is_composed=False,
        measurements=tuple(rows),
        diagnoses=None,
    )
    return stay, case.rationale


def case_of(stay: Stay, rationale: str | None = None) -> dict[str, Any]:
    """A stay as the values of a case file; `parse_case` reads it back."""
    case: dict[str, Any] = {
        "case_id": stay.stay_id,
        "prediction_time": stay.prediction_time.isoformat(),
        "sex": stay.sex,
        "age": stay.age,
        "note": stay.note,
        "measurements": [{**row._asdict(), "time": row.time.isoformat()} for row in stay.measurements],
    }
    return case if rationale is None else {**case, "rationale": rationale}
