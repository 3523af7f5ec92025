"""The head: a logit per diagnosis, from single pieces of evidence and from what they say together."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from clinragen.model.batch import Batch
from clinragen.model.knowledge import Entries

REACH = 4
"""How many word pieces to either side may open or close the gate of a piece."""


class GatedEvidence(nn.Module):
    """What each piece of evidence says alone: a sparse logistic regression that minds its context.

    Every word piece of the note and every row the series attended to adds its own weight to each label's
    logit. A piece of the note counts as far as its gate is open, and its neighbours open and close it: "no"
    before a sign or "since resolved" after it closes the gate of any sign, met before or not.
    """

    def __init__(self, vocabulary: int, rows: Entries, labels: int) -> None:
        super().__init__()
        self.pieces = nn.Embedding(vocabulary, labels)
        self.neighbours = nn.Embedding(vocabulary, 2 * REACH)
        self.rows = nn.Parameter(torch.zeros(len(rows.variables), len(rows.pieces), labels))
        self.openness = nn.Parameter(torch.tensor(1.0))
        self.bias = nn.Parameter(torch.full((labels,), -2.0))
        nn.init.zeros_(self.pieces.weight)
        nn.init.zeros_(self.neighbours.weight)

    def forward(
        self, batch: Batch, attention: Float[Tensor, "batch variable row"] | None
    ) -> Float[Tensor, "batch label"]:
        """Masked places and variables that were not measured change nothing."""
        told = self.pieces(batch.note) * self.gates(batch.note, batch.note_mask).unsqueeze(-1)
        logits: Tensor = told.sum(1) + self.bias
        if attention is None:
            return logits
        return logits + torch.einsum("bvr,vrl->bl", attention * batch.has_series.unsqueeze(-1), self.rows)

    def gates(
        self, note: Int[Tensor, "batch piece"], mask: Bool[Tensor, "batch piece"]
    ) -> Float[Tensor, "batch piece"]:
        """How far each piece counts, from 0 (denied, of another person, over) to 1."""
        said = self.neighbours(note) * mask.unsqueeze(-1)
        openness = self.openness.expand(note.shape)
        for place in range(min(REACH, note.shape[1] - 1)):
            far = place + 1
            before = nn.functional.pad(said[:, :-far, place], (far, 0))
            after = nn.functional.pad(said[:, far:, REACH + place], (0, far))
            openness = openness + before + after
        return torch.sigmoid(openness) * mask

    def spoken_for(
        self, batch: Batch, names: Float[Tensor, "label width"]
    ) -> Float[Tensor, "batch piece width"]:
        """For each piece of the note the names of the labels it speaks for, as far as its gate is open.

        A weight w > 0 gives a share w / (1 + w) of the name; what speaks against a label gives nothing.
        """
        weights = nn.functional.embedding(batch.note, self.pieces.weight.detach()).clamp_min(0)
        said = (weights / (1 + weights)) @ names
        return said * self.gates(batch.note, batch.note_mask).detach().unsqueeze(-1)

    def size(self) -> Float[Tensor, ""]:
        """The sum of all absolute weights, which a penalty keeps small: most evidence says nothing."""
        return self.pieces.weight.abs().sum() + self.rows.abs().sum()


class EvidenceHead(nn.Module):
    """A logit per diagnosis: what each piece of evidence says alone, plus what they say together.

    Wide and deep (Cheng et al., 2016): the weights above, and each label attending to the encoder's output.
    """

    def __init__(self, vocabulary: int, rows: Entries, labels: int, width: int, heads: int = 4) -> None:
        super().__init__()
        self.wide = GatedEvidence(vocabulary, rows, labels)
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
