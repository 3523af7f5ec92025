"""One step of writing of a T5's decoder as an ONNX graph.

The encoder stays in torch: it runs once for a note, and what it reads (series tokens, hints) is made there.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from onnx import ModelProto, TensorProto
from torch import Tensor

from clinragen.errors import RunError
from clinragen.model.onnx_graph import Axes, Graph, Precision
from clinragen.model.onnx_reading import Notes
from clinragen.model.t5 import T5Backbone

_ACTIVATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "relu": ("Relu", {}),
    "gelu": ("Gelu", {}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
}


def step_graph(backbone: T5Backbone, seats: int, precision: Precision = "fp32") -> ModelProto:
    """One step of writing: one piece at each of so many seats.

    piece [seat] is the piece written last; bias [seat, head, 1, past + 1] is added to the scores of what was
    written, the piece itself last. For each layer there are the keys and values of what was written
    (own_key, own_value: [seat, head, past, size]), and for each layer and seat those of the note (read_key,
    read_value), of any length each; see onnx_reading.py. Gives scores [seat, word] and, for each layer,
    new_key and new_value [seat, head, 1, size].
    """
    return _Step(backbone, seats, precision).drawn()


class _Step:
    """Draws one step."""

    def __init__(self, backbone: T5Backbone, seats: int, precision: Precision) -> None:
        _must_be_drawable(backbone.model.config)
        self.model: Any = backbone.model
        self.config = self.model.config
        self.graph, self.seats = Graph(precision), seats
        self.notes = Notes(self.graph, self.config, seats)

    def drawn(self) -> ModelProto:
        graph, decoder = self.graph, self.model.decoder
        piece = graph.input("piece", [self.seats], TensorProto.INT64)
        self.bias = graph.input("bias", [self.seats, self.config.num_heads, 1, "past_and_one"])
        table = decoder.embed_tokens.weight.detach().float().numpy()
        value = graph.op("Gather", graph.constant(table), piece)
        for place, block in enumerate(decoder.block):
            own, read, feed = block.layer
            value = graph.op("Add", value, self._write(place, own.SelfAttention, self._norm(value, own)))
            value = graph.op("Add", value, self._read(place, read.EncDecAttention, self._norm(value, read)))
            value = graph.op("Add", value, self._feed(feed.DenseReluDense, self._norm(value, feed)))
        value = self._scaled(value, decoder.final_layer_norm)
        if self.config.scale_decoder_outputs:
            value = graph.op("Mul", value, graph.floats(self.config.d_model**-0.5))
        graph.output(graph.linear(value, self.model.lm_head.weight), "scores", [self.seats, "word"])
        return graph.model()

    def _norm(self, value: str, layer: Any) -> str:
        return self._scaled(value, layer.layer_norm)

    def _scaled(self, value: str, norm: Any) -> str:
        """Divided by the root of the mean square; no mean is taken away."""
        graph = self.graph
        square = graph.op("ReduceMean", graph.op("Mul", value, value), graph.whole(-1))
        root = graph.op("Sqrt", graph.op("Add", square, graph.floats(norm.variance_epsilon)))
        return graph.op("Mul", graph.op("Div", value, root), graph.constant(norm.weight.detach().numpy()))

    def _write(self, place: int, layer: Any, value: str) -> str:
        """Attention to what was written; the piece itself is weighed apart, so that nothing is copied."""
        graph = self.graph
        asked = graph.linear(value, torch.cat([layer.q.weight, layer.k.weight, layer.v.weight]))
        query, key, value = (
            self._in_heads(part) for part in graph.split("Split", asked, count=3, axis=1, num_outputs=3)
        )
        past: Axes = [self.seats, self.config.num_heads, "past", self.config.d_kv]
        old_key, old_value = (graph.input(f"own_{part}_{place}", past) for part in ("key", "value"))
        scores = graph.op("Concat", self._likeness(query, old_key), self._likeness(query, key), axis=-1)
        weights = graph.op("Softmax", graph.op("Add", scores, self.bias), axis=-1)
        before, itself = self._last_apart(weights)
        told = graph.op("Add", graph.op("MatMul", before, old_value), graph.op("Mul", itself, value))
        shape: Axes = [self.seats, self.config.num_heads, 1, self.config.d_kv]
        graph.output(key, f"new_key_{place}", shape)
        graph.output(value, f"new_value_{place}", shape)
        return self._out(told, layer)

    def _read(self, place: int, layer: Any, value: str) -> str:
        """Attention to the notes."""
        query = self._in_heads(self.graph.linear(value, layer.q.weight))
        return self._out(self.notes.attend(place, query), layer)

    def _feed(self, layer: Any, value: str) -> str:
        graph = self.graph
        kind, how = _ACTIVATIONS[self.config.dense_act_fn]
        if not self.config.is_gated_act:
            return graph.linear(graph.op(kind, graph.linear(value, layer.wi.weight), **how), layer.wo.weight)
        both = graph.linear(value, torch.cat([layer.wi_0.weight, layer.wi_1.weight]))
        gate, linear = graph.split("Split", both, count=2, axis=1, num_outputs=2)
        return graph.linear(graph.op("Mul", graph.op(kind, gate, **how), linear), layer.wo.weight)

    def _in_heads(self, value: str) -> str:
        shape = self.graph.whole(-1, self.config.num_heads, 1, self.config.d_kv)
        return self.graph.op("Reshape", value, shape)

    def _out(self, told: str, layer: Any) -> str:
        whole = self.graph.op("Reshape", told, self.graph.whole(-1, self.config.num_heads * self.config.d_kv))
        return self.graph.linear(whole, layer.o.weight)

    def _likeness(self, query: str, key: str) -> str:
        return self.graph.op("MatMul", query, self.graph.op("Transpose", key, perm=[0, 1, 3, 2]))

    def _last_apart(self, weights: str) -> tuple[str, str]:
        """The weights of what was written before, and that of the piece itself."""
        graph = self.graph
        last, end = graph.whole(-1), graph.whole(np.iinfo(np.int64).max)
        before = graph.op("Slice", weights, graph.whole(0), last, last)
        return before, graph.op("Slice", weights, last, end, last)


def distance_bias(backbone: T5Backbone, longest: int) -> Float[Tensor, "head distance"]:
    """The learned bias of what was written so many pieces ago, 0 to `longest`."""
    layer = backbone.model.decoder.block[0].layer[0].SelfAttention
    bucket = layer._relative_position_bucket(
        -torch.arange(longest + 1),
        bidirectional=False,
        num_buckets=layer.relative_attention_num_buckets,
        max_distance=layer.relative_attention_max_distance,
    )
    table: Tensor = layer.relative_attention_bias.weight.detach().float()[bucket]
    return table.T.contiguous()


def _must_be_drawable(config: Any) -> None:
    """Raises RunError for a decoder this graph does not know."""
    if config.dense_act_fn not in _ACTIVATIONS:
        raise RunError(
            "this decoder cannot be drawn as an ONNX graph",
            expected=f"an activation among {sorted(_ACTIVATIONS)}",
            found=repr(config.dense_act_fn),
            fix="write with transformers",
        )
