"""What each kind of cell counts as, cell by cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simlab.statistics import verdicts

NAN = float("nan")
# role, status, recovered, false_recovery -> recovered, fooled, right, (hit, fall) of a separation
CASES = [
    ("circuit", "ok", 1.0, NAN, 1, NAN, 1, 1, NAN),
    ("circuit", "ok", 0.0, NAN, 0, NAN, 0, 0, NAN),
    ("circuit", "ok", NAN, NAN, NAN, NAN, NAN, NAN, NAN),  # the question has no answer there
    ("circuit", "abstained", NAN, NAN, NAN, NAN, NAN, 0, NAN),
    ("circuit", "error", NAN, NAN, 0, NAN, NAN, 0, NAN),
    ("circuit", "over_budget", NAN, NAN, 0, NAN, NAN, 0, NAN),
    ("rival", "ok", NAN, 1.0, NAN, 1, 0, NAN, 1),
    ("rival", "ok", NAN, 0.0, NAN, 0, 1, NAN, 0),
    ("rival", "ok", 1.0, 0.0, 1, 0, 1, NAN, 0),  # the question has an answer on the rival too
    ("rival", "abstained", NAN, NAN, NAN, NAN, NAN, NAN, 0),
    ("rival", "error", NAN, NAN, 0, NAN, NAN, NAN, NAN),
    ("rival", "over_budget", NAN, NAN, 0, NAN, NAN, NAN, NAN),
]


def table() -> pd.DataFrame:
    return pd.DataFrame([case[:4] for case in CASES], columns=["role", "status", "recovered", "false_recovery"])


@pytest.mark.parametrize(("name", "place"), [("recovered", 4), ("fooled", 5), ("right", 6)])
def test_every_kind_of_cell_counts_as_stated(name: str, place: int) -> None:
    np.testing.assert_array_equal(getattr(verdicts, name)(table()), [case[place] for case in CASES])


def test_abstentions_separate_nothing_and_failures_on_rivals_are_unknown() -> None:
    hits, falls = verdicts.separated(table())
    np.testing.assert_array_equal(hits, [case[7] for case in CASES])
    np.testing.assert_array_equal(falls, [case[8] for case in CASES])


def test_a_failure_on_a_rival_may_be_counted_either_way() -> None:
    for fate in (0.0, 1.0):
        assert verdicts.fooled(table(), failures=fate)[[10, 11]].tolist() == [fate, fate]
        assert verdicts.fooled(table(), failures=fate)[[3, 4, 9]].isna().all()  # circuits and abstentions are not


def test_a_metric_counts_where_an_answer_was_given() -> None:
    cells = table().assign(mcc=0.5)
    assert verdicts.counted(cells, "mcc").notna().tolist() == [case[1] == "ok" for case in CASES]
    assert verdicts.counted(cells, "error").sum() == 2
    with pytest.raises(KeyError, match="auroc"):
        verdicts.counted(cells, "auroc")
