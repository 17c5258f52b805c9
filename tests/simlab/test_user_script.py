"""A script as a new user writes it, with a method and a sweep of its own, and what it gets against the table."""

from __future__ import annotations

import pandas as pd
import pytest

SCRIPT = """
from dataclasses import dataclass, replace
import matplotlib; matplotlib.use("Agg")
import numpy as np
import simlab
from toys import ToyChain, ToyRival

@dataclass(frozen=True)
class Follows:
    name, question, family, library = "follows", "connectivity", "cross-correlation", "own"
    needs = simlab.Needs(modalities=("spikes",), units=2)
    threshold: float = 5.0

    def analyse(self, recording, rng):
        x = simlab.bin_spikes(recording, 0.003).values.astype(float)
        x -= x.mean((0, 1))
        z = np.einsum("abi,abj->ij", x[:, :-1], x[:, 1:]) / np.sqrt(np.outer(*[(x**2).sum((0, 1))] * 2) + 1e-9)
        decided = (z * np.sqrt(x[..., 0].size) > self.threshold) & ~np.eye(len(z), dtype=bool)
        return simlab.Finding({"score": z, "decided": decided, "sign": decided.astype(int)})

grid = simlab.Grid(circuits=(ToyChain(),), rivals=(ToyRival(),), baselines=True, ceiling=simlab.Plan(100, 1.0),
                   plans=tuple(simlab.Plan(5, d) for d in (0.5, 2.0)), methods=(Follows(1.0), Follows(5.0)),
                   instruments=tuple(simlab.create("instruments", "subsample", n_units=n) for n in (3, 5)))
results = simlab.run(simlab.Experiment("mine", "Who follows whom?", (grid,), subjects=2), out, archive=False)
board = results.leaderboard(by=("instrument.n_units", "duration"))
power = results.plot_power("method.threshold")
false = results.plot_false_recovery("duration", methods="follows")
curve, wrong = results.curve("instrument.n_units"), results.curve("method.threshold", "false_recovery")
page = results.report()
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> dict:
    names = {"out": tmp_path_factory.mktemp("script") / "run", "__name__": "__main__"}
    exec(compile(SCRIPT, "script.py", "exec"), names)
    return names


def test_it_has_about_twenty_statements() -> None:
    body = SCRIPT.partition("grid = ")[2]
    assert len(body.strip().splitlines()) <= 20


def test_each_number_of_each_board_is_that_of_the_table(script) -> None:
    table: pd.DataFrame = script["results"].table
    board = script["board"]
    own = board[board["method_label"].str.startswith("follows")]
    assert len(own) == 8
    for _, row in own.iterrows():
        there = (table["instrument.n_units"] == row["instrument.n_units"]) & (table["duration"] == row["duration"])
        cells = table[there & (table["method_label"] == row["method_label"])]
        circuits, rivals = (cells[cells["role"] == role] for role in ("circuit", "rival"))
        assert row["asked"] == len(circuits) == 2
        assert row["answered"] == (circuits["status"] == "ok").sum()
        assert row["recovery_of_asked"] == (circuits["recovered"] == 1).sum() / 2
        assert row["false_recovery"] == rivals["false_recovery"].mean()
        assert row["separation"] == pytest.approx(row["recovery"] - row["false_recovery"])


def test_in_each_board_the_best_separation_comes_first_and_no_method_that_is_always_fooled(script) -> None:
    board = script["board"]
    for _, part in board.groupby(["instrument.n_units", "duration"], sort=False):
        separation = part[part["false_recovery"] < 1]["separation"]
        assert separation.is_monotonic_decreasing
        assert part["false_recovery"].iloc[0] < 1


def test_curves_are_the_tables_means_over_the_own_parameter(script) -> None:
    table = script["results"].table
    own = table[(table["method"] == "follows") & (table["role"] == "rival")]
    expected = own.groupby("method.threshold")["false_recovery"].mean()
    wrong = script["wrong"].set_index("method.threshold")
    assert wrong["false_recovery"].to_dict() == expected.to_dict()
    assert wrong["method_label"].unique().tolist() == ["follows"]
    assert expected[1.0] > expected[5.0]  # a lax threshold is fooled more often
    circuits = table[(table["method"] == "follows") & (table["role"] == "circuit")]
    means = circuits.groupby(["method_label", "instrument.n_units"])["recovered"].mean()
    curve = script["curve"].set_index(["method_label", "instrument.n_units"])
    assert curve["recovery"].to_dict() == means.to_dict()


def test_figures_show_these_curves_and_the_report_is_there(script) -> None:
    power, false = script["power"], script["false"]
    assert power.get_xlabel() == "method: threshold"
    recovery = script["results"].curve("method.threshold")["recovery"].tolist()
    assert recovery in [list(line.get_ydata()) for line in power.lines]
    assert (false.get_xlabel(), false.get_ylabel()) == ("length of a trial [s]", "false-recovery rate")
    assert script["page"].is_file()
