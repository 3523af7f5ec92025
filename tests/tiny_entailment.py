"""Entailment models small enough to make in a test: one that is always as sure, one that is trained."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

LABELS = ("contradiction", "neutral", "entailment")
WORDS = "she keeps tends three hives in her garden bees came by ambulance lives alone . : family history"


def save_sure(folder: Path, chances: Mapping[str, float], labels: Sequence[str] = LABELS) -> Path:
    """A model that gives every pair these probabilities of its labels; the rest share what is left."""
    import torch

    network, tokenizer = _model(labels)
    left = (1 - sum(chances.values())) / max(1, len(labels) - len(chances))
    with torch.no_grad():
        network.classifier.weight.zero_()
        network.classifier.bias.copy_(torch.tensor([math.log(chances.get(name, left)) for name in labels]))
    return _saved(network, tokenizer, folder)


def save_trained(folder: Path, examples: Sequence[tuple[str, str, str]], steps: int = 60) -> Path:
    """A model that has learnt these examples (premise, hypothesis, label) by heart."""
    import torch

    network, tokenizer = _model(LABELS)
    told, claimed, labels = (list(column) for column in zip(*examples, strict=True))
    read = tokenizer(told, claimed, padding=True, return_tensors="pt")
    wanted = torch.tensor([LABELS.index(label) for label in labels])
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        network(**read, labels=wanted).loss.backward()
        optimiser.step()
    return _saved(network, tokenizer, folder)


def _model(labels: Sequence[str]) -> tuple[Any, PreTrainedTokenizerFast]:
    import torch

    torch.manual_seed(0)
    tokenizer = _tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=64, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, id2label=dict(enumerate(labels)),
        label2id={name: place for place, name in enumerate(labels)},
    )  # fmt: skip
    return BertForSequenceClassification(config), tokenizer


def _saved(network: Any, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    known = {word: place for place, word in enumerate((*special, *WORDS.split()))}
    made = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.BertProcessing(("[SEP]", known["[SEP]"]), ("[CLS]", known["[CLS]"]))
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
