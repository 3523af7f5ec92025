"""The CONSORT diagram of a cohort: from all stays in the records, rule by rule, to the three splits.

Rules that left out no stay stand in the box they follow; each other rule has an arrow, what it left out
beside it, and what remained below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

from clinragen.evaluate.report.plots import BLUE, INK, MUTED, ORANGE

_WIDTH, _MAIN, _SIDE_AT = 760, 340, 420
_LETTERS, _LINE, _PAD, _GAP = 50, 17, 11, 46
_SPLIT_GAP = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """How many stays are left, how many `rule` left out before it, and the rules that all of them met."""

    left: int
    lost: int
    rule: str
    met_by_all: tuple[str, ...]


def stages(selection: Sequence[Mapping[str, Any]]) -> list[Stage]:
    """The stages of a selection (rows of rule, before, after); no stage where there is no row."""
    found: list[Stage] = []
    for row in selection:
        if not found:
            found = [Stage(row["before"], 0, "", ())]
        if lost := row["before"] - row["after"]:
            found.append(Stage(row["after"], lost, row["rule"], ()))
        else:
            last = found.pop()
            found.append(Stage(last.left, last.lost, last.rule, (*last.met_by_all, row["rule"])))
    return found


def consort_diagram(selection: Sequence[Mapping[str, Any]], splits: Mapping[str, int]) -> str:
    """The diagram as an inline SVG element, the same bytes for the same counts; "" without a selection."""
    if not (told := stages(selection)):
        return ""
    parts, top = [], 1
    for stage in told:
        if stage.lost:
            parts += _left_out(stage, top)
            top += _side_height(stage) + _GAP
        lines = _main_lines(stage)
        parts.append(_box(1, top, _MAIN, lines, BLUE))
        top += _height(lines)
    if splits:
        parts += _split_boxes(splits, top)
        top += _GAP + _height(["", ""])
    label = f"Selection: {told[0].left:,} stays in the records, {told[-1].left:,} studied"
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {top + 1}" '
        f'font-family="sans-serif" font-size="13" fill="{INK}">{"".join(parts)}</svg>'
    )


def _main_lines(stage: Stage) -> list[str]:
    title = f"{stage.left:,} stays" + ("" if stage.lost else " in the records")
    met = [line for rule in stage.met_by_all for line in _wrapped(f"· {rule}")]
    return [title, *(["all meet:"] if met else []), *met]


def _side_lines(stage: Stage) -> list[str]:
    return [f"{stage.lost:,} left out, not meeting:", *_wrapped(f"· {stage.rule}")]


def _side_height(stage: Stage) -> int:
    return _height(_side_lines(stage)) - _GAP // 2


def _left_out(stage: Stage, top: int) -> list[str]:
    """An arrow down from the box above, and beside it the stays that its rule left out."""
    lines, down = _side_lines(stage), _side_height(stage) + _GAP
    middle = top + down // 2
    return [
        _arrow(_MAIN // 2, top, _MAIN // 2, top + down),
        _arrow(_MAIN // 2, middle, _SIDE_AT, middle),
        _box(_SIDE_AT, middle - _height(lines) // 2, _WIDTH - _SIDE_AT - 1, lines, ORANGE),
    ]


def _split_boxes(splits: Mapping[str, int], top: int) -> list[str]:
    """The splits side by side, each below an arrow from the last box."""
    width = (_WIDTH - 2 - _SPLIT_GAP * (len(splits) - 1)) // len(splits)
    parts = []
    for place, (name, count) in enumerate(splits.items()):
        left = 1 + place * (width + _SPLIT_GAP)
        parts.append(_arrow(_MAIN // 2, top, left + width // 2, top + _GAP))
        parts.append(_box(left, top + _GAP, width, [f"{count:,} stays", name], BLUE))
    return parts


def _box(left: int, top: int, width: int, lines: Sequence[str], colour: str) -> str:
    """A box of lines of text, the first one bold."""
    texts = "".join(
        f'<text x="{left + _PAD}" y="{top + _PAD + 13 + row * _LINE}"'
        + (' font-weight="650">' if row == 0 else f' fill="{MUTED}" font-size="12">')
        + f"{escape(line)}</text>"
        for row, line in enumerate(lines)
    )
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{_height(lines)}" rx="6" fill="#fff" '
        f'stroke="{colour}" stroke-width="1.5"/>{texts}'
    )


def _arrow(from_x: int, from_y: int, to_x: int, to_y: int) -> str:
    """A line with a head at its end, straight, or down, across and down again."""
    half = (from_y + to_y) // 2
    path = f"M{from_x} {from_y}" + (f"H{to_x}" if from_y == to_y else f"V{half}H{to_x}V{to_y}")
    is_level = from_y == to_y
    head = "l-7 -4v8z" if is_level else "l-4 -7h8z"
    return (
        f'<path d="{path}" fill="none" stroke="{MUTED}" stroke-width="1.2"/>'
        f'<path d="M{to_x} {to_y}{head}" fill="{MUTED}"/>'
    )


def _height(lines: Sequence[str]) -> int:
    return 2 * _PAD + _LINE * len(lines)


def _wrapped(text: str) -> list[str]:
    return wrap(text, _LETTERS)
