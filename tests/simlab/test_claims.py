"""Figures behind claims, on tables small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simlab.claims import Measured, chosen, difference, mean, rate, separation

TABLE = pd.DataFrame(
    {
        "method": ["m"] * 8,
        "circuit": ["c"] * 4 + ["r"] * 4,
        "role": ["circuit"] * 4 + ["rival"] * 4,
        "subject": [0, 1, 2, 3] * 2,
        "recovered": [1, 1, 1, 0, np.nan, np.nan, np.nan, np.nan],
        "false_recovery": [np.nan] * 4 + [1, 0, 0, np.nan],
        "auroc": [0.5, 0.7, 0.9, 0.9] + [np.nan] * 4,
    }
)


def test_rows_are_chosen_by_value_or_by_any_of_several():
    assert len(chosen(TABLE, role="rival", subject=(0, 1))) == 2


def test_a_rate_leaves_out_cells_without_a_verdict():
    measured = rate(TABLE, "false_recovery", role="rival")
    assert (measured.value, measured.n) == (pytest.approx(1 / 3), 3)
    assert measured.low < 1 / 3 < measured.high


def test_a_rate_of_nothing_is_not_a_number():
    assert np.isnan(rate(TABLE, "recovered", method="other").value)


def test_a_mean_has_an_interval_over_subjects():
    measured = mean(TABLE, "auroc")
    assert measured.value == pytest.approx(0.75)
    assert 0.5 <= measured.low < 0.75 < measured.high <= 0.9


def test_separation_is_recovery_minus_false_recovery_and_abstention_separates_nothing():
    assert separation(TABLE, "m").value == pytest.approx(0.75 - 0.25)


def test_a_difference_combines_both_intervals():
    result = difference(Measured(0.8, 0.7, 0.9, 10), Measured(0.3, 0.1, 0.5, 20))
    assert result.value == pytest.approx(0.5)
    assert result.low == pytest.approx(0.5 - np.hypot(0.1, 0.2))
    assert result.high == pytest.approx(0.5 + np.hypot(0.1, 0.2))
    assert result.n == 30
