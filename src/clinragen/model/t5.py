"""T5 as a backbone: its encoder reads, its decoder writes from what the encoder made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float, Int
from safetensors import safe_open
from torch import Tensor, nn
from transformers import (
    DynamicCache,
    EncoderDecoderCache,
    LogitsProcessorList,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.activations import NewGELUActivation
from transformers.modeling_outputs import BaseModelOutput

from clinragen.model import biased_attention
from clinragen.model.backbone import IGNORED, Backbone, how_to_write
from clinragen.model.rules import Rule
from clinragen.recipe import Model

LIKENESS = 3.0
"""How strongly a fresh decoder attends to what is like itself; 1 learns later, see docs/notebook.md."""


class FastWriter(Protocol):
    """What may write a T5's greedy texts in the library's place."""

    def write(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        longest: int,
        rules: Sequence[Rule] = (),
    ) -> Int[Tensor, "batch piece"]:
        """The texts that greedy search finds, begin marks first."""


class T5Backbone(Backbone):
    """A T5 that reads vectors and writes text."""

    def __init__(self, model: T5ForConditionalGeneration) -> None:
        super().__init__(model)
        self.writer: FastWriter | None = None
        self.model.set_attn_implementation(biased_attention.NAME)
        fuse_activations(self.model)

    def encode(
        self,
        vectors: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch read"],
        memory: None = None,
    ) -> Float[Tensor, "batch place width"]:
        """Read vectors; masked places change nothing."""
        hidden: Tensor = self.model.encoder(
            inputs_embeds=vectors, attention_mask=mask.long()
        ).last_hidden_state
        return hidden

    def context(
        self, vectors: Float[Tensor, "batch place width"], hidden: Float[Tensor, "batch place width"]
    ) -> Float[Tensor, "batch place width"]:
        """What the decoder reads: the encoder's output."""
        return hidden

    def words(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        target: Int[Tensor, "batch piece"],
        memory: None = None,
    ) -> Float[Tensor, "counted word"]:
        """The scores of all words where a piece of the target stands; none is weighed where it is IGNORED."""
        told: Tensor = self.model.decoder(
            input_ids=self.model._shift_right(target),
            encoder_hidden_states=context,
            encoder_attention_mask=mask.long(),
            use_cache=False,
        ).last_hidden_state
        return self.weighed(told[target != IGNORED])

    def weighed(self, told: Float[Tensor, "... width"]) -> Float[Tensor, "... word"]:
        """The scores of all words where the decoder was told this."""
        if self.model.config.scale_decoder_outputs:
            told = told * self.width**-0.5
        scores: Tensor = self.model.lm_head(told)
        return scores

    def begin(
        self, context: Float[Tensor, "one place width"], mask: Bool[Tensor, "one place"]
    ) -> tuple[Float[Tensor, "one start width"], Any]:
        """What the begin mark is told; the memory holds keys and values of the whole context."""
        start = torch.full((1, 1), self.model.config.decoder_start_token_id, device=context.device)
        read = self.model.decoder(
            input_ids=start,
            encoder_hidden_states=context,
            encoder_attention_mask=mask.long(),
            past_key_values=EncoderDecoderCache(DynamicCache(), DynamicCache()),
            use_cache=True,
        )
        return read.last_hidden_state, read.past_key_values

    def go_on(
        self,
        context: Float[Tensor, "one place width"],
        mask: Bool[Tensor, "one place"],
        targets: Int[Tensor, "text piece"],
        memory: Any,
    ) -> Float[Tensor, "text before_last width"]:
        """What every piece but the last is told."""
        told: Tensor = self.model.decoder(
            input_ids=targets[:, :-1].masked_fill(targets[:, :-1] == IGNORED, self.model.config.pad_token_id),
            encoder_hidden_states=context.expand(len(targets), -1, -1),
            encoder_attention_mask=mask.long().expand(len(targets), -1),
            past_key_values=memory,
            use_cache=True,
        ).last_hidden_state
        return told

    @torch.no_grad()
    def write(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        longest: int,
        beams: int = 1,
        rules: Sequence[Rule] = (),
        temperature: float = 0.0,
    ) -> Int[Tensor, "batch piece"]:
        """Write text greedily, with beams, or drawn at a temperature; freely, but for the rules given."""
        if self.writer is not None and beams == 1 and temperature == 0:
            return self.writer.write(context, mask, longest, rules)
        written: Tensor = self.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=context),
            attention_mask=mask.long(),
            generation_config=how_to_write(longest, beams, temperature, **self._marks()),
            logits_processor=LogitsProcessorList(rules),
        )
        return written

    def _marks(self) -> dict[str, int]:
        names = ("decoder_start_token_id", "pad_token_id", "eos_token_id")
        return {name: getattr(self.model.config, name) for name in names}


def fuse_activations(model: nn.Module) -> None:
    """Compute the tanh form of GELU in one pass; the library takes eight to the same numbers."""
    for part in model.modules():
        if isinstance(getattr(part, "act", None), NewGELUActivation):
            part.act = nn.GELU(approximate="tanh")


def demo_t5(settings: Model, vocabulary: int) -> T5Backbone:
    """A small T5 from scratch, ReLU, tied embeddings, no dropout."""
    config = T5Config(
        vocab_size=vocabulary,
        d_model=settings.width,
        d_kv=settings.width // settings.heads,
        d_ff=settings.feed_forward,
        num_layers=settings.layers,
        num_decoder_layers=settings.layers,
        num_heads=settings.heads,
        dropout_rate=0.0,
        feed_forward_proj="relu",
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    model = T5ForConditionalGeneration(config)
    begin_as_copier(model)
    return T5Backbone(model)


@torch.no_grad()
def begin_as_copier(model: Any) -> None:
    """Let cross-attention begin by looking for what is like itself and handing it on.

    Learning to copy from the record takes a decoder from random weights longer than all else. Queries and
    keys begin alike and values go through unchanged (an initialisation of the kind of Trockman and Kolter,
    2023), so what is attended to is what is likely to be written, for word embeddings are tied.
    """
    for block in model.decoder.block:
        attention = block.layer[1].EncDecAttention
        inner, width = attention.v.weight.shape
        through = torch.linalg.qr(torch.randn(max(inner, width), min(inner, width))).Q
        through = through if inner >= width else through.T
        attention.v.weight.copy_(through)
        attention.o.weight.copy_(through.T)
        attention.q.weight.copy_(LIKENESS * width**-0.5 * attention.k.weight)


def loaded_t5(model: Any, source: Path) -> T5Backbone:
    """A pretrained T5, with its own output head where the checkpoint in `source` has one."""
    head = _own_head(source)
    if head is not None:
        untie_head(model, head)
    return T5Backbone(model)


def untie_head(model: Any, weight: Tensor) -> None:
    """Give the model its own output head; transformers 5 ties every T5 head to the embeddings."""
    model.lm_head = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    with torch.no_grad():
        model.lm_head.weight.copy_(weight)
    model.config.tie_word_embeddings = False
    model._tied_weights_keys = {k: v for k, v in model._tied_weights_keys.items() if k != "lm_head.weight"}


def rebuilt_t5(config: T5Config, own_head: bool) -> T5Backbone:
    """A T5 without its weights, with an output head of its own or not."""
    backbone = T5Backbone(T5ForConditionalGeneration(config))
    if own_head:
        untie_head(backbone.model, torch.zeros_like(backbone.model.shared.weight))
    return backbone


def has_own_head(backbone: Backbone) -> bool:
    """Whether the output head is not the embedding table."""
    return backbone.model.get_output_embeddings().weight is not backbone.embedding.weight


def _own_head(folder: Path) -> Tensor | None:
    """The output head saved in a checkpoint, if it differs from the embeddings."""
    saved: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in {"lm_head.weight", "shared.weight"} & set(tensors.keys()):
                saved[name] = tensors.get_tensor(name)
    head = saved.get("lm_head.weight")
    return None if head is None or torch.equal(head, saved.get("shared.weight", head[:0])) else head
