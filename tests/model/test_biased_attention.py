import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from clinragen.model.backbone import IGNORED
from clinragen.model.biased_attention import BiasedAttention, attend
from clinragen.model.t5 import T5Backbone


def config(is_tied: bool, form: str = "gated-gelu") -> T5Config:
    return T5Config(
        vocab_size=60,
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=2,
        num_heads=2,
        feed_forward_proj=form,
        dropout_rate=0.0,
        tie_word_embeddings=is_tied,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )


def test_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 2, n, 4, dtype=torch.double, requires_grad=True) for n in (3, 5, 5))
    bias = torch.randn(1, 2, 3, 5, dtype=torch.double, requires_grad=True)
    mask = torch.zeros(2, 1, 1, 5, dtype=torch.double)
    mask[1, ..., 3:] = -1e9
    assert torch.autograd.gradcheck(BiasedAttention.apply, (q, k, v, bias, mask, 0.7))


@pytest.mark.parametrize("is_tied", [True, False])
def test_loss_and_gradients_are_those_of_the_library(is_tied: bool) -> None:
    torch.manual_seed(0)
    ours = T5ForConditionalGeneration(config(is_tied))
    theirs = T5ForConditionalGeneration(config(is_tied))
    theirs.load_state_dict(ours.state_dict())
    backbone = T5Backbone(ours)
    note, target = torch.randint(2, 60, (3, 9)), torch.randint(2, 60, (3, 7))
    mask = torch.ones(3, 9, dtype=torch.bool)
    mask[1, 4:], target[2, 3:] = False, IGNORED
    hidden = backbone.encode(backbone.embedding(note), mask)
    loss = backbone.text_loss(hidden, mask, target)
    loss.backward()
    wanted = theirs(input_ids=note, attention_mask=mask.long(), labels=target).loss
    wanted.backward()
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-6)
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-6), name


def test_writing_is_that_of_the_library() -> None:
    torch.manual_seed(1)
    ours, theirs = (T5ForConditionalGeneration(config(True)).eval() for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    backbone = T5Backbone(ours)
    note, mask = torch.randint(2, 60, (4, 9)), torch.ones(4, 9, dtype=torch.bool)
    mask[0, 5:] = False
    said = backbone.write(backbone.encode(backbone.embedding(note), mask), mask, 12)
    told = theirs.generate(input_ids=note, attention_mask=mask.long(), max_new_tokens=12, do_sample=False)
    assert said.tolist() == told.tolist()


def test_dropout_is_left_to_the_library() -> None:
    module = torch.nn.Module().train()
    q = torch.randn(1, 1, 2, 4)
    _, weights = attend(module, q, q, q, None, 1.0, 0.5, torch.zeros(1, 1, 2, 2))
    assert weights is not None
