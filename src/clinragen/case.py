"""Case files: one stay as JSON, the input of `clinragen check` and `clinragen diagnose`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from clinragen.errors import CaseError
from clinragen.schema import Measurement, Stay

_FAULTS_TOLD = 8


def _moment(value: object) -> object:
    """Text in ISO 8601 only: a bare number could be seconds, minutes or a mistake."""
    if not isinstance(value, str | datetime):
        raise ValueError("a time must be text such as 2130-01-02T00:00:00")
    return datetime.fromisoformat(value) if isinstance(value, str) else value


_Moment = Annotated[datetime, BeforeValidator(_moment)]
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    time: _Moment
    variable: str
    value: _Number
    unit: str
    low: _Number | None = None
    high: _Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "_Row":
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self


class _Case(BaseModel):
    model_config = ConfigDict(extra="ignore")
    case_id: str = Field(min_length=1)
    prediction_time: _Moment
    start: _Moment | None = None
    note: str = ""
    measurements: list[_Row] = []
    rationale: str | None = None
    sex: Literal["female", "male"] | None = None
    age: Annotated[_Number, Field(ge=0)] | None = None


def read_case(path: Path) -> tuple[Stay, str | None]:
    """Read a case file as a stay and the rationale to check, if the file has one.

    Measurements after the prediction time are an error: a case must not see its future.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CaseError(f"no case file at {path}", fix="give the path of a JSON file") from None
    except OSError as fault:
        raise CaseError(f"cannot read {path}", found=str(fault), fix="give the path of a JSON file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise CaseError(f"{path} is not JSON", found=str(fault), fix="one JSON object per file") from None
    return parse_case(values, str(path))


def parse_case(values: Any, where: str) -> tuple[Stay, str | None]:
    """Read a case from its JSON values; `where` names it in errors."""
    try:
        case = _Case.model_validate(values)
    except ValidationError as faults:
        raise CaseError(
            f"{where} is not a case file", found=_told(faults), fix="see docs/case-file.md"
        ) from None
    _check_times(case, where)
    rows = sorted((Measurement(**dict(row)) for row in case.measurements), key=lambda r: (r.time, r.variable))
    stay = Stay(
        stay_id=case.case_id,
        subject_id=0,
        source="case",
        split=None,
        start=case.start or (rows[0].time if rows else case.prediction_time),
        prediction_time=case.prediction_time,
        sex=case.sex,
        age=case.age,
        note=case.note,
        note_is_composed=False,
        measurements=tuple(rows),
        diagnoses=None,
    )
    return stay, case.rationale


def _told(faults: ValidationError) -> str:
    told = [f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in faults.errors()]
    more = len(told) - _FAULTS_TOLD
    return "; ".join(told[:_FAULTS_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _check_times(case: _Case, where: str) -> None:
    """Raise where times cannot be compared, or lie outside [start, prediction_time]."""
    starts = [] if case.start is None else [case.start]
    moments = [*starts, *(row.time for row in case.measurements)]
    if any((moment.tzinfo is None) != (case.prediction_time.tzinfo is None) for moment in moments):
        raise CaseError(f"{where}: some times have a zone and some have none", fix="give all or none a zone")
    late = [row for row in case.measurements if row.time > case.prediction_time]
    if late:
        raise CaseError(
            f"{where}: {len(late)} measurements after the prediction time",
            expected=f"none after {case.prediction_time}",
            found=f"{late[0].variable} at {late[0].time}",
            fix="leave them out, or set a later prediction_time",
        )
    first = min(moments, default=case.prediction_time)
    if case.start is not None and not case.start == first <= case.prediction_time:
        raise CaseError(
            f"{where}: the start is not the earliest time",
            expected=f"no later than {min(first, case.prediction_time)}",
            found=str(case.start),
            fix="set an earlier start, or leave it out",
        )


def case_of(stay: Stay, rationale: str | None = None) -> dict[str, Any]:
    """A stay as the values of a case file; `parse_case` reads it back."""
    case: dict[str, Any] = {
        "case_id": stay.stay_id,
        "start": stay.start.isoformat(),
        "prediction_time": stay.prediction_time.isoformat(),
        "sex": stay.sex,
        "age": stay.age,
        "note": stay.note,
        "measurements": [{**row._asdict(), "time": row.time.isoformat()} for row in stay.measurements],
    }
    return case if rationale is None else {**case, "rationale": rationale}
