"""Summaries of results tables: who counts in which rate, and what stands beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simlab.contracts import SimlabError
from simlab.statistics import calibration, effective_chance, heatmap, leaderboard, summarise
from simlab.statistics.intervals import wilson


def cells(n: int = 10, right: int = 0, **columns: object) -> pd.DataFrame:
    """n cells of one subject each, of which the first `right` are recovered."""
    table = pd.DataFrame({"subject": np.arange(n), "recovered": (np.arange(n) < right).astype(float)})
    fixed = {
        "experiment": "e", "role": "circuit", "circuit": "net", "circuit_label": "net", "trials": 10, "duration": 1.0,
        "method": "glm", "method_label": "glm", "question": "connectivity", "kind": "passive", "status": "ok",
        "false_recovery": np.nan, "confidence": np.nan, "mcc": table["recovered"], "chance_mcc": 0.0,
        "spent_trials": 10, "spent_seconds": 10.0, "spent_perturbations": 0, "seconds_analysis": 0.5,
    }  # fmt: skip
    return table.assign(**(fixed | columns))


def rivals(n: int = 10, fooled: int = 0, **columns: object) -> pd.DataFrame:
    wrong = (np.arange(n) < fooled).astype(float)
    fixed = {"role": "rival", "circuit": "rival", "circuit_label": "rival", "mcc": np.nan, "chance_mcc": np.nan}
    return cells(n, **(fixed | {"recovered": np.nan, "false_recovery": wrong} | columns))


def failed(n: int, status: str, **columns: object) -> pd.DataFrame:
    return cells(n, status=status, recovered=np.nan, mcc=np.nan, **columns)


def together(*tables: pd.DataFrame) -> pd.DataFrame:
    """One table; subjects renumbered so that no two cells share one."""
    table = pd.concat(tables, ignore_index=True)
    return table.assign(subject=np.arange(len(table)))


def test_recovery_is_the_share_of_answers_with_wilsons_interval() -> None:
    row = summarise(cells(20, right=8)).iloc[0]
    assert row["recovery"] == 0.4
    assert (row["recovery_low"], row["recovery_high"]) == pytest.approx(wilson(8, 20))
    assert (row["n"], row["n_answers"], row["n_subjects"]) == (20, 20, 20)


def test_an_abstention_is_neither_right_nor_wrong() -> None:
    row = summarise(together(cells(10, right=5), failed(10, "abstained"))).iloc[0]
    assert row["recovery"] == 0.5
    assert row["n_answers"] == 10
    assert row["abstention"] == 0.5


def test_errors_and_spent_budgets_count_as_not_recovered_and_are_shown() -> None:
    row = summarise(together(cells(10, right=5), failed(6, "error"), failed(4, "over_budget"))).iloc[0]
    assert row["recovery"] == 0.25
    assert (row["error_rate"], row["over_budget"], row["abstention"]) == (0.3, 0.2, 0.0)


def test_a_truth_that_cannot_be_asked_is_no_failure() -> None:
    row = summarise(together(cells(10, right=5), cells(10, recovered=np.nan))).iloc[0]
    assert (row["recovery"], row["n_answers"], row["n"]) == (0.5, 10, 20)


def test_a_method_that_only_abstains_has_no_recovery() -> None:
    row = summarise(failed(5, "abstained")).iloc[0]
    assert np.isnan([row["recovery"], row["recovery_low"], row["recovery_high"], row["value"]]).all()
    assert row["abstention"] == 1


def test_false_recovery_is_counted_on_rivals_alone_and_without_abstentions() -> None:
    silent = rivals(10, status="abstained", false_recovery=np.nan)
    row = summarise(together(cells(10, right=10), rivals(20, fooled=5), silent)).iloc[0]
    assert row["false_recovery"] == 0.25
    assert (row["false_recovery_low"], row["false_recovery_high"]) == pytest.approx(wilson(5, 20))
    assert (row["n_rival"], row["rival_abstention"]) == (30, pytest.approx(1 / 3))
    assert (row["recovery"], row["n"]) == (1.0, 10)


@pytest.mark.parametrize("status", ["error", "over_budget"])
def test_failing_on_rivals_never_makes_a_method_look_safer(status: str) -> None:
    crashed = rivals(10, status=status, false_recovery=np.nan)
    row = summarise(together(rivals(10, fooled=4), crashed)).iloc[0]
    assert (row["false_recovery"], row["n_rival"], row["n_rival_answers"]) == (0.4, 20, 10)
    assert (row["false_recovery_least"], row["false_recovery_most"]) == (0.2, 0.7)
    shares = {"error": (0.5, 0.0), "over_budget": (0.0, 0.5)}[status]
    assert (row["rival_error_rate"], row["rival_over_budget"]) == shares


def test_a_method_that_fails_on_every_rival_has_an_unknown_false_recovery() -> None:
    row = summarise(together(cells(5, 5), rivals(5, status="error", false_recovery=np.nan))).iloc[0]
    assert np.isnan([row["false_recovery"], row["separation"]]).all()
    assert (row["false_recovery_least"], row["false_recovery_most"]) == (0, 1)


def test_separation_counts_abstentions_as_nothing_told() -> None:
    silent = rivals(10, status="abstained", false_recovery=np.nan)
    row = summarise(together(cells(10, 8), failed(10, "abstained"), rivals(10, 2), silent)).iloc[0]
    assert row["separation"] == pytest.approx(8 / 20 - 2 / 20)
    assert row["separation_low"] < row["separation"] < row["separation_high"]


def test_without_rivals_there_is_no_separation() -> None:
    assert np.isnan(summarise(cells(10, 8)).iloc[0]["separation"])


def test_the_ceiling_is_that_of_the_circuits_that_were_met() -> None:
    elsewhere = cells(5, 0, role="ceiling", circuit="other", circuit_label="other", mcc=0.0)
    row = summarise(pd.concat([cells(10, 2), cells(5, 5, role="ceiling"), elsewhere])).iloc[0]
    assert (row["ceiling_recovery"], row["ceiling_n"]) == (1.0, 5)


def test_several_cells_of_a_subject_widen_the_interval() -> None:
    alone = cells(10, right=5)
    row = summarise(pd.concat([alone, alone, alone])).iloc[0]
    assert (row["n"], row["n_subjects"]) == (30, 10)
    assert (row["recovery_low"], row["recovery_high"]) == pytest.approx(wilson(5, 10))


def test_the_same_number_is_another_subject_in_another_circuit() -> None:
    table = pd.concat([cells(10, right=5), cells(10, right=5, circuit="two", circuit_label="two")])
    assert summarise(table).iloc[0]["n_subjects"] == 20


def test_the_headline_metric_comes_with_its_interval_and_chance() -> None:
    mcc = np.linspace(0, 1, 10)
    row = summarise(cells(10, mcc=mcc, chance_mcc=0.1)).iloc[0]
    assert (row["metric"], row["value"], row["chance"]) == ("mcc", pytest.approx(0.5), pytest.approx(0.1))
    # standard error of the mean: .319 / sqrt(10) = .101
    assert 0.25 < row["value_low"] < 0.4
    assert 0.6 < row["value_high"] < 0.75


def test_a_circuit_of_many_cells_does_not_carry_the_mean_out_of_its_interval():
    few = cells(10, mcc=np.linspace(0.2, 0.4, 10))
    many = [cells(10, mcc=0.9 + np.linspace(-0.01, 0.01, 10), circuit="net2", circuit_label="net2")] * 9
    row = summarise(pd.concat([few, *many])).iloc[0]
    assert row["value"] == pytest.approx(0.6)
    assert row["value_low"] < row["value"] < row["value_high"]


def test_the_ceiling_is_the_same_method_on_the_same_circuit_whatever_the_instrument() -> None:
    table = pd.concat(
        [
            cells(10, right=2, mcc=0.2, instrument="electrodes"),
            cells(5, right=4, mcc=0.9, role="ceiling", instrument="perfect"),
            cells(5, right=0, mcc=0.0, role="ceiling", instrument="perfect", method="corr", method_label="corr"),
        ]
    )
    rows = summarise(table, ["method_label", "instrument"])
    assert len(rows) == 1
    row = rows.iloc[0]
    assert (row["ceiling"], row["ceiling_recovery"], row["ceiling_n"]) == (pytest.approx(0.9), 0.8, 5)
    assert row["recovery"] == 0.2


def test_without_ceiling_cells_the_ceiling_is_unknown() -> None:
    row = summarise(cells(10)).iloc[0]
    assert np.isnan(row["ceiling"])
    assert row["ceiling_n"] == 0


def blind(right: int, kind: str, **columns: object) -> pd.DataFrame:
    name = f"baseline:{kind}"
    return cells(10, right=right, method=name, method_label=name, kind="baseline", **columns)


def test_effective_chance_is_the_better_blind_baseline_and_never_the_oracle() -> None:
    table = pd.concat([cells(10, right=9), blind(1, "random"), blind(3, "marginals_only"), blind(10, "oracle")])
    chance = effective_chance(table).iloc[0]
    assert (chance["chance_recovery"], chance["blind"]) == (pytest.approx(0.3), pytest.approx(0.3))
    board = leaderboard(table).set_index("method_label")
    assert board.loc["glm", "chance_recovery"] == pytest.approx(0.3)


def test_calibration_of_a_hand_worked_case() -> None:
    # .9 three times, right twice; .3 on a rival that did not fool it
    table = pd.concat([cells(3, right=2, confidence=0.9), rivals(1, confidence=0.3)])
    found = calibration(table)
    assert found["n_confidence"] == 4
    assert found["brier"] == pytest.approx((0.01 + 0.01 + 0.81 + 0.49) / 4)
    assert found["calibration_error"] == pytest.approx((3 * abs(0.9 - 2 / 3) + 0.7) / 4)


def test_confidence_that_is_earned_has_no_calibration_error() -> None:
    table = pd.concat([cells(10, right=8, confidence=0.8), cells(10, right=10, confidence=1.0)])
    assert calibration(table)["calibration_error"] == pytest.approx(0)


def test_unstated_confidence_and_abstentions_are_no_matter_of_calibration() -> None:
    assert calibration(together(cells(5), failed(5, "abstained", confidence=0.9)))["n_confidence"] == 0


def test_cost_is_the_mean_spent_per_cell() -> None:
    row = summarise(together(cells(10, spent_perturbations=4), cells(10, spent_perturbations=8))).iloc[0]
    assert (row["trials"], row["perturbations"], row["seconds"], row["seconds_analysis"]) == (10, 6, 10, 0.5)


def test_different_interventions_are_a_cost_too() -> None:
    row = summarise(together(cells(10, spent_interventions=4), cells(10, spent_interventions=8))).iloc[0]
    assert row["interventions"] == 6


def test_a_passive_method_spends_its_plan() -> None:
    unstated = {"spent_trials": np.nan, "spent_seconds": np.nan, "spent_perturbations": np.nan}
    row = summarise(cells(5, trials=30, duration=2.0, **unstated)).iloc[0]
    assert (row["trials"], row["perturbations"], row["seconds"]) == (30, 0, 60)
    active = summarise(cells(5, trials=30, kind="active", **unstated)).iloc[0]
    assert np.isnan(active["trials"])  # it did not get so far as to spend


def test_a_leaderboard_puts_the_best_of_each_question_first_baselines_among_them() -> None:
    table = pd.concat([cells(10, 4), cells(10, 7, method="te", method_label="te"), blind(0, "random")])
    board = leaderboard(table)
    assert list(board["method_label"]) == ["te", "glm", "baseline:random"]
    assert list(board["kind"]) == ["passive", "passive", "baseline"]


def test_questions_never_share_a_row() -> None:
    table = pd.concat([cells(10, 4), cells(10, 10, question="mechanism", correct=1.0)])
    rows = summarise(table, ["kind"]).set_index("question")
    assert rows["recovery"].to_dict() == {"connectivity": 0.4, "mechanism": 1.0}
    assert rows.loc["mechanism", "metric"] == "correct"


def test_a_heatmap_is_circuits_by_methods() -> None:
    other = cells(10, 6, circuit="two", circuit_label="two", method="te", method_label="te")
    grid = heatmap(pd.concat([cells(10, 4), other]), "connectivity")
    assert grid.loc["net", "glm"] == 0.4
    assert grid.loc["two", "te"] == 0.6
    assert np.isnan(grid.loc["two", "glm"])


def test_a_failure_counts_on_a_rival_that_has_an_answer_and_not_on_one_that_has_none() -> None:
    crashed = rivals(10, status="error", false_recovery=np.nan)
    assert list(heatmap(together(cells(5, 5), rivals(5), crashed), "connectivity").index) == ["net"]
    askable = together(rivals(10, recovered=1.0, false_recovery=np.nan), crashed)
    assert heatmap(askable, "connectivity").loc["rival", "glm"] == 0.5


def test_a_heatmap_shows_rivals_where_the_question_has_an_answer_there() -> None:
    table = pd.concat([cells(10, 4), rivals(10, fooled=3)])
    assert list(heatmap(table, "connectivity").index) == ["net"]
    assert heatmap(table, "connectivity", "false_recovery").loc["rival", "glm"] == pytest.approx(0.3)
    answered = rivals(10, question="mechanism", recovered=1.0, correct=1.0)
    assert heatmap(answered, "mechanism").loc["rival", "glm"] == 1.0


def test_unknown_columns_and_questions_say_what_there_is() -> None:
    with pytest.raises(SimlabError, match="method_label"):
        summarise(cells(), ["methode"])
    with pytest.raises(SimlabError, match="connectivity"):
        heatmap(cells(), "topology")


def test_an_empty_table_gives_empty_summaries() -> None:
    assert summarise(cells(0)).empty
    assert leaderboard(cells(0)).empty
