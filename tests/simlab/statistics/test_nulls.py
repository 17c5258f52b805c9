"""What methods claim where nothing is connected, on rows whose rates are known."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from synthetic_run import row

from simlab.claims import null_errors, worst_null
from simlab.statistics.nulls import COLUMNS
from simlab.store.tables import table


def null_row(method: str, circuit: str, subject: int, p: float | None, found: bool, n_edges: int = 0) -> dict:
    metrics = {"p_below_05": p, "any_discovery": float(found), "n_edges": n_edges}
    return row(cell=f"{method}{circuit}{subject}", method=method, circuit=circuit, subject=subject,
               metrics=json.dumps(metrics))  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    found = [null_row("honest", "poisson", i, 0.05 + 0.01 * (-1) ** i, i == 0) for i in range(20)]
    found += [null_row("honest", "bursts", i, 0.045, False) for i in range(20)]
    found += [null_row("fooled", "poisson", i, 0.05, False) for i in range(20)]
    found += [null_row("fooled", "bursts", i, 0.14 + 0.01 * (i % 3), i > 3) for i in range(20)]
    found += [null_row("wordless", "poisson", i, None, i < 10) for i in range(20)]
    found += [null_row("honest", "network", i, 0.5, True, n_edges=7) for i in range(20)]
    found += [null_row("baseline:random", "poisson", i, None, True) | {"kind": "baseline"} for i in range(20)]
    found += [null_row("few", "poisson", i, 0.05, False) for i in range(2)]
    return table(found)


def test_each_method_is_judged_in_each_world_without_wiring_alone(rows) -> None:
    lines = null_errors(rows).set_index(["method_label", "circuit_label"])
    assert set(lines.index) == {
        ("honest", "poisson"), ("honest", "bursts"), ("fooled", "poisson"), ("fooled", "bursts"),
        ("wordless", "poisson"), ("few", "poisson"),
    }  # fmt: skip
    assert lines["verdict"].to_dict() == {
        ("honest", "poisson"): "keeps its word", ("honest", "bursts"): "keeps its word",
        ("fooled", "poisson"): "keeps its word", ("fooled", "bursts"): "errs",
        ("wordless", "poisson"): "errs", ("few", "poisson"): "",
    }  # fmt: skip
    assert lines.loc[("fooled", "bursts"), "any_discovery"] == 0.8
    assert pd.isna(lines.loc[("wordless", "poisson"), "p_below_05"])


def test_an_excess_that_one_of_many_worlds_shows_by_chance_is_no_error() -> None:
    # 3 of 15 with a discovery: Wilson's interval begins at .061 for one world and two rates, at .039 for 20.
    world = [null_row("m", "unlucky", i, None, i < 3) for i in range(15)]
    others = [null_row("m", f"world{k}", i, None, False) for k in range(19) for i in range(3)]
    assert null_errors(table(world)).set_index("circuit_label").loc["unlucky", "verdict"] == "errs"
    assert null_errors(table(world + others)).set_index("circuit_label").loc["unlucky", "verdict"] == "keeps its word"


def test_the_worst_world_is_named(rows) -> None:
    worst = worst_null(rows, method="fooled")
    assert worst.value == pytest.approx(0.15, abs=0.01)
    assert worst.low > 0.14
    assert worst.detail == "bursts through perfect"
    assert worst_null(rows, "any_discovery", method="honest").value == 0.05


def test_a_run_without_such_worlds_has_nothing_to_say(rows) -> None:
    assert list(null_errors(table([row()])).columns) == list(COLUMNS)
    assert null_errors(table([row()])).empty
    assert worst_null(rows, method="nobody").detail == "no world without wiring was answered"
