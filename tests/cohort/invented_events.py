"""A few lines that write events of invented patients."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import polars as pl

SCHEMA = {
    "subject_id": pl.Int64,
    "time": pl.Datetime("us"),
    "code": pl.String,
    "numeric_value": pl.Float32,
    "text_value": pl.String,
    "unit": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "hadm_id": pl.String,
    "stay_id": pl.String,
}
START = datetime(2130, 1, 1, 8, 0)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def event(code: str, hours: float | None = None, subject: int = 1, **columns: Any) -> dict[str, Any]:
    """One event, `hours` after the start of the ICU stay; without hours it has no time."""
    return {"subject_id": subject, "code": code, "time": None if hours is None else at(hours), **columns}


def lab(
    hours: float, value: float | None, name: str = "creatinine", unit: str = "mg/dL", **columns: Any
) -> Any:
    return event(f"LAB//{name}//{unit}", hours, numeric_value=value, unit=unit, **columns)


def patient(
    subject: int = 1,
    *,
    stay: str = "s1",
    admission: str = "a1",
    days: float = 5,
    age: float | None = 60,
    codes: Iterable[str] = ("ICD9//5849",),
    place: str | None = None,
) -> list[dict[str, Any]]:
    """An admission 12 hours before an ICU stay of `days`, a birth `age` years before it, and codes."""
    ids = {"subject": subject, "hadm_id": admission}
    birth = [] if age is None else [event("MEDS_BIRTH", -age * 365.25 * 24, subject)]
    return [
        *birth,
        event("GENDER//F", subject=subject),
        event("HOSPITAL_ADMISSION", -12, **ids),
        event("HOSPITAL_DISCHARGE", days * 24 + 48, **ids),
        event("ICU_ADMISSION", 0, stay_id=stay, text_value=place, **ids),
        event("ICU_DISCHARGE", days * 24, stay_id=stay, text_value=place, **ids),
        *(event(code, days * 24 + 48, **ids) for code in codes),
    ]


def table(*events: Any) -> pl.DataFrame:
    """Events, single ones or lists of them, as a table with every column."""
    flat = [row for part in events for row in (part if isinstance(part, list) else [part])]
    return pl.DataFrame(flat, schema=SCHEMA)
