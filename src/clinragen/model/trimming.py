"""A pretrained model with only the words its texts need (Ushio et al., EMNLP Findings 2023).

Most of a small model may be its table of words: of Gemma 3 270M 63%, for the writing of all languages. Texts
that the vocabulary was trimmed to are cut into the same pieces as before; others into smaller ones, down to
characters or bytes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedTokenizerFast

from clinragen.errors import RecipeError

LAST_LETTER = 0x180
"""Pieces of one character below this (Latin letters, bytes) always stay, so that all can be spelt."""
MARKS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")


def trimmed(tokenizer: Any, texts: Iterable[str]) -> tuple[PreTrainedTokenizerFast, list[int]]:
    """A tokenizer with the pieces that `texts` need, and which of the old pieces its pieces are."""
    whole = json.loads(tokenizer.backend_tokenizer.to_str())
    kind = whole["model"]["type"]
    if kind not in ("BPE", "Unigram"):
        raise RecipeError(
            "model.trim_vocabulary knows no such tokenizer", expected="BPE or Unigram", found=str(kind)
        )
    used = {piece for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"] for piece in ids}
    used |= set(tokenizer.all_special_ids)
    vocabulary = tokenizer.get_vocab()
    needed = {piece for piece, place in vocabulary.items() if place in used or _spells(piece)}
    if kind == "BPE":
        needed = _with_parts(needed, [_pair(merge) for merge in whole["model"]["merges"]])
    kept = sorted(vocabulary[piece] for piece in needed)
    return _rebuilt(tokenizer, _cut(whole, {old: new for new, old in enumerate(kept)})), kept


def _spells(piece: str) -> bool:
    is_byte = piece.startswith("<0x") and len(piece) == 6
    return is_byte or (len(piece) == 1 and ord(piece) < LAST_LETTER)


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _with_parts(needed: set[str], merges: Sequence[tuple[str, str]]) -> set[str]:
    """The pieces and all that they are merged from, so that every merge that made them can be made again."""
    parts: dict[str, set[str]] = {}
    for left, right in merges:
        parts.setdefault(left + right, set()).update((left, right))
    found, open_ = set(needed), list(needed)
    while open_:
        new = parts.get(open_.pop(), set()) - found
        found |= new
        open_.extend(new)
    return found


def _cut(whole: dict[str, Any], moved: Mapping[int, int]) -> dict[str, Any]:
    """The tokenizer's own description, with the pieces that stay under their new numbers."""
    model = whole["model"]
    if model["type"] == "BPE":
        stay = {piece: moved[old] for piece, old in model["vocab"].items() if old in moved}
        pairs = map(_pair, model["merges"])
        merges = [[a, b] for a, b in pairs if a in stay and b in stay and a + b in stay]
        model |= {"vocab": stay, "merges": merges}
    else:
        model["vocab"] = [row for old, row in enumerate(model["vocab"]) if old in moved]
        model["unk_id"] = moved.get(model["unk_id"])
    added = [token | {"id": moved[token["id"]]} for token in whole["added_tokens"] if token["id"] in moved]
    # Texts are encoded without marks of the tokenizer's own; the student sets the end mark itself.
    return whole | {"model": model, "added_tokens": added, "post_processor": None}


def _rebuilt(tokenizer: Any, description: Mapping[str, Any]) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(description)),
        clean_up_tokenization_spaces=False,
        **tokenizer.special_tokens_map,
    )


@torch.no_grad()
def keep_rows(model: Any, kept: Sequence[int]) -> None:
    """Leave a model of transformers the words of these pieces alone, in this order; its marks follow."""
    rows = torch.tensor(kept)
    moved = {old: place for place, old in enumerate(kept)}
    tables = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    new = {id(old): nn.Parameter(old[rows].clone(), old.requires_grad) for old in tables}
    for part in model.modules():
        if id(getattr(part, "weight", None)) not in new:
            continue
        part.weight = new[id(part.weight)]
        if isinstance(part, nn.Embedding):
            part.num_embeddings = len(kept)
            part.padding_idx = None if part.padding_idx is None else moved.get(part.padding_idx)
        else:
            part.out_features = len(kept)
            part.bias = None if part.bias is None else nn.Parameter(part.bias[rows].clone())
    for config in (model.config, model.config.get_text_config(), model.generation_config):
        for mark in [name for name in MARKS if hasattr(config, name)]:
            setattr(config, mark, _renumbered(getattr(config, mark), moved))
    model.config.get_text_config().vocab_size = len(kept)


def _renumbered(mark: int | list[int] | None, moved: Mapping[int, int]) -> int | list[int] | None:
    if isinstance(mark, list):
        return [moved[each] for each in mark if each in moved]
    return None if mark is None else moved.get(mark)
