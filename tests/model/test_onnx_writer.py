from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration

from clinragen.clinical.answer import answer_of
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.errors import RunError
from clinragen.model.answering import JudgedAnswer, ReadableAnswer
from clinragen.model.once import EachSentenceOnce
from clinragen.model.rules import Rule
from clinragen.model.t5 import T5Backbone, untie_head
from clinragen.model.text import train_tokenizer

pytest.importorskip("onnxruntime")
from clinragen.model.onnx_graph import Precision
from clinragen.model.onnx_writer import OnnxWriter

LONGEST = 45
"""More than one growth of the room for texts."""
STAYS, PLACES = 7, 20
TEXTS = [f"{answer_of([name])} Note: Mottled knees. Series: Lactate is high." for name in diagnosis_names()]
TOKENIZER = train_tokenizer([*TEXTS, answer_of([]), answer_of(diagnosis_names())] * 2, 600, diagnosis_names())


def tiny(feed: str = "relu", own_head: bool = False, words: int = 50) -> T5Backbone:
    """A T5 whose random weights are strong enough to say something."""
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=words, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=3, feed_forward_proj=feed,
            pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
        )
    )  # fmt: skip
    for weight in model.parameters():
        weight.data.normal_(0, 0.5)
    if own_head:
        untie_head(model, torch.randn(words, 16))
    return T5Backbone(model).eval()


def notes() -> tuple[Tensor, Tensor]:
    """Notes of different lengths, with holes, as series that were not measured leave them."""
    torch.manual_seed(1)
    places = torch.linspace(1, PLACES, STAYS)[:, None]
    mask = (torch.arange(PLACES) < places) & (torch.rand(STAYS, PLACES) < 0.8)
    mask[:, 0] = True
    return torch.randn(STAYS, PLACES, 16), mask


class EndsAt(Rule):
    """Every stay's text ends at a length of its own."""

    def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
        return [1] if len(written) > 5 * (stay % 4) + 1 else []


@pytest.mark.parametrize("own_head", [False, True])
@pytest.mark.parametrize("feed", ["relu", "gated-gelu"])
@pytest.mark.parametrize("seats", [1, 3])
def test_the_same_pieces_as_transformers(feed: str, own_head: bool, seats: int) -> None:
    backbone = tiny(feed, own_head)
    hidden, mask = notes()
    written = OnnxWriter(backbone, seats=seats).write(hidden, mask, LONGEST)
    assert torch.equal(written, backbone.write(hidden, mask, LONGEST))


def test_texts_that_end_early_make_room_for_others() -> None:
    backbone = tiny(own_head=True)
    hidden, mask = notes()
    bound = backbone.write(hidden, mask, LONGEST, rules=[EndsAt()])
    assert len(set((bound != 0).sum(1).tolist())) > 3, "texts of several lengths"
    assert torch.equal(OnnxWriter(backbone, seats=2).write(hidden, mask, LONGEST, rules=[EndsAt()]), bound)


def rules() -> dict[str, list[Rule]]:
    once = EachSentenceOnce(TOKENIZER)
    judged = [diagnosis_names()[stay : 2 * stay] for stay in range(STAYS)]
    return {
        "once": [once],
        "readable": [ReadableAnswer(TOKENIZER), once],
        "judged": [JudgedAnswer(TOKENIZER, judged), once],
    }


@pytest.mark.parametrize("name", rules())
def test_the_same_rules_are_obeyed(name: str) -> None:
    backbone, chosen = tiny(words=len(TOKENIZER)), rules()[name]
    hidden, mask = notes()
    free = backbone.write(hidden, mask, LONGEST)
    bound = backbone.write(hidden, mask, LONGEST, rules=chosen)
    written = OnnxWriter(backbone, seats=3).write(hidden, mask, LONGEST, rules=chosen)
    assert torch.equal(written, bound)
    assert name == "once" or not torch.equal(bound, free), "the rules matter"


@pytest.mark.parametrize("precision", ["short_notes", "int8"])
def test_in_eight_bits_no_text_depends_on_those_beside_it(precision: Precision) -> None:
    backbone = tiny("gated-gelu")
    writer = OnnxWriter(backbone, precision, seats=4)
    hidden, mask = notes()
    together = writer.write(hidden, mask, LONGEST)
    for stay in range(STAYS):
        alone = writer.write(hidden[stay : stay + 1], mask[stay : stay + 1], LONGEST)[0]
        assert torch.equal(together[stay, : len(alone)], alone)


@pytest.mark.parametrize("precision", ["short_notes", "int8"])
def test_in_eight_bits_most_first_pieces_are_the_same(precision: Precision) -> None:
    backbone = tiny("gated-gelu", own_head=True)
    hidden, mask = notes()
    full, short = (OnnxWriter(backbone, kind).write(hidden, mask, 1) for kind in ("fp32", precision))
    assert (full == short).float().mean() > 0.8


def test_an_unknown_activation_is_an_error() -> None:
    with pytest.raises(RunError, match="cannot be drawn"):
        OnnxWriter(tiny("silu"))
