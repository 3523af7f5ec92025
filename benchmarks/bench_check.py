"""Rationales checked per second on one core.

Two ways: an invented one of 84 words again and again, as a student repeats itself, against a stay of about
200 values; and labelled ones that were never read before, each against its own stay, whose note comes first.
"""

import time
from datetime import datetime, timedelta

from clinragen.clinical.variables import variables
from clinragen.grounding.accuracy import FILES, LabelledCase, labelled_cases
from clinragen.grounding.claims import check
from clinragen.schema import Measurement, Stay

SECONDS = 5.0
START = datetime(2130, 1, 1)
RATIONALE = (
    "She was admitted with fever and a productive cough, and the chest film shows a new infiltrate. "
    "Creatinine is high and rising, which suggests acute kidney injury. Potassium was 4.2 mEq/L at first "
    "and it stayed within the normal range. Lactate peaked at 4.1 mmol/L and then fell to 1.2. Heart rate"
    " stays high, while the mean pressure was below 65 in most of the recordings. She has no history of "
    "heart failure. White cells were elevated on both counts. Norepinephrine was started overnight."
)
NOTE = (
    "72-year-old woman with three days of fever, rigors and a productive cough. No chest pain. History of"
    " hypertension; no heart failure. Brother with COPD. On arrival drowsy, warm skin, crackles at the "
    "right base. Chest film: new infiltrate in the right lower lobe. Norepinephrine started. Blood "
    "cultures pending. "
) * 4


def main() -> None:
    """Print both rates."""
    seen, unseen = _halves()
    for case in seen:
        check(case.rationale, case.stay)
    begun = time.perf_counter()
    for case in unseen:
        check(case.rationale, case.stay)
    rate = len(unseen) / (time.perf_counter() - begun)
    words = sum(len(case.rationale.split()) for case in unseen) / len(unseen)
    print(f"{rate:.0f} rationales of {words:.0f} words a second, each read for the first time with its note")
    print(f"  that is {rate * words / len(RATIONALE.split()):.0f} a second of {len(RATIONALE.split())} words")
    print(f"{_again():.0f} rationales of {len(RATIONALE.split())} words a second, read before")


def _halves() -> tuple[list[LabelledCase], list[LabelledCase]]:
    """The labelled cases, every other one: the first to load all tables, the second to be timed."""
    cases = [case for part in FILES for case in labelled_cases(part) if case.stay.measurements]
    return list(cases[::2]), list(cases[1::2])


def _again() -> float:
    """How often one rationale is checked in a second."""
    stay, count, begun = _stay(), 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < SECONDS:
        check(RATIONALE, stay)
        count += 1
    return count / spent


def _stay() -> Stay:
    rows = [
        Measurement(
            START + timedelta(hours=hour), v.name, (v.low or 1.0) * (1 + hour / 20), v.unit, v.low, v.high
        )
        for v in variables().values()
        for hour in range(24 if v.kind == "vital" else 3)
    ]
    return Stay(
        stay_id="bench",
        subject_id=0,
        source="invented",
        split=None,
        start=START,
        prediction_time=START + timedelta(days=1),
        sex="female",
        age=72.0,
        note=NOTE,
        note_is_composed=False,
        measurements=tuple(sorted(rows)),
        diagnoses=None,
    )


if __name__ == "__main__":
    main()
