"""Stays as arrays: what the student sees, padded and masked. This is where NaN becomes a mask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clinragen.clinical.answer import PROMPTS, Layout, answer_of, compose_answer, parse_answer
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import STATES, findings, sentence, state
from clinragen.clinical.grid import grid
from clinragen.clinical.paper_series import fenced_grid
from clinragen.clinical.variables import judged_variables
from clinragen.model.backbone import IGNORED
from clinragen.model.text import encode
from clinragen.recipe import Model
from clinragen.schema import Finding, Measurement, Stay

NOT_MEASURED = -1


@dataclass(frozen=True, slots=True)
class Example:
    """One stay as the student sees it. `series` is scaled by the reference ranges; NaN = not measured.

    In paper mode it is scaled by fences, and its channels are the paper's eleven.

    `states[variable]` indexes STATES, NOT_MEASURED where there is no value. `told` are the findings as text,
    the end mark alone where the series is read as tokens only. `target` is the text to learn, `answer` its
    diagnoses, `note_part` and `series_part` its reasons alone; all are empty where there is none.
    """

    stay_id: str
    note: tuple[int, ...]
    told: tuple[int, ...]
    series: Float[np.ndarray, "hour channel"]
    states: Int[np.ndarray, " variable"]
    labels: Float[np.ndarray, " label"]
    target: tuple[int, ...]
    answer: tuple[int, ...]
    note_part: tuple[int, ...]
    series_part: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples side by side."""

    stay_ids: tuple[str, ...]
    note: Int[Tensor, "batch piece"]
    note_mask: Bool[Tensor, "batch piece"]
    values: Float[Tensor, "batch hour channel"]
    measured: Bool[Tensor, "batch hour channel"]
    states: Int[Tensor, "batch variable"]
    labels: Float[Tensor, "batch label"]
    target: Int[Tensor, "batch target_piece"]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        moved = {each.name: getattr(self, each.name).to(device) for each in fields(self)[1:]}
        return replace(self, **moved)

    @property
    def has_series(self) -> Bool[Tensor, "batch variable"]:
        """Which variables were measured at all."""
        return self.states >= 0


def examples(
    stays: Sequence[Stay], targets: Sequence[str], tokenizer: Any, settings: Model, hours: int
) -> list[Example]:
    """Read stays; `targets` holds the text each is to learn, "" where there is none."""
    found = [findings(stay.measurements) for stay in stays]
    told = [findings_text(shown, settings) for shown in found]
    told_ids = encode(tokenizer, told, settings.note_tokens)
    shown_as = PROMPTS[settings.layout]
    notes = [shown_as(f"{stay.note} {text}") for stay, text in zip(stays, told, strict=True)]
    note_ids = encode(tokenizer, notes, settings.note_tokens)
    parts = {
        name: encode(tokenizer, list(map(of, targets)), settings.target_tokens)
        for name, of in PARTS[settings.layout].items()
    }
    return [
        Example(
            stay_id=stay.stay_id,
            note=tuple(note),
            told=tuple(alone),
            series=series_of(stay, hours, settings),
            states=states_of(shown),
            labels=_labels(stay),
            **{name: tuple(ids[place]) if text else () for name, ids in parts.items()},
        )
        for place, (stay, shown, note, alone, text) in enumerate(
            zip(stays, found, note_ids, told_ids, targets, strict=True)
        )
    ]


def findings_text(shown: Sequence[Finding], settings: Model) -> str:
    """The abnormal findings as text, to stand after the note where `series_as` asks for it; else nothing."""
    if settings.series_as == "tokens":
        return ""
    told = "; ".join(sentence(finding) for finding in shown if finding.level != "normal")
    return f"Findings: {told or 'none'}."


def series_of(stay: Stay, hours: int, settings: Model) -> Float[np.ndarray, "hour variable"]:
    """The series of a stay as the student's encoder takes it."""
    if settings.series == "channels":
        return scaled_grid(stay, hours)
    return fenced_grid(stay).astype(np.float32)


def scaled_grid(stay: Stay, hours: int) -> Float[np.ndarray, "hour variable"]:
    """The stay on the hourly grid, each value scaled by the range that came with it.

    -1 and 1 are the bounds of the range and the scale is logarithmic beyond; a range without a side ends
    where values cease to be plausible.
    """
    rows = [
        row._replace(value=scaled(row)) for row in stay.measurements if row.variable in judged_variables()
    ]
    return grid(rows, stay.start, hours, tuple(judged_variables())).values.astype(np.float32)


def scaled(row: Measurement) -> float:
    """sign(z) log(1 + |z|) / log 2, with z = (value - middle) / half the range."""
    table = judged_variables()[row.variable]
    low = table.plausible_low if row.low is None else row.low
    high = table.plausible_high if row.high is None else row.high
    z = (row.value - (low + high) / 2) / max((high - low) / 2, 1e-6)
    return float(np.sign(z) * np.log1p(abs(z)) / np.log(2))


def states_of(shown: Sequence[Finding]) -> Int[np.ndarray, " variable"]:
    """The state of every variable, NOT_MEASURED where it has no value."""
    by_variable: dict[str, list[Finding]] = {}
    for finding in shown:
        by_variable.setdefault(finding.variable, []).append(finding)
    return np.array(
        [
            STATES.index(state(by_variable[name])) if name in by_variable else NOT_MEASURED
            for name in judged_variables()
        ],
        dtype=np.int64,
    )


def _labels(stay: Stay) -> Float[np.ndarray, " label"]:
    chosen = stay.diagnoses or frozenset()
    return np.array([name in chosen for name in diagnosis_names()], dtype=np.float32)


def target_text(stay: Stay, note: str, series: str) -> str:
    """The text a stay teaches: its diagnoses, then both rationales."""
    return compose_answer(stay.diagnoses or (), note, series)


def _in_paper_layout(text: str, *, note: bool = True, series: bool = True) -> str:
    told = parse_answer(text)
    reasons = told.note if note else "", told.series if series else ""
    return compose_answer(told.diagnoses or (), *reasons, "paper")


PARTS: Mapping[Layout, Mapping[str, Callable[[str], str]]] = {
    "clean": {
        "target": lambda text: text,
        "answer": lambda text: text.partition(" Note:")[0],
        "note_part": lambda text: f"Note: {parse_answer(text).note}",
        "series_part": lambda text: f"Series: {parse_answer(text).series}",
    },
    "paper": {
        "target": _in_paper_layout,
        "answer": lambda text: answer_of(parse_answer(text).diagnoses or (), "paper"),
        "note_part": partial(_in_paper_layout, series=False),
        "series_part": partial(_in_paper_layout, note=False),
    },
}
"""What of a text a lesson may ask for; the paper's parts name the diagnoses too, as its stage 2 does."""


def series_lesson(chosen: Sequence[Example]) -> Batch:
    """The same stays without their notes, findings as text kept, and of their texts the series part alone."""
    return collate([replace(each, note=each.told, target=each.series_part) for each in chosen])


def note_lesson(chosen: Sequence[Example]) -> Batch:
    """The same stays without their series, and of their texts the note part alone."""
    return without_series(collate([replace(each, target=each.note_part) for each in chosen]))


def answer_lesson(chosen: Sequence[Example]) -> Batch:
    """The same stays, of their texts the answer alone."""
    return collate([replace(each, note=each.note[-1:], target=each.answer) for each in chosen])


def collate(chosen: Sequence[Example]) -> Batch:
    """Pad examples to the longest; values are carried forward, never backward, and NaN becomes a mask."""
    series = np.stack([example.series for example in chosen])
    note = _pad([example.note for example in chosen], 0)
    lengths = torch.tensor([len(example.note) for example in chosen])
    return Batch(
        stay_ids=tuple(example.stay_id for example in chosen),
        note=note,
        note_mask=torch.arange(note.shape[1]) < lengths[:, None],
        values=torch.from_numpy(carry_forward(series)),
        measured=torch.from_numpy(~np.isnan(series)),
        states=torch.from_numpy(np.stack([example.states for example in chosen])),
        labels=torch.from_numpy(np.stack([example.labels for example in chosen])),
        target=_pad([example.target for example in chosen], IGNORED),
    )


def carry_forward(
    series: Float[np.ndarray, "batch hour variable"],
) -> Float[np.ndarray, "batch hour variable"]:
    """The last measured value of each hour; 0, the middle of the range, before the first (masked)."""
    hours = np.arange(series.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(np.isnan(series), -1, hours), axis=1)
    filled = np.take_along_axis(series, np.maximum(last, 0), axis=1)
    return np.where(last < 0, 0, filled).astype(np.float32)


def without_note(batch: Batch) -> Batch:
    """The same stays with the note withheld: one masked place is left."""
    return replace(batch, note=batch.note[:, :1], note_mask=torch.zeros_like(batch.note_mask[:, :1]))


def without_series(batch: Batch) -> Batch:
    """The same stays with the series withheld: nothing was measured."""
    return replace(
        batch,
        measured=torch.zeros_like(batch.measured),
        values=torch.zeros_like(batch.values),
        states=torch.full_like(batch.states, NOT_MEASURED),
    )


def _pad(rows: Sequence[Sequence[int]], fill: int) -> Int[Tensor, "batch piece"]:
    longest = max(1, max(map(len, rows)))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], dtype=torch.long)
