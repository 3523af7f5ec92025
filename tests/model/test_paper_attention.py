"""The paper's attention against its formula, written again in NumPy (Niu et al., ACL 2025, section 3.2)."""

import numpy as np
import pytest
import torch

from clinragen.model.knowledge import entries
from clinragen.model.knowledge_attention import (
    PAPER_HEAD_WIDTH,
    PAPER_HEADS,
    PAPER_PROTOTYPES,
    TokenBagAttention,
)
from model.small import FACTS, small_student


def affine(x: np.ndarray, layer: torch.nn.Linear) -> np.ndarray:
    return x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()


def formula(attention: TokenBagAttention, series: np.ndarray, table: np.ndarray) -> np.ndarray:
    """softmax(Q K^T / sqrt(32)) V for each of 8 heads; keys and values are 24 mixes of the tokens."""
    words = table[attention.tokens.numpy()]
    mixes = affine(words.T, attention.mix).T
    query, key, value = (
        affine(series, attention.query),
        affine(mixes, attention.key),
        affine(mixes, attention.value),
    )
    heads = []
    for head in range(PAPER_HEADS):
        part = slice(head * PAPER_HEAD_WIDTH, (head + 1) * PAPER_HEAD_WIDTH)
        scores = query[:, part] @ key[:, part].T / np.sqrt(PAPER_HEAD_WIDTH)
        weights = np.exp(scores - scores.max(1, keepdims=True))
        heads.append(weights / weights.sum(1, keepdims=True) @ value[:, part])
    return affine(np.concatenate(heads, axis=1), attention.out)


@pytest.mark.parametrize("seed", range(5))
def test_the_attention_is_the_formula_to_1e_5(seed: int) -> None:
    torch.manual_seed(seed)
    student = small_student(seed=seed)
    rows = entries(FACTS, ("lactate", "potassium"), student.tokenizer)
    attention = TokenBagAttention(rows, series_width=768, width=student.backbone.width)
    series = torch.randn(3, 125, 768)
    told = attention(series, student.backbone.embedding).tokens.detach().numpy()
    table = student.backbone.embedding.weight.detach().double().numpy()
    for patient in range(3):
        wanted = formula(attention, series[patient].double().numpy(), table)
        assert np.abs(told[patient] - wanted).max() < 1e-5
    assert attention.mix.weight.shape[0] == PAPER_PROTOTYPES == 24
