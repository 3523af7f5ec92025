"""A pretrained decoder-only student on a CPU: its words trimmed, its record read once a step.

The shape is that of Gemma 3 270M (262,144 words, 63% of its weights), the weights are random, adapters of
rank 16 learn, products are in bf16. The reference keeps all words and reads the record twice a step, for the
head and for the text. Notes and texts are as long as the simulated hospital's.

Prints seconds a step and a written text of each way, the ratio to the reference, and the loss of each way.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from clinragen.distill.memory import hold_memory
from clinragen.model.backbones import with_adapters
from clinragen.model.causal import CausalBackbone
from clinragen.recipe import Model

WORDS, KEPT = 262_144, 4_743
STAYS, NOTE, BESIDE, TEXT = 4, 120, 25, 100
WRITTEN = 32
STEPS = 3


def backbone() -> CausalBackbone:
    """The shape of Gemma 3 270M with random weights and adapters."""
    config = Gemma3TextConfig(
        vocab_size=WORDS, hidden_size=640, intermediate_size=2048, num_hidden_layers=18, head_dim=256,
        num_attention_heads=4, num_key_value_heads=1, sliding_window=512,
        pad_token_id=0, eos_token_id=1, bos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    return CausalBackbone(Gemma3ForCausalLM(config).train(), start=2, end=1)


def loss_of(student: CausalBackbone, is_once: bool) -> Tensor:
    """What a step's loss is made of: the head's reading of the record, and the text that follows it."""
    rng = torch.Generator().manual_seed(0)
    note = torch.randint(3, KEPT, (STAYS, NOTE), generator=rng)
    text = torch.randint(3, KEPT, (STAYS, TEXT), generator=rng)
    beside = torch.randn(STAYS, BESIDE, student.width, generator=rng)
    memory = student.memory() if is_once else None
    with torch.autocast("cpu", torch.bfloat16):
        vectors, mask = student.embedding(note), torch.ones(STAYS, NOTE).bool()
        head = student.encode(vectors, mask, memory).square().mean()
        context = torch.cat([vectors, beside], dim=1)
        whole = torch.cat([mask, torch.ones(STAYS, BESIDE).bool()], dim=1)
        return head + student.text_loss(context, whole, text, memory)


def step(student: CausalBackbone, is_once: bool) -> float:
    """One step forward and back."""
    student.zero_grad()
    loss = loss_of(student, is_once)
    loss.backward()
    return float(loss.detach())


@torch.no_grad()
def write(student: CausalBackbone) -> None:
    """Write short texts for all stays."""
    vectors = student.embedding(torch.arange(3, 3 + NOTE).expand(STAYS, -1))
    student.write(vectors, torch.ones(STAYS, NOTE).bool(), WRITTEN)


def seconds(act: Callable[[], object]) -> float:
    """The shortest of some tries, after one that is not counted."""
    act()
    spent = []
    for _ in range(STEPS):
        begun = time.perf_counter()
        act()
        spent.append(time.perf_counter() - begun)
    return min(spent)


def main() -> None:
    """Time all four ways, the reference first."""
    hold_memory()
    settings = Model(lora_rank=16)
    reference: dict[str, float] = {}
    for words in (WORDS, KEPT):
        student = backbone()
        if words < WORDS:
            student.keep(range(words))
        student = with_adapters(student, settings)
        for is_once in (False, True):
            spent, loss = seconds(lambda: step(student, is_once)), step(student, is_once)  # noqa: B023
            ratio = reference.setdefault("step", spent) / spent
            told = "once" if is_once else "twice"
            print(f"{words} words, read {told}: {spent:.2f} s a step, {ratio:.1f} times, loss {loss:.3f}")
        spent = seconds(lambda: write(student)) / STAYS  # noqa: B023
        ratio = reference.setdefault("text", spent) / spent
        print(f"{words} words: {spent:.2f} s a text of {WRITTEN} pieces, {ratio:.1f} times", flush=True)


if __name__ == "__main__":
    main()
