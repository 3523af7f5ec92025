"""Writing with ONNX Runtime: the same texts as the library's, in any company."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from clinragen.model import onnx_writer
from clinragen.model.rules import Rule
from clinragen.model.t5 import T5Backbone, untie_head

pytest.importorskip("onnxruntime")


def backbone(form: str = "relu", own_head: bool = False, seed: int = 0) -> T5Backbone:
    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=90, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_decoder_layers=2, num_heads=4,
        feed_forward_proj=form, dropout_rate=0.0, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
        tie_word_embeddings=not own_head, initializer_factor=3.0,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config).eval()
    if own_head:
        untie_head(model, torch.randn(90, 32))
    return T5Backbone(model)


def read(made: T5Backbone, stays: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    """Contexts of several lengths, masked places at their end and in their middle."""
    vectors = torch.randn(stays, 9, made.width)
    mask = torch.arange(9)[None] < torch.randint(3, 10, (stays, 1))
    mask[::2, 1] = False
    return made.encode(vectors, mask), mask


def without_padding(texts: torch.Tensor) -> list[list[int]]:
    rows = []
    for text in texts.tolist():
        end = text.index(1) + 1 if 1 in text else len(text)
        rows.append(text[:end])
    return rows


@pytest.mark.parametrize("own_head", [False, True])
@pytest.mark.parametrize("form", ["relu", "gated-gelu"])
@torch.no_grad()
def test_texts_are_those_of_the_library(form: str, own_head: bool) -> None:
    made = backbone(form, own_head)
    context, mask = read(made)
    theirs = made.write(context, mask, 24)
    ours = onnx_writer.OnnxWriter(made.model).write(context, mask, 24)
    assert without_padding(ours) == without_padding(theirs)


@torch.no_grad()
def test_waiting_texts_enter_where_others_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slots for eleven texts of different lengths: each is as if written alone."""
    monkeypatch.setattr(onnx_writer, "SLOTS", 3)
    monkeypatch.setattr(onnx_writer, "LEFT_BEHIND", 4)
    made = backbone()
    context, mask = read(made, 11)
    writer = onnx_writer.OnnxWriter(made.model)
    lengths = [3, 9, 5, 12, 4, 7, 2, 11, 6, 3, 8]
    together = writer.write(context, mask, 12, lengths=lengths)
    for stay, length in enumerate(lengths):
        alone = writer.write(context[stay : stay + 1], mask[stay : stay + 1], length)
        assert together[stay, : alone.shape[1]].tolist() == alone[0].tolist()


@torch.no_grad()
def test_rules_are_obeyed_stay_by_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    class EachItsOwn(Rule):
        stays = 5

        def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
            return [10 + stay] if len(written) < 2 else [] if len(written) < 4 else [20, 21]

    monkeypatch.setattr(onnx_writer, "SLOTS", 2)
    made = backbone()
    context, mask = read(made, 5)
    rules: list[Any] = [EachItsOwn()]
    ours = onnx_writer.OnnxWriter(made.model).write(context, mask, 6, rules)
    assert without_padding(ours) == without_padding(made.write(context, mask, 6, rules=rules))
    assert ours[:, 1].tolist() == [10, 11, 12, 13, 14]


@torch.no_grad()
def test_weights_of_8_bits_write_texts_of_the_same_form() -> None:
    made = backbone()
    context, mask = read(made)
    exact = onnx_writer.OnnxWriter(made.model).write(context, mask, 8)
    small = onnx_writer.OnnxWriter(made.model, "int8").write(context, mask, 8)
    assert small.shape[0] == exact.shape[0]
    assert (small[:, 0] == 0).all()
