"""What a stay's series comes down to, variable by variable, for models that read rows of numbers."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl
from jaxtyping import Float

from clinragen.clinical.variables import judged_variables
from clinragen.schema import Stay

SUMMARIES = ("first", "last", "min", "max", "mean", "count", "slope")
_HOUR = timedelta(hours=1)
_SCHEMA = {"stay": pl.Int64, "variable": pl.String, "hour": pl.Float64, "value": pl.Float64}


def summaries(stays: Sequence[Stay]) -> Float[np.ndarray, "stay column"]:
    """Seven numbers for each variable, in its unit (slope: per hour); NaN where it was not measured.

    The slope needs two different times. A variable that was not measured has a count of NaN too: whether
    it was measured is the model's to use, as with all that is missing.
    """
    place_of = {name: place for place, name in enumerate(judged_variables())}
    rows = [
        (number, row.variable, (row.time - stay.start) / _HOUR, row.value)
        for number, stay in enumerate(stays)
        for row in stay.measurements
        if row.variable in place_of
    ]
    table = _summarised(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))
    found = np.full((len(stays), len(place_of), len(SUMMARIES)), np.nan)
    places = [place_of[name] for name in table["variable"]]
    found[table["stay"].to_numpy(), places] = table.select(SUMMARIES).to_numpy()
    return found.reshape(len(stays), len(place_of) * len(SUMMARIES))


def _summarised(rows: pl.DataFrame) -> pl.DataFrame:
    hour, value = pl.col("hour"), pl.col("value")
    return (
        rows.sort("hour", "value")
        .group_by("stay", "variable", maintain_order=True)
        .agg(
            first=value.first(),
            last=value.last(),
            min=value.min(),
            max=value.max(),
            mean=value.mean(),
            count=value.len().cast(pl.Float64),
            slope=pl.when(hour.n_unique() > 1).then(pl.cov("hour", "value") / hour.var()),
        )
    )
