"""The note of each stay: what was written by the prediction time, or a note composed from charted facts."""

from collections.abc import Iterator

import polars as pl

from clinragen.cohort.compose import COMPOSED_KINDS, ChartedFact, compose_note
from clinragen.cohort.windows import belonging

_LONGEST_ENTRY = 120
_SAID_IN_TEXT = ("NOTE", "REASON")
_ENDS_A_SENTENCE = (".", "!", "?", ":")


def notes_of(events: pl.DataFrame, found: pl.DataFrame, composes: bool) -> dict[str, tuple[str, bool]]:
    """(note, whether it was composed) by stay_id; stays with nothing to read are left out.

    A note counts if it was charted within the admission and by the prediction time, before the ICU too.
    """
    charted = dict(_charted(events, found, ("NOTE",)))
    notes = {stay: (note, False) for stay, facts in charted.items() if (note := join_notes(facts))}
    if composes:
        for stay, facts in _charted(events, found, COMPOSED_KINDS):
            if not any(is_prose(text) for _, text in charted.get(stay, ())) and (note := compose_note(facts)):
                ticked = notes.get(stay, ("", False))[0]
                notes[stay] = (f"{note}\n\n{ticked}".strip(), True)
    return notes


def is_prose(text: str) -> bool:
    """Whether somebody wrote this; ticked menu entries alone are no note."""
    return bool(text.strip()) and not _is_entry(text.strip())


def join_notes(facts: list[ChartedFact]) -> str:
    """Notes in the order charted, a blank line between them; ticked menu entries in one last sentence."""
    texts = list(dict.fromkeys(text for _, said in facts if (text := said.strip())))
    entries = [text for text in texts if _is_entry(text)]
    prose = [text for text in texts if not _is_entry(text)]
    return "\n\n".join([*prose, *(["; ".join(entries) + "."] if entries else [])])


def _is_entry(text: str) -> bool:
    """Whether a text is a ticked menu entry and not prose (eICU keeps only these)."""
    return len(text) <= _LONGEST_ENTRY and "\n" not in text and not text.endswith(_ENDS_A_SENTENCE)


def _charted(
    events: pl.DataFrame, found: pl.DataFrame, kinds: tuple[str, ...]
) -> Iterator[tuple[str, list[ChartedFact]]]:
    """For each stay its facts of these kinds charted by the prediction time, in an order free of the rows'.

    A fact without a time is left out: nobody knows that it was charted in time.
    """
    rows = belonging(events.filter(pl.col("code").str.contains(rf"^(?:{'|'.join(kinds)})//")), found)
    in_time = pl.col("time") <= pl.col("prediction_time")
    kind = pl.col("code").str.extract(r"^([^/]+)//", 1)
    in_text = kind.is_in(_SAID_IN_TEXT)
    told = (
        rows.filter(in_time & (pl.col("is_named") | (pl.col("time") >= pl.col("admitted"))))
        .with_columns(
            kind=kind,
            said=pl.when(in_text).then("text_value").otherwise(pl.col("code").str.extract(r"(?s)//(.*)$", 1)),
        )
        .filter(pl.col("said").is_not_null())
        .sort("stay_id", "time", "kind", "code", "said")
    )
    for (stay,), facts in told.group_by("stay_id", maintain_order=True):
        yield str(stay), [ChartedFact(*fact) for fact in facts.select("kind", "said").iter_rows()]
