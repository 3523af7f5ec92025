"""Attention with a learned position bias (T5), for training on a processor.

Between the two products of attention a library does eight passes over the scores, in single precision, and
keeps most of them for the way back; notes are long, so that these passes are most of a step. Here scores are
kept once, in the precision of the products, and the way back is written out.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.models.t5.modeling_t5 import eager_attention_forward

NAME = "biased"
"""The name under which transformers knows it (`attn_implementation`)."""

Asking = Float[Tensor, "batch head place width"]
Asked = Float[Tensor, "batch head read width"]


class BiasedAttention(torch.autograd.Function):
    """softmax(scaling * Q K^T + bias + mask) V; the bias gets its gradient, the mask none."""

    @staticmethod
    def forward(
        ctx: Any, query: Asking, key: Asked, value: Asked, bias: Tensor, mask: Tensor | None, scaling: float
    ) -> Asking:
        """The attended values; only the weights are kept for the way back."""
        scores = torch.matmul(query, key.transpose(-1, -2))
        if scaling != 1.0:
            scores *= scaling
        scores += bias.to(scores.dtype).contiguous()
        if mask is not None:
            scores += mask.to(scores.dtype)
        weights = torch.softmax(scores, -1)
        ctx.save_for_backward(query, key, value, weights)
        ctx.scaling, ctx.bias = scaling, (bias.shape, bias.dtype)
        return torch.matmul(weights, value)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        """The gradients of query, key, value and bias."""
        query, key, value, weights = ctx.saved_tensors
        (given,) = gradients
        given = given.to(weights.dtype)
        of_weights = torch.matmul(given, value.transpose(-1, -2))
        of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        of_bias = _summed(of_scores, *ctx.bias) if ctx.needs_input_grad[3] else None
        return (
            torch.matmul(of_scores, key) * ctx.scaling,
            torch.matmul(of_scores.transpose(-1, -2), query) * ctx.scaling,
            torch.matmul(weights.transpose(-1, -2), given),
            of_bias,
            None,
            None,
        )


def _summed(of_scores: Tensor, shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """The gradient of a bias that several stays, or heads, share."""
    shared = [place for place, (a, b) in enumerate(zip(of_scores.shape, shape, strict=True)) if a != b]
    return (of_scores.sum(shared, keepdim=True) if shared else of_scores).to(dtype)


def attend(
    module: Any,
    query: Asking,
    key: Asked,
    value: Asked,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    position_bias: Tensor | None = None,
    **others: Any,
) -> tuple[Float[Tensor, "batch place head width"], Tensor | None]:
    """What transformers calls; with dropout, or without a bias, its own attention does it."""
    if position_bias is None or (dropout > 0 and module.training):
        found: tuple[Tensor, Tensor | None] = eager_attention_forward(
            module, query, key, value, attention_mask, scaling, dropout, position_bias, **others
        )
        return found
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    attended: Callable[..., Tensor] = BiasedAttention.apply
    return attended(query, key, value, position_bias, attention_mask, scale).transpose(
        1, 2
    ).contiguous(), None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, eager_mask)
