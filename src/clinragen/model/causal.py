"""A decoder-only model as a backbone: it reads the record as a prefix and writes on from it."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM, LogitsProcessor, LogitsProcessorList

from clinragen.model.backbone import IGNORED, Backbone, begun, how_to_write
from clinragen.model.rules import Rule
from clinragen.recipe import Model


class CausalBackbone(Backbone):
    """Reads [context][begin mark][text] from left to right; places that are masked count as not there."""

    def __init__(self, model: Any, start: int, end: int) -> None:
        super().__init__(model)
        self.start, self.end = start, end

    def keep(self, pieces: Sequence[int]) -> None:
        """Keep the words of these pieces alone, the marks among them."""
        super().keep(pieces)
        self.start, self.end = pieces.index(self.start), pieces.index(self.end)

    def encode(
        self,
        vectors: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch read"],
        memory: Any = None,
    ) -> Float[Tensor, "batch place width"]:
        """Read vectors, each with those before it; masked places change nothing.

        Where a memory is not empty, `vectors` follow what it holds, and `mask` tells of both.
        """
        hidden: Tensor = self.model.get_decoder()(
            inputs_embeds=vectors,
            attention_mask=mask.long(),
            position_ids=_places(mask)[:, mask.shape[1] - vectors.shape[1] :],
            past_key_values=memory,
            use_cache=memory is not None,
        ).last_hidden_state
        return hidden

    def memory(self) -> DynamicCache:
        """Keys and values of a prefix, from which a text can go on."""
        return DynamicCache()

    def context(
        self, vectors: Float[Tensor, "batch place width"], hidden: Float[Tensor, "batch place width"]
    ) -> Float[Tensor, "batch place width"]:
        """What the text follows: the vectors as they were read."""
        return vectors

    def words(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        target: Int[Tensor, "batch piece"],
        memory: DynamicCache | None = None,
    ) -> Float[Tensor, "counted word"]:
        """The scores of all words where a piece of the target stands; none is weighed where it is IGNORED."""
        counts = target != IGNORED
        said = self.embedding(begun(target, self.start, self.end)).to(context.dtype)
        new = context if memory is None else context[:, memory.get_seq_length() :]
        read = self.encode(torch.cat([new, said], dim=1), torch.cat([mask, counts], dim=1), memory)
        return self.weighed(read[:, new.shape[1] :][counts])

    def weighed(self, told: Float[Tensor, "... width"]) -> Float[Tensor, "... word"]:
        """The scores of all words where the model was told this."""
        scores: Tensor = self.model.get_output_embeddings()(told)
        return scores

    def begin(
        self, context: Float[Tensor, "one place width"], mask: Bool[Tensor, "one place"]
    ) -> tuple[Float[Tensor, "one start width"], Any]:
        """What the begin mark is told; the memory holds keys and values of context and mark."""
        start = torch.full((1, 1), self.start, device=context.device)
        whole = torch.cat([mask, torch.ones_like(start).bool()], dim=1)
        read = self.model.get_decoder()(
            inputs_embeds=torch.cat([context, self.embedding(start).to(context.dtype)], dim=1),
            attention_mask=whole.long(),
            position_ids=_places(whole),
            use_cache=True,
        )
        return read.last_hidden_state[:, -1:], read.past_key_values

    def go_on(
        self,
        context: Float[Tensor, "one place width"],
        mask: Bool[Tensor, "one place"],
        targets: Int[Tensor, "text piece"],
        memory: Any,
    ) -> Float[Tensor, "text before_last width"]:
        """What every piece but the last is told."""
        said = targets[:, :-1]
        begun = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1).expand(len(targets), -1)
        whole = torch.cat([begun, said != IGNORED], dim=1)
        told: Tensor = self.model.get_decoder()(
            inputs_embeds=self.embedding(said.masked_fill(said == IGNORED, self.end)).to(context.dtype),
            attention_mask=whole.long(),
            position_ids=_places(whole)[:, -said.shape[1] :],
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
        """Write on from the context; the begin mark comes first in every row."""
        start = torch.full((len(context), 1), self.start, device=context.device)
        prefix = torch.cat([context, self.embedding(start).to(context.dtype)], dim=1)
        written: Tensor = self.model.generate(
            inputs_embeds=prefix,
            attention_mask=torch.cat([mask, torch.ones_like(start).bool()], dim=1).long(),
            generation_config=how_to_write(
                longest, beams, temperature, pad_token_id=self.end, eos_token_id=self.end
            ),
            logits_processor=LogitsProcessorList([_AfterStart(rule, self.start) for rule in rules]),
        )
        return torch.cat([start, written], dim=1)


class _AfterStart(LogitsProcessor):  # type: ignore[misc]
    """A rule that expects the begin mark, which transformers does not show where vectors were read."""

    def __init__(self, rule: LogitsProcessor, start: int) -> None:
        self.rule, self.start = rule, start

    def __call__(
        self, input_ids: Int[Tensor, "row piece"], scores: Float[Tensor, "row word"]
    ) -> Float[Tensor, "row word"]:
        """The scores as the rule leaves them."""
        start = input_ids.new_full((len(scores), 1), self.start)
        ruled: Tensor = self.rule(torch.cat([start, input_ids], dim=1), scores)
        return ruled


def _places(mask: Bool[Tensor, "batch place"]) -> Int[Tensor, "batch place"]:
    """The position of each place, counted without those that are masked."""
    return (mask.long().cumsum(1) - 1).clamp_min(0)


def demo_causal(settings: Model, vocabulary: int) -> CausalBackbone:
    """A small decoder-only model from scratch (Llama's form), tied embeddings, no dropout."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=settings.width,
        intermediate_size=settings.feed_forward,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        max_position_embeddings=2 * settings.note_tokens + settings.target_tokens,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=1,
    )
    return CausalBackbone(LlamaForCausalLM(config), start=0, end=1)
