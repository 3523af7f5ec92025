"""Invented patients, small enough to check by hand."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from clinragen.clinical.variables import variable
from clinragen.schema import Measurement, Split, Stay

START = datetime(2130, 1, 1, 0, 0)


def measured(name: str, *values: float, every_hours: float = 8, unit: str | None = None) -> list[Measurement]:
    """Values of one variable at even times, with the reference range of a woman."""
    low, high = variable(name).reference_range("female")
    return [
        Measurement(
            START + timedelta(hours=i * every_hours), name, value, unit or variable(name).unit, low, high
        )
        for i, value in enumerate(values)
    ]


def stay(
    measurements: Iterable[Measurement] = (),
    note: str = "",
    diagnoses: Iterable[str] | None = (),
    stay_id: str = "a",
    subject_id: int = 1,
    split: Split | None = "train",
) -> Stay:
    """A stay of 48 hours."""
    return Stay(
        stay_id=stay_id,
        subject_id=subject_id,
        source="test",
        split=split,
        start=START,
        prediction_time=START + timedelta(hours=48),
        sex="female",
        age=60.0,
        note=note,
        note_is_composed=False,
        measurements=tuple(sorted(measurements, key=lambda row: (row.time, row.variable))),
        diagnoses=None if diagnoses is None else frozenset(diagnoses),
    )
