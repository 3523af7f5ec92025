"""The labels a run is about: those that come with the package, or a set of its own.

One set holds in a process at a time. A step makes the set of its recipe hold, the engine hands it to every
worker, and what depends on the labels is remembered for each set apart.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Found = TypeVar("Found")
Shard = TypeVar("Shard")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One label: its short name, its title, how notes call it, and the codes that mean it.

    `ccs` are groups of the AHRQ Clinical Classifications Software, `icd9` and `icd10` beginnings of codes
    without dots, `meds` whole event codes or beginnings up to a `//`.
    """

    name: str
    title: str
    synonyms: tuple[str, ...] = ()
    ccs: tuple[int, ...] = ()
    icd9: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    meds: tuple[str, ...] = ()


LabelSet = tuple[Diagnosis, ...]
STANDARD: LabelSet = ()
"""Stands for the labels that come with the package (`clinical.diagnoses`)."""

_holding = [STANDARD]
"""The set that holds is the last one. Not a context variable: the threads of a step must see it too."""


_REMEMBERED = 1 << 13
"""The most answers of one function that are remembered."""


def holding() -> LabelSet:
    """The set of its own that a run is about, or STANDARD."""
    return _holding[-1]


@contextmanager
def about(labels: LabelSet) -> Iterator[None]:
    """Let a set of labels hold until the block ends."""
    _holding.append(labels)
    try:
        yield
    finally:
        _holding.pop()


def per_labels(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Remember what a function of the labels gives, as `functools.lru_cache` does, for each set apart."""
    remember: Any = lru_cache(_REMEMBERED)(lambda _, *given: function(*given))  # type: ignore[call-arg]

    @wraps(function)
    def told(*given: Given.args, **_: Given.kwargs) -> Found:
        found: Found = remember(holding(), *given)
        return found

    return told


def handed_on(function: Callable[[Shard], Result]) -> Callable[[Shard], Result]:
    """The function as another process must do it: about the labels that hold here."""
    return function if holding() is STANDARD else _HandedOn(function, holding())


@dataclass(frozen=True, slots=True)
class _HandedOn:
    """A function and the labels it is about; can be sent to another process."""

    function: Callable[[Any], Any]
    labels: LabelSet

    def __call__(self, shard: Any) -> Any:
        with about(self.labels):
            return self.function(shard)
