"""Writing: ours against transformers, same weights and notes, on the shapes of Flan-T5-small and the demo.

Ours writes greedily with ONNX Runtime, texts side by side, each leaving when done (model/onnx_writer.py).
The references are transformers' generate over notes padded to the longest of their batch: with 2 beams and
16 notes at a time, greedily with 16 at a time (in the order given, and sorted by length as predict does), and
greedily one by one. Note lengths are uniform from 100 to 1,600 pieces; weights are random and hardly ever end
a text, so each text is ended after 60 to 150 pieces, drawn once, the same for all. Notes are read (encoded)
beforehand, which costs all ways the same; the time it takes is told.

Then many names are weighed for a note that is read once, against one reading for each.

Prints texts a second, how many times more ours writes, how near it comes to what memory gives, and how many
texts are the same; random weights repeat themselves, so that eight bits look better here than they are.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration

from bench_train import SHAPES, Library
from clinragen.model.onnx_graph import Precision
from clinragen.model.onnx_writer import SEATS, OnnxWriter
from clinragen.model.rules import Rule
from clinragen.model.t5 import T5Backbone

NOTES, BATCH, LONGEST = 64, 16, 160
NOTE, TEXT = (100, 1600), (60, 150)
COMPARED, WITH_BEAMS, ALONE = 32, 16, 8
WEIGHED, NAMES, NAME = 8, 26, 12
"""Notes for which names are weighed, how many, and the pieces of each."""
KINDS: dict[Precision, tuple[int, int]] = {"fp32": (4, 4), "short_notes": (4, 1), "int8": (1, 1)}
"""Bytes of a weight, and of a number that is kept of a note."""
TARGETS = {"2 beams": 5, "greedy, 16 in order": 3, "greedy, one by one": 8}
Write = Callable[[Sequence[int]], list[list[int]]]


class Ends(Rule):
    """Ends each text at its own length."""

    def __init__(self, lengths: Sequence[int], end: int) -> None:
        self.lengths, self.end, self.stays = lengths, end, len(lengths)

    def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
        """The end mark, once it is time."""
        return (self.end,) if len(written) + 1 >= self.lengths[stay] else ()


@dataclass
class Read:
    """Notes that were read, and how long the text of each is to be."""

    hidden: list[Tensor]
    lengths: list[int]

    def batch(self, chosen: Sequence[int]) -> tuple[Tensor, Tensor, Ends]:
        """Some of them, padded to the longest."""
        hidden = torch.nn.utils.rnn.pad_sequence([self.hidden[i] for i in chosen], batch_first=True)
        places = torch.tensor([len(self.hidden[i]) for i in chosen])
        mask = torch.arange(hidden.shape[1]) < places[:, None]
        return hidden, mask, Ends([self.lengths[i] for i in chosen], 1)


def read(backbone: T5Backbone, vocabulary: int) -> tuple[Read, float]:
    """Invented notes, and the seconds that reading one takes."""
    rng = np.random.default_rng(0)
    hidden, begun = [], time.perf_counter()
    for places in rng.integers(NOTE[0], NOTE[1] + 1, NOTES):
        note = torch.from_numpy(rng.integers(3, vocabulary, (1, places)))
        hidden.append(backbone.encode(backbone.embedding(note), note != 0)[0])
    spent = time.perf_counter() - begun
    return Read(hidden, rng.integers(TEXT[0], TEXT[1] + 1, NOTES).tolist()), spent / NOTES


def reference(backbone: T5Backbone, notes: Read, batch: int, beams: int) -> Write:
    """The generate of transformers."""

    def write(chosen: Sequence[int]) -> list[list[int]]:
        texts: list[list[int]] = []
        for start in range(0, len(chosen), batch):
            hidden, mask, ends = notes.batch(chosen[start : start + batch])
            texts += backbone.write(hidden, mask, LONGEST, beams=beams, rules=[ends]).tolist()
        return texts

    return write


def ours(writer: OnnxWriter, notes: Read) -> Write:
    """ONNX Runtime, all that are chosen in one call."""

    def write(chosen: Sequence[int]) -> list[list[int]]:
        hidden, mask, ends = notes.batch(chosen)
        return writer.write(hidden, mask, LONGEST, rules=[ends]).tolist()

    return write


def timed(write: Write, chosen: Sequence[int]) -> tuple[float, dict[int, list[int]]]:
    """Texts a second, and the texts without padding."""
    begun = time.perf_counter()
    texts = write(chosen)
    rate = len(chosen) / (time.perf_counter() - begun)
    return rate, {i: [piece for piece in text if piece] for i, text in zip(chosen, texts, strict=True)}


def bandwidth() -> float:
    """Bytes a second that are read from memory, the best of five."""
    block, best = torch.ones(2**26), 0.0
    for _ in range(5):
        begun = time.perf_counter()
        block.sum()
        best = max(best, block.nbytes / (time.perf_counter() - begun))
    return best


def weight_bytes(config: T5Config, size: int) -> int:
    """What a step reads of weights."""
    inner = config.num_heads * config.d_kv
    feed = config.d_ff * (3 if config.is_gated_act else 2)
    layer = config.d_model * (6 * inner + feed)
    return size * (config.num_decoder_layers * layer + config.d_model * config.vocab_size)


def note_bytes(config: T5Config, notes: Read, size: int) -> float:
    """What a step reads of a note on average: keys and values of all layers."""
    places = float(np.mean([len(each) for each in notes.hidden]))
    return places * 2 * size * config.num_decoder_layers * config.num_heads * config.d_kv


def tell_bound(config: T5Config, notes: Read, rates: dict[Precision, float]) -> None:
    """Print what memory would allow: weights once a step, every note once a step."""
    speed, pieces = bandwidth(), float(np.mean(notes.lengths))
    print(f"  memory is read at {speed / 1e9:.1f} GB/s")
    for name, (of_weight, of_note) in KINDS.items():
        weights, note = weight_bytes(config, of_weight), note_bytes(config, notes, of_note)
        step = (weights + SEATS * note) / speed
        bound = SEATS / step / pieces
        print(
            f"  {name}: weights {weights / 1e6:.0f} MB a step ({weights / speed * 1e3:.1f} ms), "
            f"{SEATS} notes {SEATS * note / 1e6:.0f} MB ({SEATS * note / speed * 1e3:.1f} ms): "
            f"at most {bound:.2f} texts/s; ours reaches {rates[name] / bound:.0%}"
        )


def listed(numbers: dict[Precision, float], form: str) -> str:
    """A number for each precision."""
    return ", ".join(f"{kind} {number:{form}}" for kind, number in numbers.items())


def speed(name: str, config: T5Config) -> None:
    """Print how fast all ways write, and how many texts are the same."""
    torch.manual_seed(0)
    backbone = Library(T5ForConditionalGeneration(config).eval())
    notes, reading = read(backbone, config.vocab_size)
    everything = list(range(NOTES))
    compared = everything[:COMPARED]
    in_size = sorted(compared, key=lambda i: len(notes.hidden[i]))
    writers = {kind: ours(OnnxWriter(backbone, kind), notes) for kind in KINDS}
    found = {kind: timed(write, everything) for kind, write in writers.items()}
    rates = {kind: rate for kind, (rate, _) in found.items()}
    print(f"{name}: ours {listed(rates, '.2f')} texts/s; reading takes {reading:.2f} s a note")
    tell_bound(config, notes, rates)
    weighing(T5Backbone(backbone.model), notes)
    plan = {
        "2 beams": (reference(backbone, notes, BATCH, 2), everything[:WITH_BEAMS]),
        "greedy, 16 in order": (reference(backbone, notes, BATCH, 1), compared),
        "greedy, 16 of like length": (reference(backbone, notes, BATCH, 1), in_size),
        "greedy, one by one": (reference(backbone, notes, 1, 1), everything[:ALONE]),
    }
    for way, (write, chosen) in plan.items():
        rate, texts = timed(write, chosen)
        target = f" (target {TARGETS[way]})" if way in TARGETS else ""
        print(
            f"  {way}: {rate:.3f} texts/s; times as fast{target}: "
            + listed({kind: each / rate for kind, each in rates.items()}, ".1f"),
            flush=True,
        )
        if way == "greedy, 16 in order":
            same = {kind: sum(texts[i] == said[i] for i in texts) for kind, (_, said) in found.items()}
            print(f"  same text as this, of {COMPARED}: {listed(same, '.0f')}")


def weighing(backbone: T5Backbone, notes: Read) -> None:
    """Print how much faster names are weighed when their note is read once, and how far both are apart."""
    rng, ways = np.random.default_rng(0), {"once": 0.0, "for every name": 0.0}
    apart = 0.0
    for hidden in notes.hidden[:WEIGHED]:
        context, mask = hidden[None], torch.ones(1, len(hidden)).bool()
        names = torch.from_numpy(rng.integers(3, 4000, (NAMES, NAME)))
        begun = time.perf_counter()
        once = backbone.likelihoods(context, mask, names)
        between = time.perf_counter()
        each = torch.cat([backbone.log_likelihood(context, mask, name[None]) for name in names])
        ways["once"] += between - begun
        ways["for every name"] += time.perf_counter() - between
        apart = max(apart, float((once - each).abs().max()))
    ratio = ways["for every name"] / ways["once"]
    print(f"  {NAMES} names weighed for a note read once: {ratio:.1f} times as fast, apart by {apart:.1e}")


@torch.no_grad()
def main() -> None:
    """Print all."""
    torch.set_flush_denormal(True)
    for name, config in SHAPES.items():
        speed(name, config)


if __name__ == "__main__":
    main()
