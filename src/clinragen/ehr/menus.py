"""Menu entries of eICU -> words. Prose was removed from that database; what is left is what was ticked.

An entry is a path of menus and a value at its end. What only steers the screen says nothing of the patient.
The level of work ("Interventions/Major/Sepsis - evaluation and management") names the answer: left out too.
"""

import re
from functools import cache

import polars as pl

_SAYS_NOTHING = re.compile(
    r"/(?:View and Save|View Options|Include Rx|Skip Screen Options \d|Source of Patient Information:"
    r"|Enter surgery Information\?|Billing Options|Option\d|Time-Out Process|system unique note types"
    r"|Location|Score|Weight and I&O|Vital Sign and Physiological Data|Hemodynamic Data"
    r"|Interventions|[^/]*Obtain Options)(?:/|$)"
)
_SAYS_ALL_THE_SAME = "no health problems"
_IS_A_NUMBER = re.compile(r"[-+\d.,\s/%]*")
_ADDS_NOTHING = re.compile(r"\(.*\)|Print .*")
_MARK_OF_REQUIRED = re.compile(r"\s*\(R\)")


@cache
def said(path: str, value: str) -> str | None:
    """An entry in words, "Pulses: normal": the nearest menu that adds to the value, and the value.

    None where the entry says nothing of the patient, or only a number, which other tables hold in full.
    """
    leaf = " ".join(value.split())
    if leaf.lower() == _SAYS_ALL_THE_SAME:
        return leaf.lower()
    if not leaf or _IS_A_NUMBER.fullmatch(leaf) or _SAYS_NOTHING.search(path.removesuffix(value)):
        return None
    menus = _MARK_OF_REQUIRED.sub("", path.removesuffix(value)).strip("/").split("/")
    menu = next((name.strip(" :?") for name in reversed(menus) if _adds(name.strip(), leaf)), "")
    return leaf if menu.lower() in leaf.lower() else f"{menu}: {leaf}"


def _adds(menu: str, leaf: str) -> bool:
    return menu.lower() != leaf.lower() and not _ADDS_NOTHING.fullmatch(menu)


def in_words(rows: pl.DataFrame, path: str, value: str) -> pl.DataFrame:
    """Rows with a column `said`: their entry in words, null where it says nothing."""
    entries = rows.select(path, value).unique().drop_nulls()
    words = [said(*entry) for entry in entries.iter_rows()]
    return rows.join(
        entries.with_columns(said=pl.Series(words, dtype=pl.String)), on=[path, value], how="left"
    )
