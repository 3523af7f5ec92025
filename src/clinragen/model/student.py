"""The student: note tokens and series tokens in, a probability for every diagnosis and a text out.

It predicts, then explains: what the head judges becomes tokens the decoder reads beside the encoder's
output, so that the text it writes freely and the probabilities come from one judgement.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.paper_series import HOURS, fenced_variables
from clinragen.model.backbone import Backbone
from clinragen.model.batch import Batch
from clinragen.model.evidence_head import EvidenceHead
from clinragen.model.knowledge import Entries
from clinragen.model.knowledge_attention import HALF, FactAttention, Read, SumOfPieces, TokenBagAttention
from clinragen.model.series_encoder import PatchEncoder, SeriesEncoder
from clinragen.model.text import pieces
from clinragen.recipe import Model


@dataclass(frozen=True, slots=True)
class Encoded:
    """What was made of a batch: what its texts are written from, the mask, a logit per diagnosis.

    In training also the backbone's memory of what it read, where it has one, for one text to go on from.
    """

    context: Float[Tensor, "batch place width"]
    mask: Bool[Tensor, "batch place"]
    logits: Float[Tensor, "batch label"]
    memory: Any = None


class DiagnosisTokens(nn.Module):
    """A judgement as vectors: .7071 * (name + E[yes] or E[no]), one for each diagnosis."""

    def __init__(self, tokenizer: Any) -> None:
        super().__init__()
        self.names = SumOfPieces(tuple(tuple(pieces(tokenizer, name)) for name in diagnosis_names()))
        self.answers = SumOfPieces((tuple(pieces(tokenizer, "no")), tuple(pieces(tokenizer, "yes"))))

    def forward(
        self, judged: Float[Tensor, "batch label"], embedding: nn.Embedding
    ) -> Float[Tensor, "batch label width"]:
        """Tokens in the language model's own embedding space."""
        no, yes = self.answers(embedding)
        tokens: Tensor = HALF * (self.names(embedding) + torch.where(judged.unsqueeze(-1) > 0, yes, no))
        return tokens


class Student(nn.Module):
    """Series encoder, knowledge attention, language model and head, together."""

    operating_point: Float[Tensor, ""]
    """Added to every logit before the decoder reads it; chosen on the tuning patients."""

    def __init__(
        self, settings: Model, backbone: Backbone, rows: Entries, tokenizer: Any, hours: int
    ) -> None:
        super().__init__()
        self.settings, self.rows, self.tokenizer, self.hours = settings, rows, tokenizer, hours
        inner = max(256, settings.series_width)
        self.backbone = backbone
        self.series_encoder: SeriesEncoder | PatchEncoder = (
            SeriesEncoder(len(rows.variables), hours, settings.patch_hours, settings.series_width, inner)
            if settings.series == "channels"
            else PatchEncoder(
                len(fenced_variables()), HOURS, settings.patch_hours, inner, settings.series != "patches"
            )
        )
        self.attention: FactAttention | TokenBagAttention = (
            FactAttention(rows, inner, backbone.width, settings.name_embedding)
            if settings.attention == "facts"
            else TokenBagAttention(rows, inner, backbone.width)
        )
        self.head = EvidenceHead(len(tokenizer), rows, len(diagnosis_names()), backbone.width)
        self.diagnosis_tokens = DiagnosisTokens(tokenizer)
        self.register_buffer("operating_point", torch.tensor(0.0))

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.operating_point.device

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
        self, batch: Batch, series: Read, judged: Float[Tensor, "batch label"] | None = None
    ) -> Encoded:
        """Read [series tokens][note tokens]; variables that were not measured are masked.

        True labels stand in for the head's judgement where they are given (in training only), so that the
        decoder learns to name what is judged and to give reasons for it, not to judge again.
        """
        as_text = self.settings.series_as == "text"
        memory = None if judged is None else self.backbone.memory()
        hidden, context, mask = self._read(series, batch, memory)
        if self.settings.judgement == "text":
            return Encoded(context, mask, torch.zeros_like(batch.labels), memory)
        logits = self.head(batch, None if as_text else series.attention, hidden, mask)
        if judged is None:
            judged = (logits + self.operating_point > 0).to(logits.dtype)
        answers = self.diagnosis_tokens(judged, self.backbone.embedding)
        beside = torch.ones_like(judged).bool()
        return Encoded(torch.cat([context, answers], dim=1), torch.cat([mask, beside], dim=1), logits, memory)

    def judgement(self, judged: Float[Tensor, "batch label"]) -> Encoded:
        """A judgement alone, for the decoder to tell (in training only)."""
        answers = self.diagnosis_tokens(judged, self.backbone.embedding)
        return Encoded(answers, torch.ones_like(judged).bool(), judged)

    def encode_reading(self, batch: Batch, series: Read) -> Encoded:
        """Read without giving the decoder a judgement beside it (in training only)."""
        memory = self.backbone.memory()
        _, context, mask = self._read(series, batch, memory)
        return Encoded(context, mask, torch.zeros_like(batch.labels), memory)

    def _read(
        self, series: Read, batch: Batch, memory: Any
    ) -> tuple[
        Float[Tensor, "batch place width"], Float[Tensor, "batch place width"], Bool[Tensor, "batch place"]
    ]:
        """Of [series tokens][note tokens]: what the head reads, what is written from, which places count.

        Series tokens that no stay of the batch has are left out: masked, they would change nothing but cost.
        """
        shown = self._shown(series, batch)
        note, mask = self._note_tokens(batch), batch.note_mask
        tokens = note
        if shown.any():
            first, second = ((note, mask), (series.tokens, shown))[:: 1 if self._is_note_first else -1]
            tokens, mask = torch.cat([first[0], second[0]], dim=1), torch.cat([first[1], second[1]], dim=1)
        mask = mask.clone()
        mask[:, -1] |= ~mask.any(1)
        hidden = self.backbone.encode(tokens, mask, memory)
        return hidden, self.backbone.context(tokens, hidden), mask

    @property
    def _is_note_first(self) -> bool:
        """The paper's series vectors follow the note that asks for them."""
        return self.settings.layout == "paper"

    def _shown(self, series: Read, batch: Batch) -> Bool[Tensor, "batch token"]:
        """Which series tokens are read: those of measured variables; all patches of a stay with a value."""
        if self.settings.series_as == "text":
            return torch.zeros_like(batch.has_series)
        if self.settings.series == "channels":
            return batch.has_series
        return batch.measured.flatten(1).any(1, keepdim=True).expand(series.tokens.shape[:2])

    def _note_tokens(self, batch: Batch) -> Float[Tensor, "batch piece width"]:
        """The word embeddings of the note, each with the names of what it speaks for beside it."""
        embedding = self.backbone.embedding
        words: Float[Tensor, "batch piece width"] = embedding(batch.note)
        if not self.settings.note_hints:
            return words
        return words + self.head.wide.spoken_for(batch, self.diagnosis_tokens.names(embedding))

    def lm_parameters(self) -> list[nn.Parameter]:
        """The tensors of the language model that learn."""
        return self.backbone.trained()

    def series_parameters(self) -> list[nn.Parameter]:
        """The tensors that read the series: the encoder and the knowledge attention."""
        return [*self.series_encoder.parameters(), *self.attention.parameters()]
