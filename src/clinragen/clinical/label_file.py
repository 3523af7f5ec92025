"""A label set of one's own, read from a TOML file: tables `[[label]]` with name, title, synonyms and codes.

    [[label]]
    name = "delirium"
    title = "Delirium"
    synonyms = ["acute confusional state"]
    ccs = [653]
    icd9 = ["2930"]
    icd10 = ["F05"]
    meds = ["PROCEDURE//delirium care"]

At least one of ccs (groups of the AHRQ's tables), icd9 and icd10 (beginnings of codes) and meds (event codes)
says what means the label. See docs/labels.md.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clinragen.clinical.answer import NO_DIAGNOSIS
from clinragen.clinical.icd import plain_code, table_groups
from clinragen.errors import RecipeError
from clinragen.labels import STANDARD, Diagnosis, LabelSet

TEXTS = ("name", "title")
LISTS = ("synonyms", "ccs", "icd9", "icd10", "meds")
MEANINGS = LISTS[1:]
KINDS = ("PROCEDURE", "DRUG", "HISTORY", "EXAM", "REASON", "LAB", "VITAL", "CHART")
"""What an event code must begin with to mean a label: the kinds that every source may give."""
_MARKS = frozenset(".;,:#")
"""What a name must not hold, for the text a student writes is read by them."""


def read_labels(path: str) -> LabelSet:
    """The labels of a file, in its order; "" gives those of the package. RecipeError with every fault."""
    if not path:
        return STANDARD
    tables = _tables(path)
    faults = [f"label {place}: {why}" for place, row in enumerate(tables, start=1) for why in _faults(row)]
    if not faults:
        labels = tuple(map(_label, tables))
        faults = [f"{phrase!r} names several labels" for phrase in _twice(labels)]
    if faults:
        raise RecipeError(
            f"{path} cannot be used:\n  - " + "\n  - ".join(faults),
            expected=f"[[label]] with {', '.join((*TEXTS, *LISTS))}",
            fix="mend these labels",
        )
    return labels


def _tables(path: str) -> list[dict[str, Any]]:
    """The tables `[[label]]` of the file, unchecked."""
    try:
        rows = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        problem = f"cannot read the labels of {path}"
        raise RecipeError(problem, found=str(fault), fix="check cohort.labels") from None
    tables = rows.get("label")
    if set(rows) == {"label"} and isinstance(tables, list) and all(isinstance(row, dict) for row in tables):
        return tables
    raise RecipeError(
        f"{path} holds no labels", expected="tables [[label]]", found=", ".join(rows) or "nothing"
    )


def _faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one table."""
    yield from (f"unknown key {key!r}" for key in row if key not in (*TEXTS, *LISTS))
    yield from (f"{key} must be a text" for key in TEXTS if not _is_text(row.get(key)))
    for key in LISTS:
        wanted = int if key == "ccs" else str
        entries = row.get(key, [])
        if not isinstance(entries, list) or not all(type(each) is wanted and each for each in entries):
            yield f"{key} must be a list of {'numbers' if wanted is int else 'texts'}"
        else:
            yield from _faulty_entries(key, entries)
    name = str(row.get("name", ""))
    if _MARKS & set(name) or name == NO_DIAGNOSIS:
        yield f"{name!r} cannot be a name: no marks of {' '.join(sorted(_MARKS))}, and not {NO_DIAGNOSIS!r}"
    if not any(row.get(key) for key in MEANINGS):
        yield f"nothing means it: give one of {', '.join(MEANINGS)}"


def _faulty_entries(key: str, entries: Iterable[Any]) -> Iterator[str]:
    if key == "ccs":
        yield from (f"no group {group} in the CCS tables" for group in entries if group not in table_groups())
    if key == "meds":
        kinds = ", ".join(f"{kind}//" for kind in KINDS)
        unknown = [code for code in entries if code.partition("//")[0] not in KINDS or "//" not in code]
        yield from (f"{code!r} must begin with one of {kinds}" for code in unknown)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value == value.strip()


def _label(row: Mapping[str, Any]) -> Diagnosis:
    lists = {key: tuple(row.get(key, ())) for key in LISTS}
    codes = {key: tuple(map(plain_code, lists[key])) for key in ("icd9", "icd10")}
    return Diagnosis(name=row["name"], title=row["title"], **(lists | codes))


def _twice(labels: LabelSet) -> list[str]:
    """Names and synonyms that stand for more than one label, whatever their case."""
    phrases = Counter(
        phrase for label in labels for phrase in {each.lower() for each in (label.name, *label.synonyms)}
    )
    return [phrase for phrase, count in phrases.items() if count > 1]
