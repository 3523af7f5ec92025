"""No sentence twice: a small decoder that has lost its place says the same thing again and again."""

from collections.abc import Iterator, Sequence
from typing import Any

from clinragen.model.rules import Rule
from clinragen.model.text import pieces

Sentence = tuple[int, ...]


class EachSentenceOnce(Rule):
    """Ends a part of the text as soon as it repeats a sentence: the note part with the series part's heading.

    A full stop after a digit is taken for a decimal point. Other decoding is left alone: forbidding repeated
    n-grams breaks sentences in their middle and gives text that means nothing.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.heading = tuple(pieces(tokenizer, " Series:"))
        self.headings = (self.heading, tuple(pieces(tokenizer, " Note:")))
        self.end = (int(tokenizer.eos_token_id),)
        self.stop = pieces(tokenizer, "a.")[-1]
        self.decisive = {self.stop, *self.heading[:-1]}
        self.digits = {place for piece, place in tokenizer.get_vocab().items() if piece[-1:].isdigit()}

    def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
        """The one piece a text must go on with where a sentence was repeated; empty where it is free."""
        due = self.due(written) if written and written[-1] in self.decisive else None
        return () if due is None else (due,)

    def due(self, written: Sequence[int]) -> int | None:
        """The piece that must come next; None where the model is free."""
        *whole, begun = self.sentences(written)
        if not whole or self._bare(whole[-1]) not in map(self._bare, whole[:-1]):
            return None
        in_series = any(sentence[: len(self.heading)] == self.heading for sentence in whole)
        closing = self.end if in_series else self.heading
        return closing[len(begun)] if begun == closing[: len(begun)] and len(begun) < len(closing) else None

    def without_repeats(self, written: Sequence[int]) -> list[int]:
        """The text with the second and later sayings of a sentence left out; headings stay."""
        said: set[Sentence] = set()
        kept: list[int] = []
        for sentence in self.sentences(written):
            bare = self._bare(sentence)
            kept.extend(sentence[: len(sentence) - len(bare)] if bare in said else sentence)
            said.add(bare)
        return kept

    def sentences(self, written: Sequence[int]) -> Iterator[Sentence]:
        """The text cut after every full stop; what follows the last one, perhaps nothing, comes last."""
        start = 0
        for place, piece in enumerate(written):
            if piece == self.stop and written[place - 1] not in self.digits:
                yield tuple(written[start : place + 1])
                start = place + 1
        yield tuple(written[start:])

    def _bare(self, sentence: Sentence) -> Sentence:
        """The sentence without the headings it may stand under."""
        while heading := next((each for each in self.headings if sentence[: len(each)] == each), None):
            sentence = sentence[len(heading) :]
        return sentence
