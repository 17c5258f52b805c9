"""Numbers, labels and docstrings as the report's pages say them."""

from __future__ import annotations

import pytest

from simlab.report import words
from simlab.report.matrices import ROOM, Block


def test_labels_that_would_look_alike_keep_their_ends():
    alike = [f"information_limiting(peak=3.0, drift={drift}, sharpness=0.0)" for drift in (0.1, 0.25, 0.5)]
    others = ["hypercolumn", "feedforward_hypercolumn(knee=2.0)"]
    heads = words.told_apart([*alike, *others], ROOM)
    assert max(len(head) for head in heads) <= ROOM
    assert heads[3:] == ["hypercolumn", words.shortened(others[1], ROOM)]
    assert heads[:3] == [f"informati…drift={drift}, sharpness…"[: ROOM - 1] + "…" for drift in (0.1, 0.25, 0.5)]
    nearer = [f"drifting_units(drift=0.1, memory={memory})" for memory in (20.0, 40.0)]
    assert words.told_apart(nearer, ROOM) == ["drifting_…memory=20.0)", "drifting_…memory=40.0)"]
    three = [f"information_limiting(peak=3.0, {more})" for more in ("sharpness=0", "drift=.5", "drift=.5, block=10")]
    assert len({*words.told_apart(three, ROOM)}) == 3
    longer = words.told_apart(["x" * 40, "x" * 41], ROOM)  # one is the other's beginning
    assert [len(head) for head in longer] == [ROOM, ROOM]


def test_a_matrix_tells_its_columns_apart_and_whole_when_pointed_at():
    labels = ["subsample(n_units=20, of_cell_type='excitatory')", "subsample(n_units=20, of_cell_type='inhibitory')"]
    heads = Block("recovery", labels, {}, "").heads
    assert [whole for whole, _ in heads] == labels
    assert len({head for _, head in heads}) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("One line\nof two.\n\nAnother,\n  indented.", ["One line of two.", "Another, indented."]),
        ("Fires at `spontaneous` + r.", ["Fires at spontaneous + r."]),
        ("\n\n", []),
    ],
)
def test_a_docstring_is_told_in_paragraphs_without_its_marks(text, told):
    assert words.paragraphs(text) == told


@pytest.mark.parametrize(("most", "told"), [(6, "a_lab…"), (7, "a_label"), (60, "a_label")])
def test_a_text_is_cut_only_where_it_is_too_long(most, told):
    assert words.shortened("a_label", most) == told


def test_a_cut_text_says_the_whole_when_pointed_at_and_lets_no_markup_through():
    found = str(words.cut("<b>" + "x" * 80, 20))
    assert found.startswith('<span title="&lt;b&gt;xxxx')
    assert "<b>" not in found
    assert found.endswith("…</span>")
    assert str(words.cut("f(a=1)")) == "f(<wbr>a=<wbr>1)"
