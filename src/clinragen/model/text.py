"""Words to pieces: the tokenizer trained for the demo, or the one that comes with a real backbone."""

from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
INNER = {" ": "␣", "-": "␦"}
"""Stands for a space or a hyphen inside a term, so that the term stays one word."""


def train_tokenizer(
    texts: Iterable[str], vocabulary: int, terms: Iterable[str] = ()
) -> PreTrainedTokenizerFast:
    """A byte-pair vocabulary from the training texts; it keeps the words of templated text whole.

    `terms` are treated as one word each ("acute kidney injury", "high and rising"), so that a term which
    training texts hold becomes one piece: to copy it is one step and its embedding is its own. Unigram
    pieces collapse to characters on such text. Same texts, same pieces.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    joins = [
        normalizers.Replace(term, "".join(INNER.get(letter, letter) for letter in term))
        for term in sorted(set(terms), key=lambda term: (-len(term), term))
        if set(term) & set(INNER)
    ]
    tokenizer.normalizer = normalizers.Sequence(joins)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Metaspace(), *(decoders.Replace(mark, letter) for letter, mark in INNER.items())]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[PAD, END, UNKNOWN], show_progress=False, min_frequency=2
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        clean_up_tokenization_spaces=False,
    )


def pieces(tokenizer: Any, text: str) -> list[int]:
    """The piece ids of a text, without the end mark."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def encode(tokenizer: Any, texts: Sequence[str], longest: int) -> list[list[int]]:
    """Piece ids of each text with the end mark, cut at `longest` (the end mark is kept)."""
    encoded = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return [[*ids[: longest - 1], int(tokenizer.eos_token_id)] for ids in encoded]


def cut_off(tokenizer: Any, texts: Sequence[str], longest: int) -> dict[str, int]:
    """How many texts are longer than `encode` keeps, and how many of all pieces it leaves out."""
    lengths = [len(ids) + 1 for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]
    lost = [length - longest for length in lengths if length > longest]
    return {"texts": len(texts), "cut": len(lost), "pieces": sum(lengths), "pieces_lost": sum(lost)}
