"""The words of a text as they are compared: American spelling, small letters, no plural s."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_STOPPED = frozenset(
    re.findall(
        r"\w+",
        """a an the of in on at to for with by from and or but not no is are was were be been has have had
        this that these those it its his her their he she they as than when which who after before into over
        under more most may can all one two patient patients year old man woman""",
    )
)


class Term(NamedTuple):
    """One word of a text, in its plain form, and where it stands."""

    word: str
    start: int
    end: int


def terms(text: str, start: int = 0, end: int | None = None) -> Iterator[Term]:
    """The telling words of a text that `american` has spelt, in order; its offsets are kept."""
    for hit in _WORD.finditer(text.lower(), start, len(text) if end is None else end):
        if hit[0] not in _STOPPED:
            yield Term(_stem(hit[0]), *hit.span())


def _stem(word: str) -> str:
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word
