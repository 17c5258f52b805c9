"""Answers split by weight and distance, and which parameter of a family decides: on tables with a known answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from synthetic_run import row

from simlab.contracts import SimlabError
from simlab.statistics.families import deciding, family_size, strongest
from simlab.statistics.splits import wiring_split
from simlab.store.tables import table
from simlab.terminal import deciding_text


def family(n_subjects: int) -> pd.DataFrame:
    """Subjects whose MCC falls with `noise`, not with `size`; `size` is known to no figure."""
    rng = np.random.default_rng(0)
    rows = []
    for subject in range(n_subjects):
        noise, size = rng.random(2)
        mcc = 1 - noise + 0.02 * rng.normal()
        drawn = json.dumps({"noise": noise, "size": size, "fixed": 3, "name": "x", "like": {"a": 1}})
        rows.append(row(cell=str(subject), subject=subject, metrics=json.dumps({"mcc": mcc}), drawn=drawn))
    return table(rows)


def test_the_parameter_that_decides_is_named_first() -> None:
    found = deciding(family(20), "mcc")
    assert found["parameter"].tolist() == ["noise", "size"]
    first, second = found.iloc[0], found.iloc[1]
    assert first["high"] < -0.9
    assert abs(second["joint"]) < 0.15  # what it shares with the noise by chance is taken off
    assert first["joint"] == pytest.approx(-1, abs=0.1)
    assert found["subjects"].tolist() == [20, 20]


def test_few_subjects_and_runs_that_draw_nothing_are_told_so() -> None:
    assert deciding(family(4), "mcc").empty
    assert deciding(family(5), "mcc")["joint"].isna().all()
    with pytest.raises(SimlabError, match="no parameters were drawn"):
        deciding(table([row()]), "mcc")


def with_others(rows: pd.DataFrame) -> pd.DataFrame:
    """The same run with a sweep of the circuit that was not drawn, whose subjects bear the same numbers."""
    sweep = [row(cell=f"s{s}", subject=s, metrics=json.dumps({"mcc": 100.0 * s})) for s in range(20)]
    return pd.concat([rows, table(sweep)], ignore_index=True)


def test_cells_of_circuits_that_were_not_drawn_do_not_count() -> None:
    alone, beside = deciding(family(20), "mcc"), deciding(with_others(family(20)), "mcc")
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), beside.reset_index(drop=True))


def test_the_strongest_parameter_of_each_family_and_method_is_told_with_how_many_were_tried() -> None:
    rows = with_others(family(20))
    found = strongest(rows, "connectivity", "mcc")
    assert found[["circuit", "parameter", "of"]].to_numpy().tolist() == [["balanced_ei", "noise", 2]]
    said = deciding_text(rows, pd.DataFrame({"question": ["connectivity"], "metric": ["mcc"]}))
    assert "over 20 subjects of a family" in said
    assert "m: noise, rank correlation -" in said


def test_a_run_says_that_too_few_subjects_were_drawn_and_nothing_where_none_were() -> None:
    board = pd.DataFrame({"question": ["connectivity"], "metric": ["mcc"]})
    assert "2 subjects of a family: at least 5" in deciding_text(family(2), board)
    assert deciding_text(table([row()]), board) == ""
    assert family_size(table([row()]), "connectivity") == 0


def answers():
    """One cell: neurons on a line, each exciting the next five, more strongly the farther; the strong half is found."""
    apart = np.abs(np.subtract.outer(np.arange(12.0), np.arange(12.0)))
    edge = (apart >= 1) & (apart <= 5) & (np.arange(12)[:, None] < np.arange(12))
    truth = xr.Dataset({
        "weight": (("pre", "post"), np.where(edge, apart, 0.0)), "edge": (("pre", "post"), edge),
        "sign": (("pre", "post"), np.where(edge, np.where(apart > 3, 1, -1), 0)),
        "ambiguous": (("pre", "post"), np.zeros((12, 12), bool)), "distance": (("pre", "post"), apart),
    })  # fmt: skip
    decided = (edge & (apart > 3)) | ((apart == 1) & ~edge)
    for kind, name in (("passive", "m"), ("baseline", "oracle")):
        yield {"kind": kind, "method_label": name, "circuit_label": "c", "subject": 0}, {"decided": decided}, truth


def test_recall_by_weight_distance_and_sign_is_what_was_planted() -> None:
    by_weight = wiring_split(answers(), "weight", bins=5)
    assert set(by_weight["method_label"]) == {"m"}
    assert by_weight["n_edges"].sum() == 45
    assert by_weight["recall"].iloc[0] == 0
    assert by_weight["recall"].iloc[-1] == 1
    assert by_weight["false_positive_rate"].isna().all()
    by_distance = wiring_split(answers(), "distance", bins=5)
    assert by_distance["false_positive_rate"].iloc[0] > 0.5  # neighbours, backwards
    assert (by_distance["false_positive_rate"].iloc[1:] == 0).all()
    by_sign = wiring_split(answers(), "sign")
    assert by_sign["recall"].tolist() == [0, 1]
    with pytest.raises(SimlabError, match="'colour'"):
        wiring_split(answers(), "colour")
    with pytest.raises(SimlabError, match="bins must be >= 2"):
        wiring_split(answers(), "weight", bins=1)
