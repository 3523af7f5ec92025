"""The plots of a report, as SVG text: the same numbers give the same bytes."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.clinical.findings import by_variable, findings, level_of
from clinragen.evaluate.bootstrap import Estimate
from clinragen.evaluate.calibration import Bin
from clinragen.evaluate.evidence import PLACES
from clinragen.evaluate.report.context import ROWS, STUDENT
from clinragen.evaluate.scores import Scores, slug
from clinragen.schema import Measurement, Stay

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#a0527d"
"""Colours that people with any colour vision can tell apart (Okabe and Ito), each with its own mark."""
SERIES_SHOWN = 8
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
ANOTHER_MARK = 3
"""The ninth model has the first one's colour, but a mark of its own."""
_SERIES_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, MUTED, "#56b4e9", INK)
_STYLE: dict[str, Any] = {
    "svg.hashsalt": "clinragen",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": INK,
    "text.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
}


def label_forest(scores: Scores) -> str:
    """F1 and AUROC of every label with intervals, the most frequent label first; "" without labels."""
    prefix = f"{STUDENT.prefix}/label"
    shown = [name for name in diagnosis_names() if f"{prefix}/{slug(name)}/f1" in scores]
    if not shown:
        return ""
    shown.sort(key=lambda name: (scores[f"{prefix}/{slug(name)}/f1"].n, name))
    with _figure(9.2, 0.27 * len(shown) + 0.9) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, metric, title, colour in zip(
            panels, ("f1", "auroc"), ("F1", "AUROC"), (BLUE, GREEN), strict=True
        ):
            found = [scores[f"{prefix}/{slug(name)}/{metric}"] for name in shown]
            _intervals(axes, found, range(len(shown)), colour, _MARKS[metric == "auroc"])
            axes.set(title=title, xlim=(-0.02, 1.02))
            axes.grid(axis="x")
        counts = [scores[f"{prefix}/{slug(name)}/f1"].n for name in shown]
        panels[0].set_yticks(
            range(len(shown)), [f"{name} ({n})" for name, n in zip(shown, counts, strict=True)]
        )
        return _svg(figure, "F1 and AUROC of every diagnosis with 95% intervals")


def recall_by_evidence(scores: Scores) -> str:
    """Recall of each model by where the evidence lies; "" where that is not known."""
    rows = [row for row in ROWS if f"{row.recall}/recall/note_only" in scores and row.kind != "floor"]
    if not rows:
        return ""
    with _figure(9.2, 0.24 * len(rows) * len(PLACES) * 0.62 + 1.4) as figure:
        axes = figure.subplots()
        step = 0.8 / len(rows)
        for number, row in enumerate(rows):
            found = [scores[f"{row.recall}/recall/{place}"] for place in PLACES]
            heights = [-place + 0.4 - (number + 0.5) * step for place in range(len(PLACES))]
            colour, mark = _SERIES_COLOURS[number % 8], _MARKS[(number + number // 8 * ANOTHER_MARK) % 8]
            _intervals(axes, found, heights, colour, mark, row.title)
        axes.set_yticks([-place for place in range(len(PLACES))], [name.replace("_", " ") for name in PLACES])
        for edge in range(len(PLACES) - 1):
            axes.axhline(-edge - 0.5, color=GRID, linewidth=0.8)
        axes.set(xlim=(-0.02, 1.02), xlabel="recall")
        axes.grid(axis="x")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
        return _svg(figure, "Recall by where the evidence lies, for every model")


def reliability(bins: Sequence[Bin]) -> str:
    """The share coded against the probability given; "" without bins."""
    if not bins:
        return ""
    with _figure(4.4, 3.7) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle="--")
        at = np.array([each.predicted for each in bins])
        seen = [each.observed for each in bins]
        axes.errorbar(
            at, [e.value for e in seen], yerr=_reach(seen), color=BLUE, marker="o", markersize=4, capsize=2
        )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability given", ylabel="share coded")
        axes.grid()
        return _svg(figure, "Reliability: the share coded against the probability given")


def series_of(stay: Stay) -> str:
    """The abnormal variables of a stay over time, each with its reference range; "" where there is none."""
    names = list(
        dict.fromkeys(each.variable for each in findings(stay.measurements) if each.level != "normal")
    )
    if not names:
        return ""
    shown = names[:SERIES_SHOWN]
    rows = by_variable(stay.measurements)
    height = (len(shown) + 3) // 4
    with _figure(9.2, 1.75 * height + 0.2) as figure:
        panels = np.ravel(figure.subplots(height, 4, squeeze=False))
        for axes, name in zip(panels, shown, strict=False):
            _one_series(axes, rows[name], stay)
        for axes in panels[len(shown) :]:
            axes.set_visible(False)
        return _svg(figure, f"Abnormal measurements of the stay: {', '.join(shown)}")


def _one_series(axes: Axes, rows: Sequence[Measurement], stay: Stay) -> None:
    """Values as dots; high ones as red triangles up, low ones as purple triangles down."""
    hours = [(row.time - stay.start).total_seconds() / 3600 for row in rows]
    axes.plot(hours, [row.value for row in rows], color=MUTED, linewidth=0.8, zorder=2)
    for level, colour, mark in (("normal", BLUE, "o"), ("high", RED, "^"), ("low", PURPLE, "v")):
        at = [(hour, row.value) for hour, row in zip(hours, rows, strict=True) if level_of(row) == level]
        axes.scatter([x for x, _ in at], [y for _, y in at], color=colour, marker=mark, s=18, zorder=3)
    below, above = _shown_values(rows)
    low, high = rows[-1].low, rows[-1].high
    axes.axhspan(
        below if low is None else low, above if high is None else high, color=GREEN, alpha=0.15, lw=0
    )
    axes.set_ylim(below, above)
    axes.margins(x=0.08)
    axes.set_title(f"{rows[0].variable}, {rows[0].unit}", fontsize=8.5)
    axes.tick_params(labelsize=7.5)


def _shown_values(rows: Sequence[Measurement]) -> tuple[float, float]:
    """The least and greatest value of a panel: all measurements and the bounds they leave, with a margin."""
    shown = [row.value for row in rows]
    shown += [row.high for row in rows if row.high is not None and row.value > row.high]
    shown += [row.low for row in rows if row.low is not None and row.value < row.low]
    margin = 0.2 * (max(shown) - min(shown)) or 1.0
    return min(shown) - margin, max(shown) + margin


def _intervals(
    axes: Axes,
    found: Sequence[Estimate],
    heights: Sequence[float | int],
    colour: str,
    mark: str,
    title: str | None = None,
) -> None:
    axes.errorbar(
        [each.value for each in found],
        list(heights),
        xerr=_reach(found),
        fmt=mark,
        color=colour,
        markersize=4.5,
        capsize=2,
        linewidth=1.2,
        label=title,
    )


def _reach(found: Sequence[Estimate]) -> Float[np.ndarray, "2 row"]:
    """How far the intervals reach below and above; a percentile interval may leave out its value."""
    ends = np.array([(each.value - each.low, each.high - each.value) for each in found]).T
    reach: Float[np.ndarray, "2 row"] = np.clip(np.nan_to_num(ends), 0, None)
    return reach


@contextmanager
def _figure(width: float, height: float) -> Iterator[Figure]:
    with mpl.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def _svg(figure: Figure, title: str) -> str:
    """The figure as an inline element that scales with the page, named for screen readers."""
    FigureCanvasSVG(figure)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = out.getvalue()
    whole = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :].strip(), flags=re.S)
    sizeless = re.sub(r' (?:width|height)="[^"]*pt"', "", whole, count=2)
    return sizeless.replace("<svg", f'<svg role="img" aria-label="{_attribute(title)}"', 1)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
