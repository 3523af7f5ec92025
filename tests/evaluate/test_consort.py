"""How stays were selected, as a diagram: every stay in the records is in a box, below or beside."""

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from clinragen.evaluate.report.consort import consort_diagram, stages

SELECTION = [
    {"rule": "of one patient", "before": 50, "after": 50},
    {"rule": "adult", "before": 50, "after": 41},
    {"rule": "coded <once> & known", "before": 41, "after": 41},
    {"rule": "measured", "before": 41, "after": 40},
]


def test_a_rule_that_left_out_nobody_stands_with_the_stays_that_met_it():
    found = [(stage.left, stage.lost, stage.rule, stage.met_by_all) for stage in stages(SELECTION)]
    assert found == [
        (50, 0, "", ("of one patient",)),
        (41, 9, "adult", ("coded <once> & known",)),
        (40, 1, "measured", ()),
    ]


def test_the_diagram_says_who_was_left_out_by_which_rule_and_where_the_rest_went():
    said = list(ElementTree.fromstring(consort_diagram(SELECTION, {"train": 28, "held_out": 12})).itertext())
    assert "50 stays in the records" in said
    assert said[said.index("9 left out, not meeting:") + 1] == "· adult"
    assert "· coded <once> & known" in said
    assert said[-4:] == ["28 stays", "train", "12 stays", "held_out"]


def test_no_selection_has_no_diagram():
    assert consort_diagram([], {}) == ""


@given(st.lists(st.integers(0, 9), max_size=7), st.integers(1, 99))
def test_left_out_and_kept_add_up_and_everything_stands_inside_the_picture(losses, kept):
    before, rows = sum(losses) + kept, []
    for number, lost in enumerate(losses or [0]):
        rows.append(
            {"rule": f"a rule of many words, number {number} " * 3, "before": before, "after": before - lost}
        )
        before -= lost
    svg = consort_diagram(rows, {"train": kept})
    picture = ElementTree.fromstring(svg)
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    told = [int(n) for n in re.findall(r"(\d+) left out", svg)]
    assert sum(told) == sum(losses)
    for box in picture.iter("rect"):
        left, top, wide, high = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert left >= 0 and left + wide <= width and top >= 0 and top + high <= height
