"""What the decoder may write as its answer: anything that can be read, or exactly what was judged.

Both are rules on the scores of the next piece, so that any way of writing (greedy, beams, sampling) obeys
them. What comes after the answer stays free.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from clinragen.clinical.answer import NO_DIAGNOSIS, answer_of
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.errors import RunError
from clinragen.model.rules import Rule
from clinragen.model.text import pieces

Pieces = tuple[int, ...]
_REMEMBERED = 1 << 14


class AnswerPieces:
    """The pieces an answer is made of; raises RunError where they differ with what stands beside them."""

    def __init__(self, tokenizer: Any) -> None:
        names = (*diagnosis_names(), NO_DIAGNOSIS)
        self.head = tuple(pieces(tokenizer, "Diagnoses:"))
        self.names = {name: self._inside(tokenizer, f" {name}") for name in names}
        self.between, self.stop = self._inside(tokenizer, ";"), self._inside(tokenizer, ".")
        everything = answer_of(diagnosis_names())
        told = tokenizer.decode(list(self.of(diagnosis_names())))
        if self.of(diagnosis_names()) != tuple(pieces(tokenizer, everything)) or told != everything:
            raise RunError(
                "an answer cannot be constrained with this tokenizer",
                expected=f"pieces that end where a diagnosis ends, to tell {everything[:40]!r}",
                found=repr(told[:40]),
                fix='leave "readable" and "judged" out of evaluate.decodings',
            )

    def of(self, diagnoses: Iterable[str]) -> Pieces:
        """The pieces of one answer, its diagnoses in table order."""
        chosen = set(diagnoses)
        first, *others = [name for name in diagnosis_names() if name in chosen] or [NO_DIAGNOSIS]
        rest = [piece for name in others for piece in (*self.between, *self.names[name])]
        return (*self.head, *self.names[first], *rest, *self.stop)

    def _inside(self, tokenizer: Any, text: str) -> Pieces:
        """The pieces of a text that begins no line."""
        return tuple(pieces(tokenizer, f"Diagnoses:{text}"))[len(self.head) :]


class ReadableAnswer(Rule):
    """Only answers that can be read: diagnoses of the closed vocabulary in table order, or none."""

    def __init__(self, tokenizer: Any) -> None:
        self.parts = AnswerPieces(tokenizer)
        self.next_of = lru_cache(maxsize=_REMEMBERED)(self._next_of)

    def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
        """The pieces after which an answer can still be read."""
        return sorted(self.next_of(tuple(written)))

    def _next_of(self, written: Pieces) -> frozenset[int]:
        """The pieces that may follow; empty once the answer is complete, and all may follow."""
        return frozenset(_follow(written, self.parts.head, partial(self._names, -1)))

    def _names(self, after: int, written: Pieces) -> Iterator[int]:
        """What may follow where names later in the table than `after` may stand."""
        later = list(enumerate(diagnosis_names()))[after + 1 :]
        for place, name in later if after >= 0 else [*later, (len(later), NO_DIAGNOSIS)]:
            yield from _follow(written, self.parts.names[name], partial(self._marks, place))

    def _marks(self, place: int, written: Pieces) -> Iterator[int]:
        """What may follow a name: the stop, or the mark between names where any name is left."""
        yield from _follow(written, self.parts.stop, lambda _: iter(()))
        if place + 1 < len(diagnosis_names()):
            yield from _follow(written, self.parts.between, partial(self._names, place))


class JudgedAnswer(Rule):
    """The answer that was judged, piece by piece, so that the text explains the probabilities."""

    def __init__(self, tokenizer: Any, judged: Sequence[Iterable[str]]) -> None:
        parts = AnswerPieces(tokenizer)
        self.answers = [parts.of(diagnoses) for diagnoses in judged]
        self.stays = len(self.answers)

    def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
        """The next piece of the stay's answer; none once it is complete."""
        return self.answers[stay][len(written) : len(written) + 1]


def _follow(written: Pieces, wanted: Pieces, then: Callable[[Pieces], Iterator[int]]) -> Iterator[int]:
    """What may follow where certain pieces are wanted, and then something else."""
    if len(written) < len(wanted):
        if wanted[: len(written)] == written:
            yield wanted[len(written)]
    elif written[: len(wanted)] == wanted:
        yield from then(written[len(wanted) :])
