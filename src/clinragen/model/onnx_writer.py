"""Writing with ONNX Runtime: greedy, many texts at once; a finished one leaves and a waiting one enters.

The texts are those of the library's greedy search (in fp32; weights of 8 bits change a few). Rows share
one clock: a text that enters later has no places before its entry, which its bias tells.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clinragen.errors import RunError
from clinragen.model.onnx_step import READ, WRITTEN, export_step, names_of, relative_bias
from clinragen.model.rules import Rule

SLOTS = 16
"""Texts written at once."""
NOWHERE = -1e9
"""Added to the score of a place that a row does not have."""
LEFT_BEHIND = 64
"""So many places before the entry of every row are dropped at once."""
WORTH_NARROWING = 0.85
"""The memory of notes is cut where the longest one left needs less than this share of it."""
Weights = Literal["fp32", "int8"]


@dataclass(slots=True)
class _Row:
    """A text being written in a slot: whose it is, when it entered, and what it says so far."""

    stay: int
    entered: int
    written: list[int] = field(default_factory=list)


class OnnxWriter:
    """Writes what a T5 would; made once for weights that no longer change."""

    def __init__(self, model: Any, weights: Weights = "fp32", threads: int = 0) -> None:
        self.model = model
        self.start, self.end = model.config.decoder_start_token_id, model.config.eos_token_id
        self.layers = len(model.decoder.block)
        self.session = _session(model, weights, threads)

    def write(
        self,
        context: Float[Tensor, "stay place width"],
        mask: Bool[Tensor, "stay place"],
        longest: int,
        rules: Sequence[Rule] = (),
        lengths: Sequence[int] | None = None,
    ) -> Int[Tensor, "stay piece"]:
        """Greedy texts with their begin mark, padded to the longest; `lengths` may limit each."""
        limits = list(lengths or [longest] * len(context))
        batch = _Slots(self, context.float(), mask, rules, limits)
        for _ in batch:
            pass
        return _padded([[self.start, *text] for text in batch.texts], self.model.config.pad_token_id)


class _Slots:
    """The rows at work, their memory, and the texts that are done."""

    def __init__(
        self,
        writer: OnnxWriter,
        context: Float[Tensor, "stay place width"],
        mask: Bool[Tensor, "stay place"],
        rules: Sequence[Rule],
        limits: list[int],
    ) -> None:
        self.writer, self.context, self.mask, self.rules, self.limits = writer, context, mask, rules, limits
        self.texts: list[list[int]] = [[] for _ in limits]
        config = writer.model.config
        self.heads, self.width = config.num_heads, config.d_kv
        self.places = mask.sum(1).tolist()
        self.waiting = sorted(range(len(limits)), key=lambda stay: self.places[stay])
        self.rows: list[_Row] = []
        self.clock = 0
        self.far = relative_bias(writer.model, sum(limits) + 1).numpy()
        self.read = self._empty(min(SLOTS, len(limits)), context.shape[1])
        self.read_mask = np.full((min(SLOTS, len(limits)), context.shape[1]), NOWHERE, np.float32)
        self.written = self._empty(min(SLOTS, len(limits)), 0)
        while self.waiting and len(self.rows) < SLOTS:
            self._enter(len(self.rows), self.waiting.pop())

    def __iter__(self) -> Iterator[None]:
        while self.rows:
            self._step()
            self._leave()
            yield

    def _empty(self, rows: int, places: int) -> list[Float[np.ndarray, "..."]]:
        keys = (rows, self.heads, self.width, places)
        values = (rows, self.heads, places, self.width)
        return [np.zeros(shape, np.float32) for _ in range(self.writer.layers) for shape in (keys, values)]

    @torch.no_grad()
    def _enter(self, slot: int, stay: int) -> None:
        """Read what a text is written from into the memory of a slot."""
        row = _Row(stay, self.clock)
        self.rows[slot:] = [row, *self.rows[slot + 1 :]]
        held = self.mask[stay]
        vectors = self.context[stay][held]
        self.read_mask[slot] = NOWHERE
        self.read_mask[slot, : len(vectors)] = 0.0
        for layer, block in enumerate(self.writer.model.decoder.block):
            attention = block.layer[1].EncDecAttention
            keys = attention.k(vectors).view(-1, self.heads, self.width).permute(1, 2, 0)
            values = attention.v(vectors).view(-1, self.heads, self.width).transpose(0, 1)
            self.read[2 * layer][slot, :, :, : len(vectors)] = keys.numpy()
            self.read[2 * layer + 1][slot, :, : len(vectors)] = values.numpy()

    def _step(self) -> None:
        """One piece for every row."""
        names = names_of(self.writer.layers, (*WRITTEN, *READ))
        paired = zip(*[iter(self.written)] * 2, *[iter(self.read)] * 2, strict=True)
        memory = [array for layer in paired for array in layer]
        last = [row.written[-1] if row.written else self.writer.start for row in self.rows]
        given = {"piece": np.array(last), "bias": self._bias(), "read_mask": self.read_mask}
        scores, *self.written = self.writer.session.run(None, given | dict(zip(names, memory, strict=True)))
        for row, of_row in zip(self.rows, scores, strict=True):
            row.written.append(self._choice(row, of_row))
        self.clock += 1

    def _bias(self) -> Float[np.ndarray, "row head place"]:
        """Relative positions up to now; the memory begins where the oldest row does, at the earliest."""
        places = self.written[0].shape[-1] + 1
        first = self.clock + 1 - places
        entered = np.array([row.entered for row in self.rows])[:, None, None]
        bias = np.broadcast_to(self.far[None, :, places - 1 :: -1], (len(self.rows), self.heads, places))
        before = np.arange(first, first + places)[None, None] < entered
        return np.where(before, np.float32(NOWHERE), bias).astype(np.float32)

    def _choice(self, row: _Row, scores: Float[np.ndarray, " word"]) -> int:
        """The likeliest piece that every rule allows."""
        for rule in self.rules:
            if allowed := rule.allowed(row.stay, row.written):
                kept = list(allowed)
                limited = np.full_like(scores, -np.inf)
                limited[kept] = scores[kept] if len(kept) > 1 else 0.0
                scores = limited
        return int(scores.argmax())

    def _leave(self) -> None:
        """Let finished texts go, waiting ones in, and drop slots that nobody needs."""
        for slot, row in enumerate(self.rows):
            if row.written[-1] == self.writer.end or len(row.written) >= self.limits[row.stay]:
                self.texts[row.stay] = row.written
                if self.waiting:
                    self._enter(slot, self.waiting.pop())
        kept = [slot for slot, row in enumerate(self.rows) if self.texts[row.stay] is not row.written]
        if len(kept) < len(self.rows):
            self.rows = [self.rows[slot] for slot in kept]
            self.read_mask = self.read_mask[kept]
            self.read, self.written = ([array[kept] for array in both] for both in (self.read, self.written))
        self._forget()
        self._narrow()

    def _forget(self) -> None:
        """Drop the places before the entry of every row, when they are many."""
        if not self.rows:
            return
        places = self.written[0].shape[-1]
        useless = min(row.entered for row in self.rows) - (self.clock - places)
        if useless >= LEFT_BEHIND:
            self.written = [
                np.ascontiguousarray(array[..., useless:] if place % 2 == 0 else array[:, :, useless:])
                for place, array in enumerate(self.written)
            ]

    def _narrow(self) -> None:
        """Give back what no note still needs: the longest were read first."""
        stays = [*(row.stay for row in self.rows), *self.waiting]
        needed = max((self.places[stay] for stay in stays), default=0)
        if needed and needed < WORTH_NARROWING * self.read_mask.shape[1]:
            self.read_mask = np.ascontiguousarray(self.read_mask[:, :needed])
            self.read = [
                np.ascontiguousarray(array[..., :needed] if place % 2 == 0 else array[:, :, :needed])
                for place, array in enumerate(self.read)
            ]


def _session(model: Any, weights: Weights, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise RunError("writing with ONNX needs onnxruntime", fix='pip install "clinragen[fast]"') from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step.onnx"
        export_step(model, path)
        if weights == "int8":
            path = _quantised(path)
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _quantised(path: Path) -> Path:
    """The same graph with the weights of its products in 8 bits."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = path.with_name("step8.onnx")
    quantize_dynamic(
        path, small, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"], per_channel=True,
        extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    return small


def _padded(texts: list[list[int]], pad: int) -> Int[Tensor, "stay piece"]:
    longest = max(map(len, texts))
    return torch.tensor([[*text, *[pad] * (longest - len(text))] for text in texts])
