"""Drawing ONNX graphs by hand: every node in its place, weights shared or in eight bits.

A graph drawn node by node needs no tracing exporter, whose graph changes with the library's version, and
says which products are taken in eight bits.
"""

from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor

Precision = Literal["fp32", "short_notes", "int8"]
"""All in full; what is kept of notes in eight bits; these and the weights in eight bits."""
Axes = list[int | str]
OPSET, IR_VERSION = 21, 10
MIDDLE, REACH, TINY = 128, 127, 1e-12


class Graph:
    """A graph under construction; `op` adds a node and gives the name of what it computes."""

    def __init__(self, precision: Precision = "fp32") -> None:
        self.precision = precision
        self.nodes: list[Any] = []
        self.weights: dict[str, Any] = {}
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One node with one output."""
        return self.split(kind, *inputs, count=1, **attributes)[0]

    def split(self, kind: str, *inputs: str, count: int, **attributes: Any) -> list[str]:
        """One node with several outputs."""
        names = [f"v{len(self.nodes)}.{i}" for i in range(count)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def constant(self, value: NDArray[Any]) -> str:
        """A weight; equal ones are kept once."""
        value = np.ascontiguousarray(value)
        name = f"w{hash((value.dtype.str, value.shape, value.tobytes())):x}"
        self.weights.setdefault(name, numpy_helper.from_array(value, name))
        return name

    def floats(self, *values: float) -> str:
        """A small constant of numbers; a scalar if there is one."""
        return self.constant(np.array(values if len(values) > 1 else values[0], dtype=np.float32))

    def whole(self, *values: int) -> str:
        """A list of whole numbers: a shape, axes, lengths."""
        return self.constant(np.array(values, dtype=np.int64))

    def input(self, name: str, shape: Axes, kind: int = TensorProto.FLOAT) -> str:
        """What is fed in; names in the shape are free lengths."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, value: str, name: str, shape: Axes, kind: int = TensorProto.FLOAT) -> None:
        """What is handed out."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def linear(self, value: str, weight: Float[Tensor, "out in"]) -> str:
        """The product with the weights of a layer without bias."""
        if self.precision != "int8":
            return self.op("MatMul", value, self.constant(_numbers(weight).T))
        return self._linear_int8(value, _numbers(weight))

    def _linear_int8(self, value: str, weight: NDArray[np.float32]) -> str:
        """The same in eight bits: a scale for each output, and one for each row that is fed in.

        With a scale for the whole input, what is written for one stay would depend on those beside it.
        """
        steps = np.maximum(np.abs(weight).max(1, keepdims=True), TINY) / REACH
        kept = self.constant(np.round(weight / steps).astype(np.int8).T)
        step = self.step_of(value, axis=-1)
        product = self.op("MatMulInteger", self.rounded(value, step), kept, self.middle)
        product = self.op("Cast", product, to=TensorProto.FLOAT)
        return self.op("Mul", self.op("Mul", product, self.constant(steps.T)), step)

    @property
    def middle(self) -> str:
        """The eight bits that stand for zero."""
        return self.constant(np.array(MIDDLE, dtype=np.uint8))

    def step_of(self, value: str, axis: int) -> str:
        """How much one step of eight bits is worth, so that the largest along the axis can be told."""
        largest = self.op("ReduceMax", self.op("Abs", value), self.whole(axis))
        return self.op("Mul", self.op("Max", largest, self.floats(TINY)), self.floats(1 / REACH))

    def rounded(self, value: str, step: str) -> str:
        """In steps, from MIDDLE - REACH to MIDDLE + REACH."""
        return self.op("QuantizeLinear", self.op("Div", value, step), self.floats(1.0), self.middle)

    def model(self) -> ModelProto:
        """The finished graph."""
        graph = helper.make_graph(
            self.nodes, "clinragen", self.inputs, self.outputs, list(self.weights.values())
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _numbers(weight: Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = weight.detach().float().cpu().numpy()
    return found
