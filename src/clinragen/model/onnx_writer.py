"""Greedy writing with ONNX Runtime, text beside text: the same pieces as transformers, several times faster.

A library writes a batch until its longest text is done, over notes padded to the longest, and asks Python
for every layer of every piece. Here a step is one call, a text that is done makes room for the next one, and
notes of like length are written together.
"""

from collections.abc import Sequence
from typing import Any

import onnxruntime
import torch
from jaxtyping import Bool, Float, Int
from onnx import ModelProto
from torch import Tensor

from clinragen.model.onnx_desk import Desk, Read
from clinragen.model.onnx_export import step_graph
from clinragen.model.onnx_graph import Precision
from clinragen.model.onnx_reading import reading_graph
from clinragen.model.rules import Rule, forbid_others
from clinragen.model.t5 import T5Backbone

SEATS = 24
"""How many texts are written side by side; products of matrices like multiples of 12 rows."""


class OnnxWriter:
    """Writes as T5Backbone.write does without beams and at temperature 0.

    The weights are those of the moment: a student that learns on needs a new writer. In "fp32" texts are the
    same; with "short_notes" hardly any, in "int8" some differ. None depends on those written beside it.
    """

    def __init__(self, backbone: T5Backbone, precision: Precision = "fp32", seats: int = SEATS) -> None:
        self.backbone, self.seats = backbone, seats
        self.reader = _session(reading_graph(backbone, precision))
        self.stepper = _session(step_graph(backbone, seats, precision))

    @torch.no_grad()
    def write(
        self,
        context: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
        longest: int,
        rules: Sequence[Rule] = (),
    ) -> Int[Tensor, "batch piece"]:
        """Texts of at most `longest` pieces, the mark to begin first, padded; give it many stays."""
        config = self.backbone.model.config
        nothing = self._read(torch.zeros(1, self.backbone.width))
        desk = Desk(self.backbone, self.stepper, self.seats, longest, nothing)
        waiting = list(range(len(context)))[::-1]
        texts: dict[int, list[int]] = {}
        while waiting or desk.taken:
            while waiting and desk.free:
                stay = waiting.pop()
                desk.sit(stay, self._read(context[stay, mask[stay]]))
            _write_piece(desk, rules)
            for at, seat in list(desk.taken.items()):
                if seat.written[-1] == config.eos_token_id or len(seat.written) > longest:
                    texts[seat.stay] = desk.leave(at).written
        return _side_by_side([texts[stay] for stay in range(len(context))], config.pad_token_id)

    def _read(self, hidden: Float[Tensor, "place width"]) -> Read:
        """The keys and values of a note; masked places are left out, which changes nothing."""
        given = {"hidden": hidden.float().contiguous().numpy()}
        names = [each.name for each in self.reader.get_outputs()]
        found = map(torch.from_numpy, self.reader.run(names, given))
        return Read(**dict(zip(names, found, strict=True)))


def _write_piece(desk: Desk, rules: Sequence[Rule]) -> None:
    """One more piece at every seat, the likeliest that the rules allow."""
    scores = desk.step()
    for at, seat in desk.taken.items():
        for rule in rules:
            if allowed := rule.allowed(seat.stay, seat.written[1:]):
                forbid_others(scores[at], allowed)
    likeliest = scores.argmax(1).tolist()
    for at, seat in desk.taken.items():
        seat.written.append(likeliest[at])


def _session(model: ModelProto) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that spin while they wait rob whatever else runs: three times slower on a busy machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _side_by_side(texts: Sequence[Sequence[int]], fill: int) -> Int[Tensor, "batch piece"]:
    """Texts padded to the longest."""
    length = max(map(len, texts))
    return torch.tensor([[*text, *[fill] * (length - len(text))] for text in texts])
