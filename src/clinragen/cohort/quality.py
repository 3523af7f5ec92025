"""How good the data of a cohort is: what was kept, what was not and why, and what was measured in whom."""

from statistics import median_low
from typing import Any

from clinragen.clinical.variables import variables
from clinragen.cohort.tally import Tally
from clinragen.recipe import Cohort

_FIRST = 50


def quality(tallies: dict[str, Tally], stays: int, cohort: Cohort) -> dict[str, Any]:
    """What was kept and what was not, by reason; and in how many stays each variable was measured."""
    return {
        "grid_hours": cohort.grid_hours,
        "rows": tallies["rows"],
        "ranges": tallies.get("ranges", {}),
        "codes": tallies["codes"],
        "eras": {
            era: {"stays": count, "labels": tallies.get(f"labels of {era}", {})}
            for era, count in sorted(tallies.get("eras", {}).items())
        },
        "stays": tallies.get("stays", {}),
        "masked_parts": tallies.get("masked parts", {}).get("left out", 0),
        "coverage": coverage(tallies.get("measured so often", {}), stays),
        "implausible_values": _most(tallies["implausible values"]),
        "unknown_units": _most(tallies["unknown units"]),
        "unmapped_codes": _most(tallies["unmapped codes"]),
    }


def coverage(measured: Tally, stays: int) -> dict[str, dict[str, Any]]:
    """For each variable the stays that have it, their share, its measurements, and how many such a stay has.

    `measured` holds "variable: times" -> stays. The median is of the stays that have the variable, None where
    none has.
    """
    times: dict[str, list[int]] = {name: [] for name in variables()}
    for key, count in measured.items():
        name, _, often = key.rpartition(": ")
        times[name] += [int(often)] * count
    return {
        name: {
            "stays": len(often),
            "share": round(len(often) / stays, 4),
            "measurements": sum(often),
            "median": median_low(often) if often else None,
        }
        for name, often in times.items()
    }


def _most(tally: Tally) -> Tally:
    """The most frequent of a tally; ties in the order of their names."""
    return dict(sorted(tally.items(), key=lambda entry: (-entry[1], entry[0]))[:_FIRST])
