"""The seats at which texts are written side by side: a text that is done leaves, a waiting one sits down.

What was read of a note stays where it was put, at the note's own length: nothing is padded or copied. What
is written lies in one block for all seats, which grows with the texts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from clinragen.model.onnx_export import distance_bias
from clinragen.model.t5 import T5Backbone

GROWTH = 32
"""By how many pieces the room for texts grows."""
NEVER = torch.finfo(torch.float32).min

_KINDS = {torch.long: np.int64, torch.float32: np.float32, torch.uint8: np.uint8}


@dataclass(frozen=True)
class Read:
    """The keys and values of a note in all layers, and the scales of both where they are in eight bits.

    Keys are [place, size], in eight bits [size, place]: as their products are fastest.
    """

    key: Shaped[Tensor, "layer one head _ _"]
    value: Shaped[Tensor, "layer one head place size"]
    scale: Float[Tensor, "layer two one head one size"] | None = None


@dataclass
class Seat:
    """One text under way: whose, what was written (the mark to begin first), what was read of the note."""

    stay: int
    written: list[int]
    read: Read


class Desk:
    """Seats, and the step that writes one more piece at each.

    `session` runs the graph of one step; a free seat looks at `nothing`, a note of one place.
    """

    def __init__(self, backbone: T5Backbone, session: Any, seats: int, longest: int, nothing: Read) -> None:
        self.config, self.longest = backbone.model.config, longest
        self.session, self.binding = session, session.io_binding()
        self.distances = distance_bias(backbone, longest)
        self.taken: dict[int, Seat] = {}
        self.free = list(range(seats))
        self.piece = torch.zeros(seats, dtype=torch.long)
        self.scores = torch.zeros(seats, self.config.vocab_size)
        self.new = self._block(seats, 1)
        self.own = self._block(seats, min(GROWTH, longest))
        self.scale = self._block(seats, 1)
        self.nothing = nothing
        for seat in self.free:
            self._bind_read(seat, nothing)
        self._bind_all()

    def sit(self, stay: int, read: Read) -> None:
        """Begin the text of a stay whose note's keys and values are given."""
        seat = self.free.pop()
        self.taken[seat] = Seat(stay, [self.config.decoder_start_token_id], read)
        if read.scale is not None:
            self.scale[:, :, seat] = read.scale[:, :, 0]
        self._bind_read(seat, read)

    def leave(self, seat: int) -> Seat:
        """A text is done."""
        self.free.append(seat)
        self._bind_read(seat, self.nothing)
        return self.taken.pop(seat)

    def step(self) -> Float[Tensor, "seat word"]:
        """The scores of the next piece at every seat; those of a free seat mean nothing."""
        places = list(self.taken)
        done = torch.zeros(len(self.piece), dtype=torch.long)
        done[places] = torch.tensor([len(self.taken[seat].written) - 1 for seat in places])
        self.piece[places] = torch.tensor([self.taken[seat].written[-1] for seat in places])
        if done.max() >= self.own.shape[4]:
            self._grow()
        self._set_bias(done)
        self.session.run_with_iobinding(self.binding)
        seats = torch.arange(len(done))
        self.own[:, :, seats, :, done] = self.new[..., 0, :].permute(2, 0, 1, 3, 4)
        return self.scores

    def _grow(self) -> None:
        """More room for texts."""
        kept = self.own
        self.own = self._block(kept.shape[2], min(kept.shape[4] + GROWTH, self.longest))
        self.own[..., : kept.shape[4], :] = kept
        self._bind_all()

    def _set_bias(self, done: Tensor) -> None:
        """How far back each place lies; what is not yet written is never looked at."""
        distance = done[:, None] - torch.arange(self.own.shape[4])
        bias = self.distances[:, distance.clamp(min=0)].masked_fill(distance <= 0, NEVER)
        self.bias[:, :, 0, :-1] = bias.transpose(0, 1)

    def _block(self, seats: int, length: int) -> Tensor:
        config = self.config
        return torch.zeros(config.num_decoder_layers, 2, seats, config.num_heads, length, config.d_kv)

    def _bind_all(self) -> None:
        """Tell the graph where everything but the notes lies."""
        seats, past = len(self.piece), self.own.shape[4]
        self.bias = (
            self.distances[:, :1, None].expand(-1, seats, past + 1).transpose(0, 1)[:, :, None].clone()
        )
        self._give("piece", self.piece)
        self._give("bias", self.bias)
        self._take("scores", self.scores)
        for layer in range(self.config.num_decoder_layers):
            for part, name in enumerate(("key", "value")):
                self._give(f"own_{name}_{layer}", self.own[layer, part])
                if self.nothing.scale is not None:
                    self._give(f"{name}_scale_{layer}", self.scale[layer, part])
                self._take(f"new_{name}_{layer}", self.new[layer, part])

    def _bind_read(self, seat: int, read: Read) -> None:
        for layer in range(self.config.num_decoder_layers):
            self._give(f"read_key_{layer}_{seat}", read.key[layer])
            self._give(f"read_value_{layer}_{seat}", read.value[layer])

    def _give(self, name: str, block: Tensor) -> None:
        self.binding.bind_input(name, "cpu", 0, _KINDS[block.dtype], tuple(block.shape), block.data_ptr())

    def _take(self, name: str, block: Tensor) -> None:
        self.binding.bind_output(name, "cpu", 0, np.float32, tuple(block.shape), block.data_ptr())
