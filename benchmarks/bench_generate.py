"""Writing: ours against the library, same weights and records, on two shapes.

Contexts of 100 to 1,600 places; each text ends at a length drawn from 60 to 150 pieces, for weights are random
and never end by themselves. The reference is the library's generate with 2 beams on padded batches; its greedy
search at batch 16 and batch 1 stands beside it. Every way reads (encodes) its records too.

Prints rationales a second and ratios, whether fp32 texts are the library's greedy ones, how many stay the
same with weights of 8 bits, and the bound that the memory's speed sets at batch 1.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import T5ForConditionalGeneration

from bench_train import SHAPES
from clinragen.model.onnx_writer import OnnxWriter
from clinragen.model.rules import Rule
from clinragen.model.t5 import T5Backbone

RECORDS, ALONE, BATCH = 32, 4, 16
PLACES, TEXT = (100, 1600), (60, 150)
REFERENCE, GREEDY, GREEDY_ALONE = "library with 2 beams", "library greedy", "library greedy at batch 1"
Texts = dict[int, list[int]]
Write = Callable[[Tensor, Tensor, int, list[Rule]], Tensor]


class EndsAt(Rule):
    """Each text ends where it is told to, at the latest."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths, self.stays = list(lengths), len(lengths)

    def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
        """The end mark when it is due."""
        return [1] if len(written) >= self.lengths[stay] - 1 else ()


def records(vocabulary: int, count: int) -> list[list[int]]:
    """Invented notes, lengths uniform."""
    rng = np.random.default_rng(7)
    lengths = np.linspace(*PLACES, count).astype(int)
    return [rng.integers(2, vocabulary, length).tolist() for length in rng.permutation(lengths)]


def lengths_of(count: int) -> list[int]:
    """How long each text is."""
    return np.random.default_rng(9).integers(*TEXT, count).tolist()


@torch.no_grad()
def told(
    backbone: T5Backbone, notes: list[list[int]], batch: int, in_order: bool, write: Write
) -> tuple[Texts, float]:
    """The texts of all notes by place, and the seconds they took."""
    lengths = lengths_of(len(notes))
    order = sorted(range(len(notes)), key=lambda i: len(notes[i])) if in_order else list(range(len(notes)))
    texts: Texts = {}
    began = time.perf_counter()
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        contexts, mask = read(backbone, [notes[i] for i in chosen], in_order)
        rule = EndsAt([lengths[i] for i in chosen])
        written = write(contexts, mask, max(TEXT), [rule])
        texts |= {i: row[1 : row.index(1) + 1] for i, row in zip(chosen, written.tolist(), strict=True)}
    return texts, time.perf_counter() - began


def read(backbone: T5Backbone, notes: list[list[int]], in_parts: bool) -> tuple[Tensor, Tensor]:
    """Encode a batch; ours eight of like length at a time."""
    longest = max(map(len, notes))
    size = 8 if in_parts else len(notes)
    contexts = torch.zeros(len(notes), longest, backbone.width)
    mask = torch.arange(longest)[None] < torch.tensor([len(note) for note in notes])[:, None]
    for start in range(0, len(notes), size):
        part = notes[start : start + size]
        width = max(map(len, part))
        ids = torch.tensor([[*note, *[0] * (width - len(note))] for note in part])
        found = backbone.encode(backbone.embedding(ids), mask[start : start + size, :width])
        contexts[start : start + size, :width] = found
    return contexts, mask


def by_library(backbone: T5Backbone, beams: int) -> Write:
    """The library's generate."""
    return lambda context, mask, longest, rules: backbone.write(context, mask, longest, beams, rules)


def memory_speed() -> float:
    """Bytes a second that this machine reads from memory."""
    block = torch.ones(1 << 27)
    block.sum()
    began = time.perf_counter()
    for _ in range(5):
        block.sum()
    return 5 * block.numel() * 4 / (time.perf_counter() - began)


def main() -> None:
    """Run both shapes."""
    for name, config in SHAPES.items():
        torch.manual_seed(0)
        backbone = T5Backbone(T5ForConditionalGeneration(config).eval())
        notes = records(config.vocab_size, RECORDS)
        exact, small = OnnxWriter(backbone.model), OnnxWriter(backbone.model, "int8")
        ways: dict[str, tuple[int, bool, Write, int]] = {
            REFERENCE: (BATCH, False, by_library(backbone, 2), RECORDS),
            GREEDY: (BATCH, False, by_library(backbone, 1), RECORDS),
            "ours, fp32": (RECORDS, True, exact.write, RECORDS),
            "ours, 8 bits": (RECORDS, True, small.write, RECORDS),
            GREEDY_ALONE: (1, False, by_library(backbone, 1), ALONE),
            "ours, fp32, batch 1": (1, True, exact.write, ALONE),
            "ours, 8 bits, batch 1": (1, True, small.write, ALONE),
        }
        print(f"\n{name}")
        rates, texts = {}, {}
        for way, (batch, in_order, write, count) in ways.items():
            texts[way], seconds = told(backbone, notes[:count], batch, in_order, write)
            rates[way] = count / seconds
            print(f"  {way:40} {rates[way]:7.3f} rationales/s")
        greedy = texts[GREEDY]
        for way in ("ours, fp32", "ours, 8 bits"):
            same = sum(texts[way][i] == greedy[i] for i in greedy)
            beaten = [
                f"{rates[ours] / rates[theirs]:.1f} x {theirs}"
                for ours, theirs in ((way, REFERENCE), (way, GREEDY), (f"{way}, batch 1", f"{GREEDY_ALONE}"))
            ]
            print(f"  {way}: {'; '.join(beaten)}; {same} of {len(greedy)} texts the same as greedy")
        print(f"  memory allows {memory_speed() / (4 * decoder_weights(backbone)):.0f} fp32 steps a second at batch 1; "
              f"ours takes {rates['ours, fp32, batch 1'] * np.mean(lengths_of(ALONE)):.0f}, reading included")  # fmt: skip


def decoder_weights(backbone: T5Backbone) -> int:
    """How many weights a step reads."""
    decoder = sum(p.numel() for p in backbone.model.decoder.parameters())
    return int(decoder - backbone.embedding.weight.numel() + backbone.model.lm_head.weight.numel())


if __name__ == "__main__":
    main()
