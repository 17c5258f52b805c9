"""Rankings of like cells: who is compared with whom, over which cells, and who stands on top."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simlab.statistics import leaderboard
from simlab.statistics.ranking import leagues

NAN = float("nan")


def cells(method: str, right: int, n: int = 10, **columns: object) -> pd.DataFrame:
    """n subjects, of which the first `right` are recovered (on a rival: not fooled, `wrong` of them are)."""
    hit = (np.arange(n) < right).astype(float)
    fixed = {
        "role": "circuit", "circuit": "net", "circuit_label": "net", "trials": 10, "duration": 1.0,
        "instrument_label": "few", "method": method, "method_label": method, "question": "connectivity",
        "kind": "baseline" if method.startswith("baseline:") else "passive", "status": "ok", "recovered": hit,
        "false_recovery": NAN, "confidence": NAN, "mcc": hit, "subject": np.arange(n),
    }  # fmt: skip
    return pd.DataFrame(fixed | columns)


def rival(method: str, fooled: int, n: int = 10, **columns: object) -> pd.DataFrame:
    wrong = (np.arange(n) < fooled).astype(float)
    fixed = {"role": "rival", "circuit": "twin", "circuit_label": "twin", "recovered": NAN, "false_recovery": wrong}
    return cells(method, 0, n, **(fixed | {"mcc": NAN} | columns))


def board(*tables: pd.DataFrame) -> pd.DataFrame:
    return leaderboard(pd.concat(tables, ignore_index=True)).set_index("method_label")


def test_a_rate_counts_only_cells_that_all_have_met() -> None:
    wide = [cells("a", 10), cells("a", 0, instrument_label="many"), cells("b", 6)]
    found = board(*wide)
    assert found["recovery"].to_dict() == {"a": 1.0, "b": 0.6}
    assert found["n_left_out"].to_dict() == {"a": 10, "b": 0}
    assert found["league"].to_dict() == {"a": 1, "b": 1}


def test_subjects_that_one_of_them_has_not_met_are_left_out() -> None:
    found = board(cells("a", 10, n=20), cells("b", 6))
    assert found.loc["a", "recovery"] == 1.0
    assert found["n"].to_dict() == {"a": 10, "b": 10}


def test_methods_that_share_no_setting_are_split_and_not_ranked_together() -> None:
    found = board(cells("a", 2), cells("b", 3), cells("c", 9, instrument_label="many"))
    assert found["league"].to_dict() == {"a": 1, "b": 1, "c": 2}
    assert list(found.index) == ["b", "a", "c"]
    assert found["n_left_out"].sum() == 0


def test_a_pipeline_that_met_one_instrument_does_not_shrink_the_ranking_of_the_others() -> None:
    everywhere = [cells(m, 5, instrument_label=i) for m in ("a", "b", "c") for i in ("few", "many", "calcium")]
    found = board(*everywhere, cells("pipeline", 9, instrument_label="calcium"))
    assert found["n"].to_dict() == {"a": 30, "b": 30, "c": 30, "pipeline": 10}
    assert found["league"].to_dict() == {"a": 1, "b": 1, "c": 1, "pipeline": 2}
    there = board(*(t for t in (*everywhere, cells("pipeline", 9, instrument_label="calcium"))
                    if (t["instrument_label"] == "calcium").all()))  # fmt: skip
    assert set(there["league"]) == {1}


def test_chance_is_that_of_the_same_cells() -> None:
    lucky = [cells("baseline:random", 5), cells("baseline:random", 10, instrument_label="many")]
    found = board(cells("a", 8), *lucky)
    assert found.loc["a", "chance_recovery"] == 0.5
    assert found.loc["baseline:random", "n_left_out"] == 10
    assert set(found["league"]) == {1}


def test_baselines_do_not_decide_what_is_compared() -> None:
    alone = [cells(m, 5, instrument_label=f"i{i}") for i in range(20) for m in ("a", "baseline:random")]
    pair = [cells(m, 5, instrument_label="shared") for m in ("a", "b", "baseline:random")]
    labels = pd.concat([*alone, *pair], ignore_index=True)
    (members, settings), *_ = leagues(labels.assign(_setting=list(zip(labels["instrument_label"], strict=True))))
    assert members == ["a", "b", "baseline:random"]
    assert settings == {("shared",)}


def test_a_method_that_is_always_fooled_never_stands_on_top() -> None:
    found = board(
        cells("always claims", 10), rival("always claims", 10),
        cells("never claims", 0), rival("never claims", 0),
        cells("guesses", 4), rival("guesses", 5),
        cells("tells", 6), rival("tells", 1),
    )  # fmt: skip
    assert list(found.index) == ["tells", "never claims", "guesses", "always claims"]
    assert found["separation"].tolist() == pytest.approx([0.5, 0.0, -0.1, 0.0])


def test_the_order_is_by_separation_not_by_recovery() -> None:
    found = board(cells("keen", 10), rival("keen", 8), cells("careful", 6), rival("careful", 0))
    assert list(found.index) == ["careful", "keen"]


def test_answering_one_cell_in_ten_is_no_way_to_the_top() -> None:
    shy = cells("shy", 10)
    shy.loc[1:, ["status", "recovered", "mcc"]] = ["abstained", NAN, NAN]
    found = board(shy, cells("open", 6))
    assert found["recovery"].to_dict() == {"shy": 1.0, "open": 0.6}
    assert list(found.index) == ["open", "shy"]


def test_failing_on_every_rival_ranks_as_if_fooled_by_each() -> None:
    crash = rival("crashes", 0, status="error", false_recovery=NAN)
    found = board(cells("crashes", 9), crash, cells("modest", 3), rival("modest", 1))
    assert list(found.index) == ["modest", "crashes"]
    assert np.isnan(found.loc["crashes", "separation"])


def active(right: int, **columns: object) -> pd.DataFrame:
    return cells("push", right, kind="active", **({"stimulator_label": "ideal"} | columns))


def test_of_an_active_methods_budgets_the_one_that_met_most_settings_counts() -> None:
    swept = [active(9, budget_perturbations=10.0), active(0, budget_perturbations=4.0)]
    swept += [active(9, budget_perturbations=20.0, trials=20), active(0, budget_perturbations=10.0,
                                                                      stimulator_label="light")]  # fmt: skip
    found = board(*swept, cells("watch", 5), cells("watch", 5, trials=20))
    assert (found.loc["push", "recovery"], found.loc["push", "n"], found.loc["push", "n_left_out"]) == (0.9, 20, 20)


def test_questions_are_ranked_apart() -> None:
    other = cells("a", 3, question="topology", exact=1.0)
    found = leaderboard(pd.concat([cells("a", 4), other], ignore_index=True))
    assert found["recovery"].tolist() == [0.4, 0.3]
