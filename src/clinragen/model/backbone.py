"""The language model behind a narrow interface: embed, encode, the loss of a text, and write.

BACKBONES is the plug point. Any T5 of transformers fits: by size for the demo, by name or path for real
ones. Only safetensors are loaded, and never remote code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from safetensors import safe_open
from torch import Tensor, nn
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.activations import NewGELUActivation
from transformers.modeling_outputs import BaseModelOutput

from clinragen.errors import RecipeError
from clinragen.model import biased_attention
from clinragen.recipe import Model

LIKENESS = 3.0
"""How strongly a fresh decoder attends to what is like itself; 1 learns later, see docs/notebook.md."""
IGNORED = -100
"""The label of padding: no loss."""


class T5Backbone(nn.Module):
    """A T5 that reads vectors and writes text."""

    def __init__(self, model: T5ForConditionalGeneration) -> None:
        super().__init__()
        self.model: Any = model
        self.model.set_attn_implementation(biased_attention.NAME)
        fuse_activations(self.model)

    @property
    def embedding(self) -> nn.Embedding:
        """The table of word embeddings, the space in which series tokens must land."""
        table: nn.Embedding = self.model.shared
        return table

    @property
    def width(self) -> int:
        """The width of one vector."""
        return int(self.model.config.d_model)

    def matrices(self) -> list[nn.Parameter]:
        """The matrices that map vectors to vectors; not the embeddings and not the output head."""
        head = self.model.get_output_embeddings()
        layers = [m for m in self.model.modules() if isinstance(m, nn.Linear) and m is not head]
        return [parameter for layer in layers for parameter in layer.parameters() if parameter.ndim == 2]

    def encode(
        self, vectors: Float[Tensor, "batch place width"], mask: Bool[Tensor, "batch place"]
    ) -> Float[Tensor, "batch place width"]:
        """Read vectors; masked places change nothing."""
        hidden: Tensor = self.model.encoder(
            inputs_embeds=vectors, attention_mask=mask.long()
        ).last_hidden_state
        return hidden

    def text_loss(
        self,
        hidden: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        target: Int[Tensor, "batch piece"],
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy of the target text; for IGNORED pieces no word is even weighed."""
        told: Tensor = self.model.decoder(
            input_ids=self.model._shift_right(target),
            encoder_hidden_states=hidden,
            encoder_attention_mask=mask.long(),
            use_cache=False,
        ).last_hidden_state
        counts = target != IGNORED
        told = told[counts]
        if self.model.config.scale_decoder_outputs:
            told = told * self.width**-0.5
        words: Tensor = self.model.lm_head(told)
        return nn.functional.cross_entropy(words.float(), target[counts])

    @torch.no_grad()
    def write(
        self,
        hidden: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        longest: int,
        beams: int = 1,
        rules: Sequence[LogitsProcessor] = (),
        temperature: float = 0.0,
    ) -> Int[Tensor, "batch piece"]:
        """Write text greedily, with beams, or drawn at a temperature; freely, but for the rules given."""
        settings = GenerationConfig(
            max_new_tokens=longest,
            num_beams=beams,
            do_sample=temperature > 0,
            temperature=temperature or None,
            top_k=0 if temperature > 0 else None,
            decoder_start_token_id=self.model.config.decoder_start_token_id,
            pad_token_id=self.model.config.pad_token_id,
            eos_token_id=self.model.config.eos_token_id,
        )
        written: Tensor = self.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
            attention_mask=mask.long(),
            generation_config=settings,
            logits_processor=LogitsProcessorList(rules),
        )
        return written


def fuse_activations(model: nn.Module) -> None:
    """Compute the tanh form of GELU in one pass; the library takes eight to the same numbers."""
    for part in model.modules():
        if isinstance(getattr(part, "act", None), NewGELUActivation):
            part.act = nn.GELU(approximate="tanh")


@dataclass(frozen=True, slots=True)
class Backbone:
    """One row of the plug table: how to build the model; `tokenizer` is None if it is to be trained."""

    build: Callable[[Model, int], T5Backbone]
    tokenizer: Callable[[Model], Any] | None


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


def pretrained_t5(settings: Model, _: int) -> T5Backbone:
    """A T5 by hub name or local folder, with its own output head where the checkpoint has one."""
    try:
        model = T5ForConditionalGeneration.from_pretrained(
            settings.backbone, use_safetensors=True, trust_remote_code=False
        )
    except OSError as fault:
        raise RecipeError(
            f"model.backbone {settings.backbone!r} cannot be loaded",
            expected="t5-demo, or a folder or hub name of a T5 with model.safetensors",
            found=str(fault).splitlines()[0],
        ) from None
    head = _own_head(Path(settings.backbone))
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


def has_own_head(backbone: T5Backbone) -> bool:
    """Whether the output head is not the embedding table."""
    return backbone.model.lm_head.weight is not backbone.model.shared.weight


def _own_head(folder: Path) -> Tensor | None:
    """The output head saved in a checkpoint, if it differs from the embeddings."""
    saved: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in {"lm_head.weight", "shared.weight"} & set(tensors.keys()):
                saved[name] = tensors.get_tensor(name)
    head = saved.get("lm_head.weight")
    return None if head is None or torch.equal(head, saved.get("shared.weight", head[:0])) else head


BACKBONES: dict[str, Backbone] = {
    "t5-demo": Backbone(build=demo_t5, tokenizer=None),
    "pretrained": Backbone(
        build=pretrained_t5, tokenizer=lambda settings: AutoTokenizer.from_pretrained(settings.backbone)
    ),
}


def backbone_row(settings: Model) -> Backbone:
    """The row of the table a recipe asks for: its own name, or else a pretrained T5."""
    return BACKBONES.get(settings.backbone, BACKBONES["pretrained"])
