"""How far outside its range a value is: mild, moderate or severe, where a table grades it."""

import csv
from functools import cache
from importlib.resources import files
from typing import Literal

Severity = Literal["mild", "moderate", "severe"]


def severity(variable: str, level: str, worst: float) -> Severity | None:
    """The grade of an abnormal value in the variable's own unit (bounds are inclusive), or None."""
    bounds = _grades().get((variable, level))
    if bounds is None:
        return None
    beyond = [worst >= bound if level == "high" else worst <= bound for bound in bounds]
    return "severe" if beyond[1] else "moderate" if beyond[0] else "mild"


@cache
def _grades() -> dict[tuple[str, str], tuple[float, float]]:
    with (files("clinragen.clinical") / "severity.csv").open(encoding="utf-8") as table:
        return {
            (row["variable"], row["level"]): (float(row["moderate"]), float(row["severe"]))
            for row in csv.DictReader(table)
        }
