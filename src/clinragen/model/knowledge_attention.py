"""Knowledge-augmented attention: turns series vectors into tokens the language model can read.

Two forms. `FactAttention` attends to states and cited facts, row by row, and its output is a
combination of the language model's own word embeddings; which facts were read can be shown.
`TokenBagAttention` is the paper's (Niu et al., ACL 2025): 24 prototypes, each a learned mix of the
embeddings of all knowledge tokens; what was read cannot be traced.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from clinragen.model.knowledge import Entries

HALF = math.sqrt(0.5)
"""A token is the sum of two embeddings scaled by this, so that its variance is that of one."""
PAPER_PROTOTYPES, PAPER_HEADS, PAPER_HEAD_WIDTH = 24, 8, 32


@dataclass(frozen=True, slots=True)
class Read:
    """What the series read: one token per variable, and (fact-wise) the attention and its logits."""

    tokens: Float[Tensor, "batch variable width"]
    logits: Float[Tensor, "batch variable row"] | None
    attention: Float[Tensor, "batch variable row"] | None


class SumOfPieces(nn.Module):
    """Short texts as vectors from the language model's own embeddings: sum / sqrt(pieces).

    A mean would shrink with every piece, and a text of three words would be drowned out by one word.
    """

    ids: Int[Tensor, "text piece"]
    weights: Float[Tensor, "text piece"]

    def __init__(self, texts: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        longest = max(map(len, texts))
        ids = torch.zeros(len(texts), longest, dtype=torch.long)
        weights = torch.zeros(len(texts), longest)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = torch.tensor(text)
            weights[row, : len(text)] = len(text) ** -0.5
        self.register_buffer("ids", ids, persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, embedding: nn.Embedding) -> Float[Tensor, "text width"]:
        """One vector per text."""
        return torch.einsum("tp,tpw->tw", self.weights, embedding(self.ids))


class FactAttention(nn.Module):
    """token = .7071 * (attention over rows @ row embeddings + embedding of the variable's name).

    Without names (a control) a token is the first part alone.
    """

    allowed: Bool[Tensor, "variable row"]
    target: Float[Tensor, "variable state row"]

    def __init__(
        self, rows: Entries, series_width: int, width: int, is_named: bool = True, inner: int = 256
    ) -> None:
        super().__init__()
        self.is_named = is_named
        self.rows, self.names = SumOfPieces(rows.pieces), SumOfPieces(rows.names)
        self.query = nn.Linear(series_width, inner, bias=False)
        self.key = nn.Linear(width, inner, bias=False)
        self.norm = nn.LayerNorm(width)
        self.identity = nn.Parameter(torch.randn(len(rows.pieces), inner) * 0.02)
        self.register_buffer("allowed", torch.from_numpy(rows.allowed), persistent=False)
        self.register_buffer("target", torch.from_numpy(rows.target), persistent=False)

    def forward(self, series: Float[Tensor, "batch variable inner"], embedding: nn.Embedding) -> Read:
        """Attend from each variable to the states and its own facts.

        `identity` tells apart facts with the same diagnoses; it enters the keys only, so that the output
        stays inside the span of the language model's words.
        """
        values = self.rows(embedding)
        keys = self.key(self.norm(values)) + self.identity
        logits = self.query(series) @ keys.T / math.sqrt(keys.shape[-1])
        logits = logits.masked_fill(~self.allowed, -1e4)
        attention = logits.softmax(-1)
        return Read(self._tokens(attention, embedding), logits, attention)

    def pseudo(self, states: Int[Tensor, "batch variable"], embedding: nn.Embedding) -> Read:
        """What a perfect series encoder would read for these true states (-1: not measured)."""
        attention = self.target_attention(states)
        return Read(self._tokens(attention, embedding), None, attention)

    def _tokens(
        self, attention: Float[Tensor, "batch variable row"], embedding: nn.Embedding
    ) -> Float[Tensor, "batch variable width"]:
        read: Tensor = attention @ self.rows(embedding)
        return HALF * (read + self.names(embedding)) if self.is_named else read

    def target_attention(self, states: Int[Tensor, "batch variable"]) -> Float[Tensor, "batch variable row"]:
        """The attention each true state should have: most on the state, the rest on its facts."""
        variables = torch.arange(states.shape[1], device=states.device)
        return self.target[variables, states.clamp_min(0)]

    def align_loss(self, read: Read, states: Int[Tensor, "batch variable"]) -> Float[Tensor, ""]:
        """Cross-entropy of the attention against its target, over measured variables."""
        assert read.logits is not None
        measured = states >= 0
        losses = nn.functional.cross_entropy(
            read.logits[measured], self.target_attention(states)[measured], reduction="sum"
        )
        return losses / measured.sum().clamp_min(1)


class TokenBagAttention(nn.Module):
    """The paper's attention: series vectors query 24 mixes of the knowledge tokens, 8 heads of 32."""

    tokens: Int[Tensor, " token"]

    def __init__(self, rows: Entries, series_width: int, width: int) -> None:
        super().__init__()
        distinct = sorted({piece for row in (*rows.pieces, *rows.names) for piece in row})
        self.register_buffer("tokens", torch.tensor(distinct), persistent=False)
        self.mix = nn.Linear(len(distinct), PAPER_PROTOTYPES)
        inner = PAPER_HEADS * PAPER_HEAD_WIDTH
        self.query, self.out = nn.Linear(series_width, inner), nn.Linear(inner, width)
        self.key, self.value = nn.Linear(width, inner), nn.Linear(width, inner)

    def forward(self, series: Float[Tensor, "batch variable inner"], embedding: nn.Embedding) -> Read:
        """softmax(Q K^T / sqrt(32)) V over the prototypes, then the output projection."""
        prototypes = self.mix(embedding(self.tokens).T).T
        query = self.query(series).unflatten(-1, (PAPER_HEADS, -1))
        key = self.key(prototypes).unflatten(-1, (PAPER_HEADS, -1))
        value = self.value(prototypes).unflatten(-1, (PAPER_HEADS, -1))
        scores = torch.einsum("bvhe,phe->bhvp", query, key) / math.sqrt(PAPER_HEAD_WIDTH)
        heads = torch.einsum("bhvp,phe->bvhe", scores.softmax(-1), value)
        return Read(self.out(heads.flatten(-2)), None, None)
