"""The simulated hospital: invented patients whose truth is known, as event shards.

Every subject is drawn from its own generator, so a stay depends on the seed and the subject alone:
neither the number of shards nor the number of stays changes it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.random import Generator

from clinragen.clinical.variables import variable, variables
from clinragen.ehr.events import EVENT
from clinragen.ehr.simulation.notes import Mention, write_note
from clinragen.ehr.simulation.patients import Evidence, chronic_of, draw_diagnoses, draw_evidence
from clinragen.ehr.simulation.states import State, draw_states
from clinragen.ehr.simulation.tables import codes, words
from clinragen.ehr.simulation.trajectories import Trajectory, draw_trajectories
from clinragen.engine import shard_of
from clinragen.labels import STANDARD, about

DIAGNOSIS_SCHEMA = {"stay_id": pl.String(), "diagnosis": pl.String(), "evidence": pl.String()}
STATE_SCHEMA = {name: pl.String() for name in ("stay_id", "variable", "state", "trend", "cause")}
MENTION_SCHEMA = {
    "stay_id": pl.String(),
    "start": pl.Int64(),
    "end": pl.Int64(),
    "text": pl.String(),
    "diagnosis": pl.String(),
    "status": pl.String(),
}

SECOND_STAY_EVERY = 10
FIRST_START = datetime(2009, 1, 1)
START_DAYS = 5000
ICD10_SINCE = datetime(2015, 10, 1)
NOTE_AFTER = timedelta(hours=1)
OWN_RANGE_SHARE = 0.9
OTHER_CODES = 2
_SIDE_WORDS = {-1: "low", 1: "high"}
_TREND_WORDS = {-1: "falling", 0: "stable", 1: "rising"}


@dataclass(frozen=True, slots=True)
class Truth:
    """What is behind the events: where each diagnosis shows, every state, every mention.

    `diagnoses`: stay_id, diagnosis, evidence (note, series, both, neither). `states`: one row per measured
    variable: stay_id, variable, state, trend, cause (diagnoses joined by "; ", or "background").
    `mentions`: stay_id, start, end, text, diagnosis, status.
    """

    diagnoses: pl.DataFrame
    states: pl.DataFrame
    mentions: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Simulation:
    """The events of some subjects, ordered by subject and time, and the truth behind them."""

    events: pl.DataFrame
    truth: Truth


def simulate(stays: int, seed: int, shard: int = 0, shards: int = 1) -> Simulation:
    """Draw the subjects of one shard of a hospital with this many stays in all."""
    rows = _Rows()
    with about(STANDARD):
        for subject_id, numbers in _subjects(stays):
            if shard_of(subject_id, shards) == shard:
                _draw_subject(rows, seed, subject_id, numbers)
    return rows.simulation()


def _subjects(stays: int) -> Iterator[tuple[int, list[int]]]:
    """Subjects from 1 with the numbers of their stays: every tenth subject has two."""
    subject_id, number = 1, 1
    while number <= stays:
        count = 2 if subject_id % SECOND_STAY_EVERY == 0 else 1
        yield subject_id, [n for n in range(number, number + count) if n <= stays]
        subject_id, number = subject_id + 1, number + count


def _draw_subject(rows: "_Rows", seed: int, subject_id: int, numbers: list[int]) -> None:
    rng = np.random.default_rng([seed, subject_id])
    is_female = bool(rng.random() < 0.5)
    start = FIRST_START + timedelta(minutes=int(rng.integers(START_DAYS * 1440)))
    birth = datetime(start.year - int(rng.integers(30, 90)), int(rng.integers(1, 13)), 1)
    person = _Person(subject_id, is_female, birth)
    rows.add(subject_id, None, f"GENDER//{'F' if is_female else 'M'}")
    rows.add(subject_id, birth, "MEDS_BIRTH")
    chronic: frozenset[str] = frozenset()
    for number in numbers:
        present = draw_diagnoses(rng, chronic)
        _draw_stay(rows, rng, person, start, number, present)
        chronic = chronic_of(present)
        start += timedelta(days=int(rng.integers(30, 400)), minutes=int(rng.integers(1440)))


@dataclass(frozen=True, slots=True)
class _Person:
    subject_id: int
    is_female: bool
    birth: datetime


def _draw_stay(
    rows: "_Rows", rng: Generator, person: _Person, start: datetime, number: int, present: tuple[str, ...]
) -> None:
    stay = _Stay(rows, person, start, f"h{number:07d}", f"s{number:07d}")
    evidence = {name: draw_evidence(rng, name) for name in present}
    shown = [name for name, place in evidence.items() if place in ("series", "both")]
    states, measured, visible = draw_states(rng, present, shown)
    evidence = {name: _kept_evidence(place, name in visible) for name, place in evidence.items()}
    end = start + timedelta(hours=float(rng.integers(50, 200)))

    stay.add(start, "ICU_ADMISSION")
    reason = _pick(rng, words()["opening"]["reason"])
    stay.add(start, "REASON//admission", text=reason)
    told = [name for name, place in evidence.items() if place in ("note", "both")]
    note, mentions = write_note(rng, _opening(rng, person, start, reason), present, told)
    stay.add(start + NOTE_AFTER, "NOTE//admission", text=note)
    for drug in rng.permutation(words()["drugs"]["any"])[: int(rng.integers(2, 5))]:
        stay.add(start + timedelta(hours=2), f"DRUG//{drug}")
    stay.add_series(draw_trajectories(rng, states, measured), rng)
    for code in _draw_codes(rng, present, end):
        stay.add(end, code)
    stay.add(end, "ICU_DISCHARGE")
    stay.add_truth(evidence, states, measured, mentions)


def _kept_evidence(place: Evidence, is_visible: bool) -> Evidence:
    """Where other diseases hold all variables of a disease, it does not show in the series after all."""
    if is_visible:
        return place
    lost: dict[Evidence, Evidence] = {"series": "neither", "both": "note"}
    return lost.get(place, place)


def _opening(rng: Generator, person: _Person, start: datetime, reason: str) -> str:
    age = (start - person.birth).days // 365
    who = "woman" if person.is_female else "man"
    return f"{age}-year-old {who} {_pick(rng, words()['opening']['arrival'])} for {reason}."


def _draw_codes(rng: Generator, present: tuple[str, ...], end: datetime) -> list[str]:
    system = "ICD10" if end >= ICD10_SINCE else "ICD9"
    chosen = [_pick(rng, codes()[system][name]) for name in present]
    others = codes()[system][""]
    order, count = rng.permutation(len(others)), int(rng.integers(OTHER_CODES + 1))
    chosen += [others[i] for i in order[: max(count, 0 if chosen else 1)]]
    return [f"{system}//{code}" for code in chosen]


def _pick(rng: Generator, choices: list[str] | tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


@dataclass(frozen=True, slots=True)
class _Stay:
    """Adds the rows of one stay."""

    rows: "_Rows"
    person: _Person
    start: datetime
    hadm_id: str
    stay_id: str

    def add(self, time: datetime, code: str, text: str | None = None) -> None:
        self.rows.add(self.person.subject_id, time, code, text, self.hadm_id, self.stay_id)

    def add_series(self, trajectories: list[Trajectory], rng: Generator) -> None:
        """Laboratories mostly print their range beside the value; monitors never do."""
        start, sex = np.datetime64(self.start, "us"), "female" if self.person.is_female else "male"
        carries = rng.random(len(trajectories)) < OWN_RANGE_SHARE
        for trajectory, has_range in zip(trajectories, carries, strict=True):
            about = variable(trajectory.variable)
            bounds = about.reference_range(sex) if has_range and about.kind == "lab" else (None, None)
            self.rows.add_values(self, trajectory, start, bounds)

    def add_truth(
        self,
        evidence: dict[str, Evidence],
        states: dict[str, State],
        measured: frozenset[str],
        mentions: tuple[Mention, ...],
    ) -> None:
        truth = self.rows.truth
        truth["diagnoses"] += [(self.stay_id, name, place) for name, place in evidence.items()]
        truth["states"] += [
            (self.stay_id, name, *_described(states.get(name))) for name in variables() if name in measured
        ]
        truth["mentions"] += [(self.stay_id, m.start, m.end, m.text, m.diagnosis, m.status) for m in mentions]


def _described(state: State | None) -> tuple[str, str, str]:
    if state is None:
        return "normal", "stable", "background"
    side = _SIDE_WORDS[state.side]
    return (
        f"{side} at times" if state.at_times else side,
        _TREND_WORDS[state.trend],
        "; ".join(state.causes) or "background",
    )


class _Rows:
    """Collects rows and turns them into frames; values are kept as arrays, one per trajectory."""

    def __init__(self) -> None:
        self.truth: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._single: list[tuple[Any, ...]] = []
        self._series: list[tuple[Any, ...]] = []
        self._times: list[np.ndarray] = []
        self._values: list[np.ndarray] = []

    def add(
        self,
        subject_id: int,
        time: datetime | None,
        code: str,
        text: str | None = None,
        hadm_id: str | None = None,
        stay_id: str | None = None,
    ) -> None:
        self._single.append((subject_id, time, code, None, text, None, None, None, hadm_id, stay_id))

    def add_values(
        self,
        stay: _Stay,
        trajectory: Trajectory,
        start: np.datetime64,
        bounds: tuple[float | None, float | None],
    ) -> None:
        about = variable(trajectory.variable)
        code = f"{about.kind.upper()}//{about.name}//{about.unit}"
        self._series.append((stay.person.subject_id, code, about.unit, *bounds, stay.hadm_id, stay.stay_id))
        self._times.append(start + trajectory.minutes.astype("timedelta64[m]"))
        self._values.append(trajectory.values)

    def simulation(self) -> Simulation:
        single = pl.DataFrame(self._single, schema=EVENT, orient="row")
        events = pl.concat([single, self._measurements()]).sort(
            "subject_id", "time", nulls_last=False, maintain_order=True
        )
        return Simulation(
            events,
            Truth(
                pl.DataFrame(self.truth["diagnoses"], schema=DIAGNOSIS_SCHEMA, orient="row"),
                pl.DataFrame(self.truth["states"], schema=STATE_SCHEMA, orient="row"),
                pl.DataFrame(self.truth["mentions"], schema=MENTION_SCHEMA, orient="row"),
            ),
        )

    def _measurements(self) -> pl.DataFrame:
        names = ("subject_id", "code", "unit", "low", "high", "hadm_id", "stay_id")
        series = pl.DataFrame(self._series, schema={n: EVENT[n] for n in names}, orient="row")
        repeats = np.repeat(np.arange(len(self._values)), [v.size for v in self._values])
        values = series[repeats] if repeats.size else series.clear()
        return values.with_columns(
            pl.Series(
                "time", np.concatenate([*self._times, np.array([], "datetime64[us]")]), pl.Datetime("us")
            ),
            pl.Series("numeric_value", np.concatenate([*self._values, np.array([])]), pl.Float32),
            pl.lit(None, pl.String).alias("text_value"),
        ).select(pl.col(name).cast(kind) for name, kind in EVENT.items())
