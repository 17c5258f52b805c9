"""What the statistics of a run cost: in proportion to its cells, whatever they are grouped by."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from big_ledger import big_rows

from simlab.statistics import heatmap, leaderboard, met, power_curve, tallies, verdicts
from simlab.store.tables import table


def synthetic(n_methods: int, n_circuits: int) -> pd.DataFrame:
    """Two cells of each method and each of two baselines on each circuit, half of these rivals."""
    return table(list(big_rows(1, n_methods, n_circuits, np.random.default_rng(0))))


def asked_for(monkeypatch: pytest.MonkeyPatch, name: str, cells: pd.DataFrame) -> int:
    """How often a leaderboard of these cells asks for the verdict of this name."""
    calls, verdict = [], getattr(verdicts, name)
    with monkeypatch.context() as patched:
        patched.setattr(verdicts, name, lambda *args: calls.append(name) or verdict(*args))
        leaderboard(cells)
    return len(calls)


@pytest.mark.parametrize("name", ["told", "abstained", "error", "settled"])
def test_a_leaderboard_asks_for_each_verdict_as_often_for_forty_methods_as_for_four(monkeypatch, name):
    few, many = (asked_for(monkeypatch, name, synthetic(n, 4)) for n in (4, 40))
    assert 0 < many == few


def all_statistics(cells: pd.DataFrame) -> None:
    leaderboard(cells)
    heatmap(cells, "connectivity")
    power_curve(cells.assign(seconds=cells["trials"] * cells["duration"]), "seconds")
    for value in ("recovery", "false_recovery"):
        tallies(met(cells, "circuit_label", value), ["method_label", "circuit_label"])


def processor_time(cells: pd.DataFrame) -> float:
    """The least of three attempts [s], which other work on the machine moves little."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        all_statistics(cells)
        spent.append(time.process_time() - start)
    return min(spent)


@pytest.mark.slow
def test_four_times_the_cells_take_less_than_six_times_the_processor_time():
    small, large = synthetic(23, 40), synthetic(48, 80)
    assert (len(small), len(large)) == (2000, 8000)
    assert processor_time(large) < 6 * processor_time(small)
