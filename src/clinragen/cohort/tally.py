"""Counts that add up over shards."""

from collections import Counter
from collections.abc import Iterable, Mapping

Tally = dict[str, int]
"""What was counted -> how often."""


def added(tallies: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, Tally]:
    """Tallies of shards as the tally of all, section by section; keys in the order first met."""
    total: dict[str, Counter[str]] = {}
    for tally in tallies:
        for section, counts in tally.items():
            whole = total.setdefault(section, Counter())
            for name, count in counts.items():
                whole[name] += count
    return {section: dict(counts) for section, counts in total.items()}
