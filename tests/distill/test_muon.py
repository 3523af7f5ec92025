import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from clinragen.distill.muon import ADAM_SIZE, Muon, orthogonal
from model.small import small_student


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_an_update_is_as_long_in_every_direction(rows: int, columns: int, seed: int) -> None:
    torch.manual_seed(seed)
    matrix = torch.linalg.qr(torch.randn(rows, rows)).Q @ torch.eye(rows, columns)
    stretched = matrix * torch.linspace(1, 3, columns)
    values = torch.linalg.svdvals(orthogonal(stretched[None])[0])
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_an_update_is_as_large_as_one_of_adam() -> None:
    matrix = nn.Parameter(torch.zeros(16, 16))
    matrix.grad = torch.randn(16, 16)
    Muon([matrix]).step(rate=0.01)
    size = matrix.detach().square().mean().sqrt()
    assert 0.7 < size / (0.01 * ADAM_SIZE) < 1.3


def test_embeddings_and_the_output_head_are_not_for_muon() -> None:
    backbone = small_student().backbone
    matrices = backbone.matrices()
    assert all(m.ndim == 2 for m in matrices)
    kept_out = [backbone.model.shared.weight, backbone.model.lm_head.weight]
    assert not any(m is other for m in matrices for other in kept_out)
    # Four projections and two layers of the encoder's block; eight and two of the decoder's.
    assert len(matrices) == 16
