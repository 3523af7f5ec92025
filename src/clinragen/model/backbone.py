"""The language model behind a narrow interface: embed, encode, the loss of a text, and write."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import GenerationConfig

from clinragen.model.rules import Rule
from clinragen.model.trimming import keep_rows

IGNORED = -100
"""The label of padding: no loss."""
ADAPTER = "lora_"
"""What the names of adapter weights hold, as peft gives them."""


class Backbone(nn.Module, ABC):
    """A language model of transformers that reads vectors and writes text.

    `encode` gives each place's vector among the others, for the head to judge by; `context` is what the text
    is written from, to which the student adds the judgement. What was read need not be read again: a `memory`
    holds the keys and values of the first places of a context, for a backbone that can go on from there.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any = model

    @property
    def embedding(self) -> nn.Embedding:
        """The table of word embeddings, the space in which series tokens must land."""
        table: nn.Embedding = self.model.get_input_embeddings()
        return table

    @property
    def width(self) -> int:
        """The width of one vector."""
        return int(self.embedding.embedding_dim)

    def keep(self, pieces: Sequence[int]) -> None:
        """Keep the words of these pieces alone, which are numbered anew in this order."""
        keep_rows(self.model, pieces)

    def trained(self) -> list[nn.Parameter]:
        """The tensors that learn: the adapters where there are any, else all."""
        adapters = [parameter for name, parameter in self.named_parameters() if ADAPTER in name]
        return adapters or list(self.parameters())

    def matrices(self) -> list[nn.Parameter]:
        """The matrices that learn and map vectors to vectors; not the embeddings and not the output head."""
        head = self.model.get_output_embeddings()
        layers = [m for m in self.model.modules() if isinstance(m, nn.Linear) and m is not head]
        learning = set(self.trained())
        weights = [parameter for layer in layers for parameter in layer.parameters() if parameter.ndim == 2]
        return [parameter for parameter in weights if parameter in learning]

    @abstractmethod
    def encode(
        self,
        vectors: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch read"],
        memory: Any = None,
    ) -> Float[Tensor, "batch place width"]:
        """Read vectors; masked places change nothing. A memory, empty yet, is filled with them."""

    def memory(self) -> Any:
        """An empty memory; None where reading a context once more is no part of writing."""
        return None

    @abstractmethod
    def context(
        self, vectors: Float[Tensor, "batch place width"], hidden: Float[Tensor, "batch place width"]
    ) -> Float[Tensor, "batch place width"]:
        """What a text is written from, given what was read and what `encode` made of it."""

    @abstractmethod
    def words(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        target: Int[Tensor, "batch piece"],
        memory: Any = None,
    ) -> Float[Tensor, "counted word"]:
        """The scores of all words where a piece of the target stands; none is weighed where it is IGNORED.

        A memory of the first places of the context spares reading them again; this uses it up.
        """

    def text_loss(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        target: Int[Tensor, "batch piece"],
        memory: Any = None,
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy of the target text, in 32 bits whatever the products were taken in."""
        scores = self.words(context, mask, target, memory)
        loss: Tensor = nn.functional.cross_entropy(scores.float(), target[target != IGNORED])
        return loss

    def log_likelihood(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        target: Int[Tensor, "batch piece"],
        memory: Any = None,
    ) -> Float[Tensor, " batch"]:
        """The log-probability of each target text as a whole."""
        counts = target != IGNORED
        scores = self.words(context, mask, target, memory)
        lost = nn.functional.cross_entropy(scores.float(), target[counts], reduction="none")
        rows = counts.nonzero()[:, 0]
        return torch.zeros(len(target), device=lost.device).index_add(0, rows, -lost)

    @torch.no_grad()
    def likelihoods(
        self,
        context: Float[Tensor, "one place width"],
        mask: Bool[Tensor, "one place"],
        targets: Int[Tensor, "text piece"],
    ) -> Float[Tensor, " text"]:
        """The log-probability of several texts from one context, as `log_likelihood`, but it is read once.

        Texts are padded with IGNORED on the right.
        """
        told, memory = self.begin(context, mask)
        memory.batch_repeat_interleave(len(targets))
        counts = targets != IGNORED
        told = torch.cat([told.expand(len(targets), -1, -1), self.go_on(context, mask, targets, memory)], 1)
        lost = nn.functional.cross_entropy(
            self.weighed(told).float().transpose(1, 2), targets, reduction="none", ignore_index=IGNORED
        )
        return -(lost * counts).sum(1)

    @abstractmethod
    def begin(
        self, context: Float[Tensor, "one place width"], mask: Bool[Tensor, "one place"]
    ) -> tuple[Float[Tensor, "one start width"], Any]:
        """What the begin mark is told, and the keys and values of all that was read until then."""

    @abstractmethod
    def go_on(
        self,
        context: Float[Tensor, "one place width"],
        mask: Bool[Tensor, "one place"],
        targets: Int[Tensor, "text piece"],
        memory: Any,
    ) -> Float[Tensor, "text before_last width"]:
        """What every piece but the last is told, each text after the same memory."""

    @abstractmethod
    def weighed(self, told: Float[Tensor, "... width"]) -> Float[Tensor, "... word"]:
        """The scores of all words where the model was told this."""

    @abstractmethod
    def write(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        longest: int,
        beams: int = 1,
        rules: Sequence[Rule] = (),
        temperature: float = 0.0,
    ) -> Int[Tensor, "batch piece"]:
        """Write text greedily, with beams, or drawn at a temperature; freely, but for the rules given.

        Every row begins with the mark that begins a text, which is no part of it.
        """


def how_to_write(longest: int, beams: int, temperature: float, **marks: int) -> GenerationConfig:
    """The settings of transformers for a way to write; `marks` name its special pieces."""
    return GenerationConfig(
        max_new_tokens=longest,
        num_beams=beams,
        do_sample=temperature > 0,
        temperature=temperature or None,
        top_k=0 if temperature > 0 else None,
        **marks,
    )


def begun(target: Int[Tensor, "batch piece"], start: int, pad: int) -> Int[Tensor, "batch piece"]:
    """What is read while a text is learnt: the begin mark, then every piece but the last."""
    shifted = torch.full_like(target, start)
    shifted[:, 1:] = target[:, :-1]
    return shifted.masked_fill(shifted == IGNORED, pad)
