"""What the series may attend to: the state words, and the facts that bear on each variable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from clinragen.clinical.findings import STATES
from clinragen.model.text import pieces
from clinragen.schema import Fact

FACT_SHARE = 0.15
"""Share of the attention target that matching facts receive; the rest is the state's own."""


@dataclass(frozen=True, slots=True)
class Entries:
    """The rows of the knowledge attention: first the states, then the series facts.

    `pieces` are the word pieces of each row's value (a state's words, a fact's diagnoses); `names` those
    of each variable's name. `allowed[variable, row]`: a variable attends to states and its own facts.
    `target[variable, state]` is the attention a true state should have.
    """

    variables: tuple[str, ...]
    fact_ids: tuple[str, ...]
    pieces: tuple[tuple[int, ...], ...]
    names: tuple[tuple[int, ...], ...]
    allowed: Bool[np.ndarray, "variable row"]
    target: Float[np.ndarray, "variable state row"]


def entries(facts: Sequence[Fact], variables: Sequence[str], tokenizer: Any) -> Entries:
    """Lay out states and series facts as rows; note facts have no row, the note is read as text."""
    used = [fact for fact in facts if fact.variable in variables]
    texts = [*STATES, *(" ".join(fact.diagnoses) for fact in used)]
    allowed = np.zeros((len(variables), len(texts)), dtype=bool)
    allowed[:, : len(STATES)] = True
    for row, fact in enumerate(used, start=len(STATES)):
        allowed[variables.index(str(fact.variable)), row] = True
    return Entries(
        variables=tuple(variables),
        fact_ids=tuple(fact.fact_id for fact in used),
        pieces=tuple(tuple(pieces(tokenizer, text)) for text in texts),
        names=tuple(tuple(pieces(tokenizer, as_told(name))) for name in variables),
        allowed=allowed,
        target=_targets(used, variables),
    )


def known(facts: Sequence[Fact], how: str, seed: int) -> list[Fact]:
    """The facts a student may read: all, none, or each with the diagnoses of another one (a control)."""
    if how == "none":
        return []
    if how == "facts":
        return list(facts)
    order = np.random.default_rng([seed, 29]).permutation(len(facts)).tolist()
    return [
        replace(fact, text=facts[other].text, diagnoses=facts[other].diagnoses)
        for fact, other in zip(facts, order, strict=True)
    ]


def as_told(name: str) -> str:
    """A variable's name as a sentence begins with it; pH and its like keep their small letter."""
    keeps_small = name[0].islower() and name[1].isupper()
    return name if keeps_small else name[0].upper() + name[1:]


def _targets(facts: Sequence[Fact], variables: Sequence[str]) -> Float[np.ndarray, "variable state row"]:
    target = np.zeros((len(variables), len(STATES), len(STATES) + len(facts)), dtype=np.float32)
    for v, variable in enumerate(variables):
        for s, state in enumerate(STATES):
            rows = [
                len(STATES) + i
                for i, fact in enumerate(facts)
                if fact.variable == variable and state.split()[0] == fact.level
            ]
            target[v, s, s] = 1 - FACT_SHARE if rows else 1.0
            target[v, s, rows] = FACT_SHARE / len(rows) if rows else 0.0
    return target


def entries_to_json(rows: Entries) -> dict[str, Any]:
    """Entries as JSON values, for the checkpoint."""
    return {
        "variables": rows.variables,
        "fact_ids": rows.fact_ids,
        "pieces": rows.pieces,
        "names": rows.names,
        "allowed": rows.allowed.astype(int).tolist(),
        "target": rows.target.round(6).tolist(),
    }


def entries_from_json(values: Mapping[str, Any]) -> Entries:
    """Entries from what `entries_to_json` gave."""
    return Entries(
        variables=tuple(values["variables"]),
        fact_ids=tuple(values["fact_ids"]),
        pieces=tuple(tuple(row) for row in values["pieces"]),
        names=tuple(tuple(row) for row in values["names"]),
        allowed=np.array(values["allowed"], dtype=bool),
        target=np.array(values["target"], dtype=np.float32),
    )
