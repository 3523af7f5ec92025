"""The table of teachers. A new one is one line here and one file beside this one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from clinragen.schema import Stay
from clinragen.teach import local, remote, scripted
from clinragen.teach.asking import Asking, Reply
from clinragen.teach.questions import Ask


@dataclass(frozen=True, slots=True)
class Teacher:
    """`write` gives its replies for each stay, in order, and never an exception for a single stay.

    A large model is asked about all stays first, by `ask`, which fills the ledger; then `write` only reads
    there, and several processes may do so. A teacher without `ask` is not asked but writes as it goes.
    """

    write: Callable[[Sequence[Stay], Asking], list[Reply]]
    ask: Ask | None = None


TEACHERS: Mapping[str, Teacher] = MappingProxyType(
    {
        "scripted": Teacher(scripted.write),
        "remote": Teacher(remote.write, remote.ask_endpoint),
        "local": Teacher(local.write, local.ask_model),
    }
)
