"""Training: ours against the reference way, same weights and lessons, on two shapes.

The reference trains in fp32, pads every note to the longest, takes 12 stays a step and lets the library
compute the loss; it goes first, while the C library manages memory as it comes. Ours puts stays of like
length together within a budget of pieces, multiplies in bf16, keeps one pass over the scores of attention,
weighs words only where a target stands and holds on to memory. The shapes are those of Flan-T5-small and of
the demo; note lengths are uniform from 100 to 1,600 pieces, lessons invented: the target repeats pieces of
the note.

Prints samples a second of both, their ratio, the share of the measured peak of matrix products that ours
reaches, and the loss of both after the same number of samples.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration

from clinragen.distill.draw import draw
from clinragen.distill.memory import hold_memory
from clinragen.model.backbone import IGNORED
from clinragen.model.batch import Example
from clinragen.model.t5 import T5Backbone

SHORTEST, LONGEST, BATCH, PIECES = 100, 1600, 12, 7000
TARGET = (60, 200)
REFERENCE_STEPS = 1
CURVE_SAMPLES, CURVE_SEEDS = 1440, (0, 1)
SHAPES = {
    "Flan-T5-small": T5Config(
        vocab_size=32128, d_model=512, d_kv=64, d_ff=1024, num_layers=8, num_decoder_layers=8, num_heads=6,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, dropout_rate=0.0, pad_token_id=0,
        eos_token_id=1, decoder_start_token_id=0,
    ),
    "demo": T5Config(
        vocab_size=4000, d_model=192, d_kv=48, d_ff=384, num_layers=3, num_decoder_layers=3, num_heads=4,
        feed_forward_proj="relu", dropout_rate=0.0, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """One way to train: to what notes are padded (0: the longest there is), how products are taken."""

    padded: int
    precision: torch.dtype
    is_packed: bool


class Library(T5Backbone):
    """The library's own model, as it comes."""

    def __init__(self, model: T5ForConditionalGeneration) -> None:
        torch.nn.Module.__init__(self)
        self.model, self.writer = model, None


REFERENCE = Way(LONGEST, torch.float32, False)
OURS = Way(0, torch.bfloat16, True)


def lessons(count: int, vocabulary: int, seed: int, longest: int = LONGEST) -> list[Example]:
    """Lessons whose target is every tenth piece of the note."""
    rng = np.random.default_rng(seed)
    blank = np.zeros(1, dtype=np.float32)
    found = []
    for _ in range(count):
        note = rng.integers(3, vocabulary, rng.integers(SHORTEST, longest + 1))
        target = np.resize(note[::10], rng.integers(*TARGET))
        found.append(
            Example("", tuple(note), (), blank[None], blank.astype(int), blank, tuple(target), (), (), ())
        )
    return found


def padded(rows: Sequence[Sequence[int]], fill: int, longest: int) -> Tensor:
    """Rows side by side."""
    length = max(longest, *map(len, rows))
    return torch.tensor([[*row, *[fill] * (length - len(row))] for row in rows])


def loss_of(backbone: T5Backbone, shown: Sequence[Example], way: Way) -> Tensor:
    """The loss of one batch."""
    note = padded([each.note for each in shown], 0, way.padded)
    target = padded([each.target for each in shown], IGNORED, 0)
    mask = note != 0
    with torch.autocast("cpu", way.precision, enabled=way.precision is torch.bfloat16):
        if not way.is_packed:
            return backbone.model(input_ids=note, attention_mask=mask.long(), labels=target).loss
        hidden = backbone.encode(backbone.embedding(note), mask)
        return backbone.text_loss(hidden, mask, target)


def new(config: T5Config, way: Way) -> T5Backbone:
    """The same weights for both; the reference keeps the library's own attention."""
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(config).train()
    return T5Backbone(model) if way.is_packed else Library(model)


def train(backbone: T5Backbone, batches: Sequence[Sequence[Example]], way: Way) -> tuple[float, list[float]]:
    """Samples a second, and the loss of every step."""
    optimiser = torch.optim.AdamW(backbone.parameters(), lr=1e-3, fused=way.is_packed)
    count, told, begun = 0, [], time.perf_counter()
    for shown in batches:
        loss = loss_of(backbone, shown, way)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        told.append(float(loss.detach()))
        count += len(shown)
    return count / (time.perf_counter() - begun), told


def in_twelves(chosen: Sequence[Example], samples: int) -> list[list[Example]]:
    """Fixed batches, in the order given."""
    return [list(chosen[start : start + BATCH]) for start in range(0, samples, BATCH)]


def by_pieces(chosen: Sequence[Example], samples: int) -> list[list[Example]]:
    """Batches within the budget, until so many samples were shown."""
    found: list[list[Example]] = []
    while sum(map(len, found)) < samples:
        found.append([chosen[i] for i in draw(chosen, 0, [0], len(found), PIECES)])
    return found


def peak(dtype: torch.dtype, size: int = 2048, seconds: float = 2.0) -> float:
    """Multiplications and additions a second of a large matrix product."""
    a, b = torch.randn(size, size, dtype=dtype), torch.randn(size, size, dtype=dtype)
    a @ b
    count, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        a @ b
        count += 1
    return 2 * size**3 * count / spent


def work_of(config: T5Config, batches: Sequence[Sequence[Example]]) -> float:
    """Multiplications and additions of the products of a step, three times those of the way forward."""
    inner = config.num_heads * config.d_kv
    forward = 0.0
    width, ff = config.d_model, config.d_ff * (3 if config.is_gated_act else 2)
    for each in (example for batch in batches for example in batch):
        n, t = len(each.note), len(each.target)
        encoder = n * (8 * width * inner + 2 * width * ff) + 4 * n * n * inner
        cross = t * 4 * width * inner + n * 4 * width * inner + 4 * t * n * inner
        decoder = t * (8 * width * inner + 2 * width * ff) + 4 * t * t * inner + cross
        forward += config.num_layers * encoder + config.num_decoder_layers * decoder
        forward += 2 * t * width * config.vocab_size
    return 3 * forward


def speed_of_reference(config: T5Config) -> float:
    """Samples a second of the reference way."""
    chosen = lessons(60, config.vocab_size, 0)
    rate, _ = train(new(config, REFERENCE), in_twelves(chosen, BATCH * REFERENCE_STEPS), REFERENCE)
    return rate


def speed(name: str, config: T5Config, reference: float) -> None:
    """Print samples a second of both ways, and how near ours comes to the peak."""
    chosen = lessons(60, config.vocab_size, 0)
    batches = by_pieces(chosen, len(chosen))
    ours = new(config, OURS)
    train(ours, batches[:1], OURS)
    begun = time.perf_counter()
    rate, _ = train(ours, batches, OURS)
    spent = time.perf_counter() - begun
    share = work_of(config, batches) / spent / peak(torch.bfloat16)
    print(
        f"{name}: reference {reference:.3f} samples/s, ours {rate:.3f}: {rate / reference:.1f} times",
        flush=True,
    )
    print(f"  ours reaches {share:.0%} of the peak of a bf16 product, in products alone")


def curves() -> None:
    """Print the loss of both ways after the same samples, on the demo's shape with notes up to 200 pieces."""
    config = SHAPES["demo"]
    for seed in CURVE_SEEDS:
        chosen = lessons(CURVE_SAMPLES, 200, seed, 200)
        short = replace(REFERENCE, padded=200)
        plan = {"reference": (short, in_twelves(chosen, CURVE_SAMPLES)), "ours": (OURS, _cut(chosen))}
        told = {}
        for name, (way, batches) in plan.items():
            _, losses = train(new(config, way), batches, way)
            told[name] = float(np.mean(losses[-len(losses) // 4 :]))
        print(
            f"loss after {CURVE_SAMPLES} samples, seed {seed}: "
            + ", ".join(f"{k} {v:.3f}" for k, v in told.items())
        )


def _cut(chosen: Sequence[Example]) -> list[list[Example]]:
    """Batches of 12 on average, of like length."""
    pieces = round(BATCH * float(np.mean([len(each.note) + len(each.target) for each in chosen])))
    found: list[list[Example]] = []
    while sum(map(len, found)) < len(chosen):
        found.append([chosen[i] for i in draw(chosen, 0, [0], len(found), pieces)])
    return found


def main() -> None:
    """Print all."""
    torch.set_flush_denormal(True)
    references = {name: speed_of_reference(config) for name, config in SHAPES.items()}
    hold_memory()
    for name, config in SHAPES.items():
        speed(name, config, references[name])
    curves()


if __name__ == "__main__":
    main()
