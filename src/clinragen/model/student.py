"""The student: note tokens and series tokens in, a probability for every diagnosis and a text out.

It predicts, then explains: the probabilities become tokens the decoder reads beside the encoder's
output, so that the text it writes freely and the probabilities come from one judgement.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.model.backbone import T5Backbone
from clinragen.model.batch import Batch
from clinragen.model.knowledge import Entries
from clinragen.model.knowledge_attention import HALF, FactAttention, Read, SumOfPieces, TokenBagAttention
from clinragen.model.series_encoder import SeriesEncoder
from clinragen.model.text import pieces
from clinragen.recipe import Model


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder made of a batch: vectors for the decoder, their mask, a logit per diagnosis."""

    hidden: Float[Tensor, "batch place width"]
    mask: Bool[Tensor, "batch place"]
    logits: Float[Tensor, "batch label"]


PAIR_BUCKETS = 16384
_MIX = 1_000_003


class WideEvidence(nn.Module):
    """What each piece of evidence says alone: a logistic regression inside the student.

    Every word piece of the note, every two that stand together ("no orthopnea"; hashed, so that two may
    share a weight) and every row the series attended to adds its own weight to each label's logit.
    """

    def __init__(self, vocabulary: int, rows: Entries, labels: int) -> None:
        super().__init__()
        self.pieces = nn.Embedding(vocabulary, labels)
        self.pairs = nn.Embedding(PAIR_BUCKETS, labels)
        self.rows = nn.Parameter(torch.zeros(len(rows.variables), len(rows.pieces), labels))
        self.bias = nn.Parameter(torch.full((labels,), -2.0))
        nn.init.zeros_(self.pieces.weight)
        nn.init.zeros_(self.pairs.weight)

    def forward(
        self,
        batch: Batch,
        attention: Float[Tensor, "batch variable row"] | None,
        kept: Float[Tensor, "batch piece"] | None = None,
    ) -> Float[Tensor, "batch label"]:
        """Masked places and variables that were not measured change nothing.

        `kept` weighs the pairs (in training only), so that they are not learnt by heart.
        """
        seen = batch.note_mask.unsqueeze(-1)
        pairs = self.pairs((batch.note[:, :-1] * _MIX + batch.note[:, 1:]) % PAIR_BUCKETS)
        pairs = pairs * seen[:, 1:] if kept is None else pairs * seen[:, 1:] * kept[:, 1:, None]
        logits: Tensor = (self.pieces(batch.note) * seen).sum(1) + pairs.sum(1) + self.bias
        if attention is None:
            return logits
        return logits + torch.einsum("bvr,vrl->bl", attention * batch.has_series.unsqueeze(-1), self.rows)


class EvidenceHead(nn.Module):
    """A logit per diagnosis: what each piece of evidence says alone, plus what they say together.

    Wide and deep (Cheng et al., 2016): the weights above, and each label attending to the encoder's output.
    """

    def __init__(self, vocabulary: int, rows: Entries, labels: int, width: int, heads: int = 4) -> None:
        super().__init__()
        self.wide = WideEvidence(vocabulary, rows, labels)
        self.queries = nn.Parameter(torch.randn(labels, width) * width**-0.5)
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.score = nn.Parameter(torch.randn(labels, width) * 0.02)

    def forward(
        self,
        batch: Batch,
        attention: Float[Tensor, "batch variable row"] | None,
        hidden: Float[Tensor, "batch place width"],
        mask: Bool[Tensor, "batch place"],
    ) -> Float[Tensor, "batch label"]:
        """Masked places and variables that were not measured change nothing."""
        queries = self.queries.expand(len(hidden), -1, -1)
        pooled, _ = self.attend(queries, hidden, hidden, key_padding_mask=~mask, need_weights=False)
        pooled = pooled + self.mlp(self.norm(pooled))
        logits: Tensor = self.wide(batch, attention) + (pooled * self.score).sum(-1)
        return logits

    def deep_parameters(self) -> list[nn.Parameter]:
        """All but the wide weights, which are fitted alone and then stay."""
        wide = {id(parameter) for parameter in self.wide.parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in wide]


class DiagnosisTokens(nn.Module):
    """Probabilities as vectors: .7071 * (name + p E[yes] + (1 - p) E[no]), one for each diagnosis."""

    def __init__(self, tokenizer: Any) -> None:
        super().__init__()
        self.names = SumOfPieces(tuple(tuple(pieces(tokenizer, name)) for name in diagnosis_names()))
        self.answers = SumOfPieces((tuple(pieces(tokenizer, "no")), tuple(pieces(tokenizer, "yes"))))

    def forward(
        self, probabilities: Float[Tensor, "batch label"], embedding: nn.Embedding
    ) -> Float[Tensor, "batch label width"]:
        """Tokens in the language model's own embedding space."""
        no, yes = self.answers(embedding)
        p = probabilities.unsqueeze(-1)
        tokens: Tensor = HALF * (self.names(embedding) + p * yes + (1 - p) * no)
        return tokens


class Student(nn.Module):
    """Series encoder, knowledge attention, language model and head, together."""

    operating_point: Float[Tensor, ""]
    """Added to every logit before the decoder reads it; chosen on the tuning patients."""

    def __init__(
        self, settings: Model, backbone: T5Backbone, rows: Entries, tokenizer: Any, hours: int
    ) -> None:
        super().__init__()
        self.settings, self.rows, self.tokenizer, self.hours = settings, rows, tokenizer, hours
        inner = max(256, settings.series_width)
        self.backbone = backbone
        self.series_encoder = SeriesEncoder(
            len(rows.variables), hours, settings.patch_hours, settings.series_width, inner
        )
        form = FactAttention if settings.attention == "facts" else TokenBagAttention
        self.attention: FactAttention | TokenBagAttention = form(rows, inner, backbone.width)
        self.head = EvidenceHead(len(tokenizer), rows, len(diagnosis_names()), backbone.width)
        self.diagnosis_tokens = DiagnosisTokens(tokenizer)
        self.register_buffer("operating_point", torch.tensor(0.0))

    def read_series(self, batch: Batch) -> Read:
        """One token per variable from the numbers."""
        vectors = self.series_encoder(batch.values, batch.measured)
        read: Read = self.attention(vectors, self.backbone.embedding)
        return read

    def pseudo_series(self, batch: Batch) -> Read:
        """What a perfect series encoder would read, from the true states (in training only)."""
        if not isinstance(self.attention, FactAttention):
            return self.read_series(batch)
        return self.attention.pseudo(batch.states, self.backbone.embedding)

    def encode(
        self, batch: Batch, series: Read, known: Float[Tensor, "batch label"] | None = None
    ) -> Encoded:
        """Read [series tokens][note tokens]; variables that were not measured are masked.

        `known` labels stand in for the probabilities the decoder reads (in training only).
        """
        notes = self.backbone.embedding(batch.note)
        as_text = self.settings.series_as == "text"
        seen = torch.zeros_like(batch.has_series) if as_text else batch.has_series
        mask = torch.cat([seen, batch.note_mask], dim=1)
        mask[:, -1] |= ~mask.any(1)
        hidden = self.backbone.encode(torch.cat([series.tokens, notes], dim=1), mask)
        logits = self.head(batch, None if as_text else series.attention, hidden, mask)
        judged = torch.sigmoid(logits.detach() + self.operating_point) if known is None else known
        answers = self.diagnosis_tokens(judged, self.backbone.embedding)
        beside = torch.ones_like(judged).bool()
        return Encoded(torch.cat([hidden, answers], dim=1), torch.cat([mask, beside], dim=1), logits)

    def judgement(self, probabilities: Float[Tensor, "batch label"]) -> Encoded:
        """Probabilities alone, for the decoder to tell (in training only)."""
        answers = self.diagnosis_tokens(probabilities, self.backbone.embedding)
        return Encoded(answers, torch.ones_like(probabilities).bool(), probabilities)

    def encode_series(self, series: Read, batch: Batch) -> Encoded:
        """Read series tokens alone, without a note and without a judgement (in training only)."""
        mask = batch.has_series.clone()
        mask[:, -1] |= ~mask.any(1)
        return Encoded(self.backbone.encode(series.tokens, mask), mask, torch.zeros_like(batch.labels))

    def lm_parameters(self) -> list[nn.Parameter]:
        """The tensors of the language model."""
        return list(self.backbone.parameters())

    def series_parameters(self) -> list[nn.Parameter]:
        """The tensors that read the series: the encoder and the knowledge attention."""
        return [*self.series_encoder.parameters(), *self.attention.parameters()]
