"""Leaderboards fit the terminal that they are printed on, and say what they left out."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import synthetic_run

from simlab.statistics import leaderboard
from simlab.store.tables import table
from simlab.terminal import board_text, cut, failures_text, terminal_width

LONG = "pipeline(steps=deconvolution(indicator=gcamp6f, sparsity=0.5), method=coupling_glm(width=0.001, alpha=0.05))"


def cells(method: str, **columns) -> list[dict]:
    verdict = {"recovered": 1, "false_recovery": None, "metrics": '{"mcc": 0.625}', "confidence": 0.9}
    return [
        synthetic_run.row(cell=f"{method}{i}", subject=i, method=method, method_label=method, **verdict | columns)
        for i in range(3)
    ]


@pytest.fixture(scope="module")
def board() -> pd.DataFrame:
    """Two leagues: a method that met one instrument only stands in its own."""
    rows = [row for name in ("first", "second", LONG) for row in cells(name)]
    rival = {"role": "rival", "circuit": "r", "circuit_label": "r", "recovered": None, "false_recovery": 0}
    rows += [row | {"cell": f"r{row['cell']}"} | rival for row in rows]
    rows += cells("third", instrument="two_photon", instrument_label="two_photon")
    return leaderboard(table(rows))


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("everything", [False, True])
def test_no_line_is_longer_than_the_terminal_is_wide(board, width, everything):
    text = board_text(board, width, everything=everything)
    lines = [line for line in text.splitlines() if not line.startswith("left out") and "league" not in line]
    assert max(map(len, lines)) <= width
    assert all(re.search(rf"^{name} +", text, flags=re.MULTILINE) for name in ("first", "second", "third"))


def test_a_narrow_terminal_drops_the_least_important_and_says_so(board):
    narrow, wide = board_text(board, 80), board_text(board, 200)
    for name in ("method", "recovered", "fooled", "cells", "abstains", "value"):
        assert name in narrow.splitlines()[1].split()
    assert "left out for want of room: " in narrow
    assert "all columns: --all, every cell: --csv" in narrow
    assert len(wide.splitlines()[1].split()) > len(narrow.splitlines()[1].split())


def test_everything_is_printed_where_everything_is_asked_for(board):
    text = board_text(board, 80, everything=True)
    assert "left out" not in text
    for column in ("n_answers", "separation_low", "brier", "perturbations"):
        assert re.search(rf"^method .*\b{column}\b", text, flags=re.MULTILINE)
    assert "0.62" in text  # the value


def test_leagues_are_told_apart(board):
    titles = re.findall(r"^connectivity: value is mcc, league (\d)", board_text(board, 100), flags=re.MULTILINE)
    assert titles == ["1", "2"]
    alone = board[board["league"] == 1]
    assert board_text(alone, 100).splitlines()[0] == "connectivity: value is mcc"


def test_a_long_label_keeps_its_beginning_and_its_end(board):
    assert re.search(r"^pipeline\(st.*….*alpha=0\.05\)\)", board_text(board, 120), flags=re.MULTILINE)
    assert cut("abcdefgh", 5) == "abc…h"[:3] + "…" + "h"
    assert cut("abc", 3) == "abc"


def test_an_empty_run_has_no_cells_yet():
    assert board_text(leaderboard(table([synthetic_run.row()])).iloc[:0], 80) == "no cells yet"


def test_failures_are_counted_by_reason_the_most_frequent_first():
    reasons = ["ValueError: a"] * 2 + ["KeyError:\n b"] * 3 + ["c", "d", "e"]
    kinds = ["error"] * 7 + ["fault"]  # a circuit's is no method's, and still no answer
    rows = [synthetic_run.row(cell=str(i), status=kinds[i], reason=reason) for i, reason in enumerate(reasons)]
    said = failures_text(table([*rows, synthetic_run.row(cell="fine")])).splitlines()
    assert said[0] == "8 of 9 cells ended with an error:"
    assert said[1].split() == ["3", "x", "KeyError:", "b"]
    assert said[2].split() == ["2", "x", "ValueError:", "a"]
    assert "and 2 other reasons" in said[-1]
    assert failures_text(table([synthetic_run.row()])) == ""


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "97")
    assert terminal_width() == 97
    monkeypatch.setenv("COLUMNS", "7")
    assert terminal_width() == 40
