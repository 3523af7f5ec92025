"""The table of teachers. A new one is one line here and one file beside this one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from clinragen.schema import Stay
from clinragen.teach import remote, scripted
from clinragen.teach.asking import Asking, Reply


@dataclass(frozen=True, slots=True)
class Teacher:
    """`write` gives one reply for each stay, in order, and never an exception for a single stay.

    `in_processes` says whether several processes may write at once; a ledger has one writer.
    """

    write: Callable[[Sequence[Stay], Asking], list[Reply]]
    in_processes: bool


TEACHERS: Mapping[str, Teacher] = MappingProxyType(
    {
        "scripted": Teacher(scripted.write, in_processes=True),
        "remote": Teacher(remote.write, in_processes=False),
    }
)
