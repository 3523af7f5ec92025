"""One step of a T5 decoder as an ONNX graph: a piece in, the next one's scores and the longer memory out.

Keys are kept transposed, so that no step turns them round, and each layer's memory is an input of its own,
so that no step cuts it out of a larger one.
"""

import warnings
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

OPSET = 17
Memory = tuple[Tensor, ...]
"""For each layer the keys [row, head, width, place] and the values [row, head, place, width]."""


class DecoderStep(nn.Module):
    """The decoder of a T5 for one piece of each row; what was read and written before is given as memory."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.embedding, self.norm, self.head = model.shared, model.decoder.final_layer_norm, model.lm_head
        self.blocks = model.decoder.block
        self.heads, self.width = model.config.num_heads, model.config.d_kv
        self.scale = model.config.d_model**-0.5 if model.config.scale_decoder_outputs else 1.0

    def forward(
        self,
        piece: Int[Tensor, " row"],
        bias: Float[Tensor, "row head place"],
        read_mask: Float[Tensor, "row read"],
        *memory: Tensor,
    ) -> tuple[Tensor, ...]:
        """`memory` is, layer by layer, keys and values written, then keys and values read (cross-attention).

        `bias` holds the relative positions, very low where a row has no such place; `read_mask` likewise.
        """
        hidden = self.embedding(piece)
        longer: list[Tensor] = []
        for block, layer in zip(self.blocks, range(len(self.blocks)), strict=True):
            keys, values, read_keys, read_values = memory[4 * layer : 4 * layer + 4]
            own, normed = block.layer[0].SelfAttention, block.layer[0].layer_norm(hidden)
            keys = torch.cat([keys, self._split(own.k(normed)).unsqueeze(-1)], dim=-1)
            values = torch.cat([values, self._split(own.v(normed)).unsqueeze(-2)], dim=-2)
            longer += [keys, values]
            hidden = hidden + self._attend(own, normed, keys, values, bias)
            cross, normed = block.layer[1].EncDecAttention, block.layer[1].layer_norm(hidden)
            hidden = hidden + self._attend(cross, normed, read_keys, read_values, read_mask.unsqueeze(1))
            hidden = block.layer[2](hidden)
        return (self.head(self.norm(hidden) * self.scale), *longer)

    def _split(self, flat: Float[Tensor, "row inner"]) -> Float[Tensor, "row head width"]:
        return flat.view(-1, self.heads, self.width)

    def _attend(
        self,
        attention: Any,
        normed: Float[Tensor, "row hidden"],
        keys: Float[Tensor, "row head width place"],
        values: Float[Tensor, "row head place width"],
        bias: Float[Tensor, "row any_head place"],
    ) -> Float[Tensor, "row hidden"]:
        query = self._split(attention.q(normed)).unsqueeze(-2)
        shares = ((query @ keys).squeeze(-2) + bias).softmax(-1).unsqueeze(-2)
        out: Tensor = attention.o((shares @ values).flatten(1))
        return out


def relative_bias(model: Any, longest: int) -> Float[Tensor, "head distance"]:
    """What the decoder adds for a place so many pieces back, from 0 on."""
    attention = model.decoder.block[0].layer[0].SelfAttention
    bucket = attention._relative_position_bucket(
        -torch.arange(longest),
        bidirectional=False,
        num_buckets=attention.relative_attention_num_buckets,
        max_distance=attention.relative_attention_max_distance,
    )
    bias: Tensor = attention.relative_attention_bias(bucket).T
    return bias.detach()


def names_of(layers: int, kinds: tuple[str, ...]) -> list[str]:
    """The names of the graph's inputs and outputs, layer by layer."""
    return [f"{kind}_{layer}" for layer in range(layers) for kind in kinds]


WRITTEN, READ = ("keys", "values"), ("read_keys", "read_values")


@torch.no_grad()
def export_step(model: Any, path: Path) -> None:
    """Write the graph of a T5's decoder step."""
    step = DecoderStep(model).eval()
    layers, heads, width = len(step.blocks), step.heads, step.width
    keys, values = torch.zeros(2, heads, width, 3), torch.zeros(2, heads, 3, width)
    inputs = ["piece", "bias", "read_mask", *names_of(layers, (*WRITTEN, *READ))]
    outputs = ["scores", *(f"next_{name}" for name in names_of(layers, WRITTEN))]
    memory = [keys, values, keys, values] * layers
    example = (torch.zeros(2, dtype=torch.long), torch.zeros(2, heads, 4), torch.zeros(2, 3), *memory)
    axes: dict[str, dict[int, str]] = {"piece": {0: "row"}, "bias": {0: "row", 2: "next"}}
    axes["read_mask"] = {0: "row", 1: "read"}
    for name in names_of(layers, ("keys",)):
        axes[name], axes[f"read_{name}"] = {0: "row", 3: "place"}, {0: "row", 3: "read"}
    for name in names_of(layers, ("values",)):
        axes[name], axes[f"read_{name}"] = {0: "row", 2: "place"}, {0: "row", 2: "read"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            step, example, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes,
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
