"""Stays for the benchmarks of the teacher: alike in size, each with a note of its own."""

from datetime import datetime, timedelta

from clinragen.clinical.variables import variables
from clinragen.schema import Measurement, Stay

START = datetime(2130, 1, 1)
NOTE = (
    "HPI: Woman of {age} years with three days of poor urine output. Reports orthopnea. No chest pain. "
    "History of hypertension; no pneumonia. Exam: drowsy, warm skin, crackles at the right base. "
    "Bed {number}. "
) * 3


def invented_stays(count: int) -> list[Stay]:
    """So many training stays with all variables measured, about 200 values each."""
    return [_stay(number) for number in range(count)]


def _stay(number: int) -> Stay:
    rows = [
        Measurement(
            START + timedelta(hours=hour), v.name, (v.low or 1.0) * (1 + hour / 20), v.unit, v.low, v.high
        )
        for v in variables().values()
        for hour in range(0, 48, 8)
    ]
    return Stay(
        stay_id=f"s{number:05}",
        subject_id=number,
        source="invented",
        split="train",
        start=START,
        prediction_time=START + timedelta(days=2),
        sex="female",
        age=60.0,
        note=NOTE.format(age=50 + number % 40, number=number),
        note_is_composed=False,
        measurements=tuple(sorted(rows)),
        diagnoses=frozenset({"acute kidney injury", "heart failure"}),
    )
