"""A time series as one vector per variable: patches along time, channel by channel (PatchTST).

Nie et al., ICLR 2023; patches never mix variables, and a mask bit tells measured from not measured.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

SUMMARIES = 6
PAPER_WIDTH = 768


class SeriesEncoder(nn.Module):
    """Hourly values and their mask in, one vector per variable out."""

    def __init__(self, variables: int, hours: int, patch_hours: int, width: int, out_width: int) -> None:
        super().__init__()
        self.patch_hours = patch_hours
        self.patches = -(-hours // patch_hours)
        self.embed = nn.Linear(2 * patch_hours, width)
        self.position = nn.Parameter(torch.randn(self.patches, width) * 0.02)
        self.channel = nn.Parameter(torch.randn(variables, 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(self.patches * width + SUMMARIES, out_width)

    def forward(
        self, values: Float[Tensor, "batch hour variable"], measured: Bool[Tensor, "batch hour variable"]
    ) -> Float[Tensor, "batch variable width"]:
        """`values` are scaled and carried forward; where `measured` is False they were not measured then."""
        patches = torch.cat([self._patch(values), self._patch(measured.to(values.dtype))], dim=-1)
        batch, variables, count, _ = patches.shape
        hidden = self.embed(patches) + self.position + self.channel
        hidden = self.layers(hidden.reshape(batch * variables, count, -1))
        seen = torch.cat([hidden.reshape(batch, variables, -1), summaries(values, measured)], dim=-1)
        vectors: Tensor = self.out(seen)
        return nn.functional.gelu(vectors)

    def _patch(
        self, grid: Float[Tensor, "batch hour variable"]
    ) -> Float[Tensor, "batch variable patch patch_hour"]:
        """Cut each channel along time; the last patch is filled up with unmeasured hours."""
        short = self.patches * self.patch_hours - grid.shape[1]
        channels = nn.functional.pad(grid.transpose(1, 2), (0, short))
        return channels.reshape(*channels.shape[:2], self.patches, self.patch_hours)


class PatchEncoder(nn.Module):
    """The paper's: hours in patches of all variables, 768 wide, one vector a patch; no mask is read.

    Scrambled as its research code cuts them, a patch holds cells of other hours and variables than it
    should: (hour, variable) is reshaped to (patch, variable, hour) without being transposed.
    """

    def __init__(
        self, variables: int, hours: int, patch_hours: int, out_width: int, is_scrambled: bool
    ) -> None:
        super().__init__()
        if hours % patch_hours:
            raise ValueError(f"{hours} hours are no whole number of patches of {patch_hours}")
        self.patch_hours, self.is_scrambled = patch_hours, is_scrambled
        self.embed = nn.Linear(variables * patch_hours, PAPER_WIDTH)
        self.position = nn.Parameter(torch.randn(hours // patch_hours, PAPER_WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(
            PAPER_WIDTH, 12, 4 * PAPER_WIDTH, 0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(PAPER_WIDTH, out_width)

    def forward(
        self, values: Float[Tensor, "batch hour variable"], measured: Bool[Tensor, "batch hour variable"]
    ) -> Float[Tensor, "batch patch width"]:
        """`values` are carried forward, the last row to the end; `measured` is not looked at."""
        hidden = self.layers(self.embed(self.patches(values)) + self.position)
        vectors: Tensor = self.out(hidden)
        return vectors

    def patches(
        self, values: Float[Tensor, "batch hour variable"]
    ) -> Float[Tensor, "batch patch patch_hour_variable"]:
        """Cut the hours into patches, each variable's hours side by side."""
        if self.is_scrambled:
            return values.reshape(len(values), -1, self.embed.in_features)
        whole = values.reshape(len(values), -1, self.patch_hours, values.shape[2])
        return whole.transpose(2, 3).flatten(2)


def summaries(
    values: Float[Tensor, "batch hour variable"], measured: Bool[Tensor, "batch hour variable"]
) -> Float[Tensor, "batch variable summary"]:
    """First, last, least and greatest value, and the shares above and below range; 0 where not measured.

    Beside the patches, because a mean over few values is hard to learn and easy to compute.
    """
    some = measured.any(1)
    first = values.gather(1, measured.long().argmax(1, keepdim=True)).squeeze(1)
    least = values.masked_fill(~measured, torch.inf).amin(1)
    greatest = values.masked_fill(~measured, -torch.inf).amax(1)
    count = measured.sum(1).clamp_min(1)
    above, below = ((values > 1) & measured).sum(1) / count, ((values < -1) & measured).sum(1) / count
    columns = torch.stack([first, values[:, -1], least, greatest, above, below], dim=-1)
    return columns.masked_fill(~some.unsqueeze(-1), 0.0)
