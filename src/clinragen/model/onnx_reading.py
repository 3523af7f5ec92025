"""What is kept of a note, and how a step attends to it: keys and values, in full or in eight bits.

Most of what a step reads from memory is notes, not weights. In eight bits a key and a value has a scale for
each of its numbers, taken over the note; the scale of keys is put into the query. Weights of attention are
rounded to 255 steps of the largest.
"""

from typing import Any

import numpy as np
import torch
from onnx import ModelProto, TensorProto

from clinragen.model.onnx_graph import Axes, Graph, Precision
from clinragen.model.t5 import T5Backbone


def reading_graph(backbone: T5Backbone, precision: Precision = "fp32") -> ModelProto:
    """From hidden [place, width], the keys and values of all layers.

    Gives key and value, each [layer, 1, head, place, size]; in eight bits key is [.., size, place] and
    there is scale [layer, 2, 1, head, 1, size], that of keys before that of values.
    """
    config = backbone.model.config
    layers = [block.layer[1].EncDecAttention for block in backbone.model.decoder.block]
    graph = Graph(precision)
    told = graph.linear(
        graph.input("hidden", ["place", config.d_model]),
        torch.cat([part.weight for layer in layers for part in (layer.k, layer.v)]),
    )
    shape = graph.whole(-1, len(layers), 2, 1, config.num_heads, config.d_kv)
    told = graph.op("Transpose", graph.op("Reshape", told, shape), perm=[1, 2, 3, 4, 0, 5])
    if precision != "fp32":
        scale = graph.step_of(told, axis=-2)
        graph.output(scale, "scale", [len(layers), 2, 1, config.num_heads, 1, config.d_kv])
        told = graph.rounded(told, scale)
    key, value = (
        graph.op("Squeeze", part, graph.whole(1))
        for part in graph.split("Split", told, count=2, axis=1, num_outputs=2)
    )
    kind, rows = TensorProto.FLOAT, ["place", config.d_kv]
    shape_of_key = rows
    if precision != "fp32":
        kind, shape_of_key = TensorProto.UINT8, rows[::-1]
        key = graph.op("Transpose", key, perm=[0, 1, 2, 4, 3])
    graph.output(key, "key", [len(layers), 1, config.num_heads, *shape_of_key], kind)
    graph.output(value, "value", [len(layers), 1, config.num_heads, *rows], kind)
    return graph.model()


class Notes:
    """Draws attention to the notes of all seats: each where it lies, at its own length."""

    def __init__(self, graph: Graph, config: Any, seats: int) -> None:
        self.graph, self.config, self.seats = graph, config, seats

    def attend(self, layer: int, query: str) -> str:
        """From query [seat, head, 1, size], what was found, of the same shape."""
        return (self._in_full if self.graph.precision == "fp32" else self._in_short)(layer, query)

    def _in_full(self, layer: int, query: str) -> str:
        graph, told = self.graph, []
        for seat, asked in enumerate(self._by_seat(query)):
            key, value = self._memory(layer, seat)
            likeness = graph.op("MatMul", asked, graph.op("Transpose", key, perm=[0, 1, 3, 2]))
            weights = graph.op("Softmax", likeness, axis=-1)
            told.append(graph.op("MatMul", weights, value))
        return graph.op("Concat", *told, axis=0)

    def _in_short(self, layer: int, query: str) -> str:
        graph = self.graph
        shape: Axes = [self.seats, self.config.num_heads, 1, self.config.d_kv]
        key_scale, value_scale = (graph.input(f"{part}_scale_{layer}", shape) for part in ("key", "value"))
        query = graph.op("Mul", query, key_scale)
        step = graph.step_of(query, axis=-1)
        steps = self._by_seat(graph.op("Reshape", step, graph.whole(-1)))
        told, largest = [], []
        for seat, asked in enumerate(self._by_seat(graph.rounded(query, step))):
            key, value = self._memory(layer, seat)
            scores = graph.op("MatMulInteger", asked, key, graph.middle, graph.middle)
            weights = graph.op("Softmax", graph.op("DequantizeLinear", scores, steps[seat], axis=1), axis=-1)
            most = graph.op("ReduceMax", weights, self.graph.whole(0, 2, 3), keepdims=0)
            largest.append(graph.op("Mul", most, graph.floats(1 / np.iinfo(np.uint8).max)))
            none = graph.constant(np.zeros(self.config.num_heads, dtype=np.uint8))
            short = graph.op("QuantizeLinear", weights, largest[-1], none, axis=1)
            nothing = graph.constant(np.array(0, dtype=np.uint8))
            told.append(graph.op("MatMulInteger", short, value, nothing, graph.middle))
        found = graph.op("Cast", graph.op("Concat", *told, axis=0), to=TensorProto.FLOAT)
        heads = graph.whole(-1, self.config.num_heads, 1, 1)
        scale = graph.op("Reshape", graph.op("Concat", *largest, axis=0), heads)
        return graph.op("Mul", graph.op("Mul", found, scale), value_scale)

    def _by_seat(self, value: str) -> list[str]:
        return self.graph.split("Split", value, count=self.seats, axis=0, num_outputs=self.seats)

    def _memory(self, layer: int, seat: int) -> tuple[str, str]:
        is_full = self.graph.precision == "fp32"
        kind = TensorProto.FLOAT if is_full else TensorProto.UINT8
        rows: Axes = [f"place_{seat}", self.config.d_kv]
        head: Axes = [1, self.config.num_heads]
        key = self.graph.input(f"read_key_{layer}_{seat}", [*head, *(rows if is_full else rows[::-1])], kind)
        return key, self.graph.input(f"read_value_{layer}_{seat}", [*head, *rows], kind)
