"""The records behind a report, as tables: what was read, quarantined, of no use, and measured."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from clinragen.evaluate.report.context import Ingested
from clinragen.evaluate.report.numbers import MISSING, percent

MOST_UNMAPPED = 20


def tables(ingested: Ingested) -> list[tuple[str, list[str]]]:
    """For each raw table its rows, the events made of them, rows quarantined, and rows of codes not ours."""
    return [
        (name, [f"{n:,}" for n in (of["rows"], of["events"], _held(ingested, name), of["unmapped_rows"])])
        for name, of in ingested.tables.items()
    ]


def quarantined(ingested: Ingested) -> list[tuple[str, list[str]]]:
    """Table and reason, how many rows, and which are the first in their file."""
    return [
        (f"{table}: {why}", [f"{found['count']:,}", ", ".join(map(str, found["rows"]))])
        for table, reasons in ingested.quarantine.items()
        for why, found in reasons.items()
    ]


def unusable(quality: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Values out of their plausible range, by variable, and units that no table knows."""
    kinds = {"implausible_values": "implausible", "unknown_units": "unknown unit"}
    return [
        (f"{title}: {name}", f"{count:,}")
        for kind, title in kinds.items()
        for name, count in (quality or {}).get(kind, {}).items()
    ]


def unmapped(ingested: Ingested, quality: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """The most frequent codes that are none of our variables, whichever step met them."""
    counts = Counter(ingested.unmapped) + Counter((quality or {}).get("unmapped_codes", {}))
    most = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_UNMAPPED]
    return [(code, f"{count:,}") for code, count in most]


def counted(quality: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """What was counted of the stays: rows kept and dropped, ranges, codes, notes, what was cut of these."""
    sections = {"rows": "measurements", "ranges": "reference ranges", "codes": "codes", "stays": "stays"}
    sections["lessons"] = "lessons"
    return [
        (f"{title}: {name}", f"{count:,}")
        for section, title in sections.items()
        for name, count in (quality or {}).get(section, {}).items()
    ]


def coverage(quality: Mapping[str, Any] | None) -> list[tuple[str, list[str]]]:
    """For every variable the stays that have it, their median number of values, and all its values."""
    return [
        (
            name,
            [
                f"{of['stays']:,} ({percent(of['share'])})",
                _or_missing(of["median"]),
                f"{of['measurements']:,}",
            ],
        )
        for name, of in (quality or {}).get("coverage", {}).items()
    ]


def eras(quality: Mapping[str, Any] | None) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """How stays were coded, and for every label the share of these that have it; nothing of one era alone."""
    found = (quality or {}).get("eras", {})
    if len(found) < 2:
        return [], []
    columns = [f"{era} ({of['stays']:,} stays)" for era, of in found.items()]
    labels = sorted({name for of in found.values() for name in of["labels"]})
    return columns, [
        (name, [percent(of["labels"].get(name, 0) / of["stays"]) for of in found.values()]) for name in labels
    ]


def _held(ingested: Ingested, table: str) -> int:
    return sum(int(found["count"]) for found in ingested.quarantine.get(table, {}).values())


def _or_missing(count: int | None) -> str:
    return MISSING if count is None else f"{count:,}"
